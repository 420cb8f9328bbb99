interface Place {
  /** The filter of the queue, as its address has it. */
  search: Record<string, string | number>;
  /** The case that was opened from it, until somebody is back. */
  id: string | null;
}

let left: Place = { search: {}, id: null };

/** Keeps where the queue is left for a case. */
export function leaveQueue(place: Place): void {
  left = place;
}

/** Where the queue was left last in this window: the way back from a case leads there. */
export function queuePlace(): Place {
  return left;
}
