import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { LiveState } from "../../shared/live/stream";
import { useLiveStream } from "../../shared/live/useLiveStream";
import { useFailure } from "../../shared/useFailure";
import { type Dashboard, fetchShown, type Shown } from "./queries";
import { type BoardFilters, streamUrl } from "./view";

const EVENTS = ["board", "change"];
// The stream tells what changes; this only covers a stream that cannot be opened.
const COVER_MS = 60_000;

export interface Live {
  shown: Shown | undefined;
  error: unknown;
  state: LiveState;
  paused: boolean;
  pause(paused: boolean): void;
  retry(): void;
  /** Tiles that stand still by themselves, by id. */
  held: Record<string, boolean>;
  hold(tile: string, held: boolean): void;
}

/**
 * What the tiles of a dashboard show, live: all of them first, then those that changed. A stream tells of one version
 * of the dashboard, so another version is looked at from its beginning.
 */
export function useShown({ id, version }: Dashboard, filters: BoardFilters, onChanged: () => void): Live {
  const client = useQueryClient();
  const [paused, setPaused] = useState(false);
  const [held, setHeld] = useState<Record<string, boolean>>({});
  const key = useMemo(() => ["dashboards", "shown", id, version, filters], [id, version, filters]);
  const merge = (known: Shown | undefined, news: Shown): Shown => {
    if (Object.values(news).some((one) => one.state === "changed")) {
      onChanged();
      return known ?? {};
    }
    const kept = Object.entries(known ?? {}).filter(([tile]) => held[tile]);
    return { ...news, ...Object.fromEntries(kept) };
  };
  const query = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) =>
      merge(client.getQueryData<Shown>(key), await fetchShown(id, filters, signal)),
    refetchInterval: COVER_MS,
    enabled: !paused,
  });
  const error = useFailure(query, key);
  const state = useLiveStream(
    streamUrl(id, filters),
    EVENTS,
    {
      onEvent: (name, data) => {
        if (paused) return;
        if (name === "board") client.setQueryData<Shown>(key, (known) => merge(known, data as Shown));
        // A change to what is not known yet is part of the answer that is on its way.
        else {
          client.setQueryData<Shown>(key, (known) =>
            known ? { ...known, ...merge(known, data as Shown) } : known,
          );
        }
      },
      onGap: () => void (paused || query.refetch()),
    },
    version,
  );
  return {
    shown: query.data,
    error,
    state,
    paused,
    pause: (next) => {
      setPaused(next);
      if (!next) void query.refetch();
    },
    retry: () => void query.refetch(),
    held,
    hold: (tile, next) => {
      setHeld((now) => ({ ...now, [tile]: next }));
      if (!next) void query.refetch();
    },
  };
}
