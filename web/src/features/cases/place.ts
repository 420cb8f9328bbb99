import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useCallback, useSyncExternalStore } from "react";

interface Place {
  /** The filter of the queue, as its address has it. */
  search: Record<string, string | number>;
  /** The case that was opened from it, until somebody is back. */
  id: string | null;
}

const KEY = ["queue-place"];

/** Keeps where the queue is left for a case, until somebody else signs in. */
export function leaveQueue(client: QueryClient, place: Place): void {
  client.setQueryDefaults(KEY, { gcTime: Number.POSITIVE_INFINITY });
  client.setQueryData<Place>(KEY, place);
}

/** Where the queue was left last in this window: the way back from a case leads there. */
export function queuePlace(client: QueryClient): Place {
  return client.getQueryData<Place>(KEY) ?? { search: {}, id: null };
}

/**
 * What is written of a note of this case and not kept yet: it waits for who looks elsewhere, like the place in the queue.
 * It is read from memory alone: a note may be kept only after its writer has left the page and come back.
 */
export function useHalfWrittenNote(id: string) {
  const client = useQueryClient();
  const cache = client.getQueryCache();
  const key = ["half-written-note", id];
  const written = () => client.getQueryData<string>(key) ?? "";
  const text = useSyncExternalStore(
    useCallback((tell: () => void) => cache.subscribe(tell), [cache]),
    written,
  );
  const write = (next: (now: string) => string) => {
    client.setQueryDefaults(key, { gcTime: Number.POSITIVE_INFINITY });
    client.setQueryData(key, next(written()));
  };
  return { text, write };
}
