import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useHotkeys } from "../../../shared/hotkeys";
import { newest } from "../../../shared/live/newest";
import type { LiveState } from "../../../shared/live/stream";
import { useLiveStream } from "../../../shared/live/useLiveStream";
import type { paths } from "../../../shared/paths";
import { useFailure } from "../../../shared/useFailure";
import { ANY_TIME, type BoardView, boardSearch, parseBoardView, streamUrl, type Times } from "./view";

const EVENTS = ["board", "change"];

type Page =
  | typeof paths.finance
  | typeof paths.orders
  | typeof paths.overview
  | typeof paths.behaviour
  | typeof paths.system;

/** What the panel of a tile has to know of its board. */
export interface Part {
  /** Nothing yet: the board is on its way. */
  loading: boolean;
  error: unknown;
  /** This tile alone could not be computed. */
  failed: boolean;
  onRetry(): void;
  /** Why there is nothing to show. */
  empty: string | null;
}

const CATCHES_UP =
  "The sums are still catching up with the records that came. What is missing shows as it is added.";

export interface Board<T> {
  times: Times;
  view: BoardView;
  change(view: BoardView): void;
  data: T | undefined;
  error: unknown;
  retry(): void;
  /** A tile by name; `sentence` says why it is empty, unless that is because numbers are behind the records. */
  part(tile: string, empty: boolean, sentence: string): Part;
  state: LiveState;
  paused: boolean;
  pause(paused: boolean): void;
}

// The stream tells what changes; this only covers a stream that cannot be opened.
const COVER_MS = 60_000;

/** A dashboard that follows its stream: the whole first, then the members that changed. */
export function useBoard<T extends { as_of: string; failed: string[]; behind_since?: string | null }>(
  page: Page,
  stream: string,
  fetch: (view: BoardView, signal: AbortSignal) => Promise<T>,
  times: Times = ANY_TIME,
): Board<T> {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const shape = JSON.stringify(search);
  const view = useMemo(() => parseBoardView(JSON.parse(shape), times), [shape, times]);
  const navigate = useNavigate();
  const client = useQueryClient();
  const [paused, pause] = useState(false);
  const key = useMemo(() => [page, view], [page, view]);
  const query = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => newest(client.getQueryData<T>(key), await fetch(view, signal)),
    refetchInterval: COVER_MS,
    enabled: !paused,
  });
  const state = useLiveStream(streamUrl(stream, view), EVENTS, {
    onEvent: (name, data) => {
      if (paused) return;
      if (name === "board") client.setQueryData<T>(key, data as T);
      // A change to what is not known yet is part of the answer that is on its way.
      else client.setQueryData<T>(key, (known) => (known ? { ...known, ...(data as T) } : known));
    },
    onGap: () => void (paused || query.refetch()),
  });
  useHotkeys([{ key: "p", label: "Pause or resume", group: "Dashboard", run: () => pause(!paused) }]);
  const { data } = query;
  const error = useFailure(query, key);
  const retry = () => void query.refetch();
  return {
    times,
    view,
    change: (next) => void navigate({ to: page, search: boardSearch(next, times), resetScroll: false }),
    data,
    error,
    retry,
    part: (tile, empty, sentence) => ({
      loading: !data,
      error,
      failed: data?.failed.includes(tile) ?? false,
      onRetry: retry,
      empty: empty ? (data?.behind_since ? CATCHES_UP : sentence) : null,
    }),
    state,
    paused,
    pause: (next) => {
      pause(next);
      if (!next) void query.refetch();
    },
  };
}
