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

interface Note {
  text: string;
  /** While it is being sent, also by who has looked elsewhere meanwhile. */
  keeping: boolean;
}

const NOTHING: Note = { text: "", keeping: false };

/**
 * What is written of a note of this case and not kept yet: it waits for who looks elsewhere, like the place in the queue.
 * It is read from memory alone: a note may be kept only after its writer has left the page and come back.
 */
export function useHalfWrittenNote(id: string) {
  const client = useQueryClient();
  const cache = client.getQueryCache();
  const key = ["half-written-note", id];
  const written = () => client.getQueryData<Note>(key) ?? NOTHING;
  const note = useSyncExternalStore(
    useCallback((tell: () => void) => cache.subscribe(tell), [cache]),
    written,
  );
  const set = (more: Partial<Note>) => {
    client.setQueryDefaults(key, { gcTime: Number.POSITIVE_INFINITY });
    client.setQueryData<Note>(key, { ...written(), ...more });
  };
  return {
    ...note,
    write: (next: (now: string) => string) => set({ text: next(written().text) }),
    /** Sends it, unless it is being sent already; `send` says whether that went well. What was written since stays. */
    keep: async (send: (text: string) => Promise<unknown>) => {
      const { text, keeping } = written();
      if (!text.trim() || keeping) return;
      set({ keeping: true });
      const kept = await send(text);
      set({ keeping: false, text: kept && written().text === text ? "" : written().text });
    },
  };
}
