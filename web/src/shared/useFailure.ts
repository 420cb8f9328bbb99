import { hashKey, type QueryKey } from "@tanstack/react-query";
import { useState } from "react";

/**
 * Why there is nothing to show: the last failure, also while it is tried again by itself. Without this, a page that asks
 * every few seconds would change between the reason and grey bars. Null once something came, and for another key: what
 * failed there says nothing of what is asked for here.
 */
export function useFailure(query: { data: unknown; error: unknown }, key: QueryKey): unknown {
  const about = hashKey(key);
  const [last, setLast] = useState<{ about: string; error: unknown }>({ about, error: null });
  const kept = last.about === about ? last.error : null;
  const error = query.data === undefined ? (query.error ?? kept) : null;
  if (error !== last.error || about !== last.about) setLast({ about, error });
  return error;
}
