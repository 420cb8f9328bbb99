import type { QueryClient } from "@tanstack/react-query";

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
