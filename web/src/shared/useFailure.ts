import { useState } from "react";

/**
 * Why there is nothing to show: the last failure, also while it is tried again by itself. Without this, a page that asks
 * every few seconds would change between the reason and grey bars. Null once something came.
 */
export function useFailure(query: { data: unknown; error: unknown }): unknown {
  const [last, setLast] = useState<unknown>(null);
  const now = query.data === undefined ? (query.error ?? last) : null;
  if (now !== last) setLast(now);
  return now;
}
