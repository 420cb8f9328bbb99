import { type QueryCache, useQueryClient } from "@tanstack/react-query";
import { Alert, Button } from "antd";
import { useCallback, useMemo, useSyncExternalStore } from "react";
import { reasonOf } from "../shared/ui/states";
import { When } from "../shared/ui/values";

/** What the page shows and could not be renewed stays on it: this says since when it is old, and why. */
export function Stale() {
  const client = useQueryClient();
  const cache = client.getQueryCache();
  const subscribe = useCallback((tell: () => void) => cache.subscribe(tell), [cache]);
  const since = useSyncExternalStore(
    subscribe,
    useMemo(() => () => Math.min(...failing(cache).map((query) => query.state.dataUpdatedAt)), [cache]),
  );
  const [first] = failing(cache);
  if (!Number.isFinite(since) || !first) return null;
  const again = () => {
    for (const query of failing(cache)) void client.refetchQueries({ queryKey: query.queryKey, exact: true });
  };
  return (
    <Alert
      className="no-print"
      type="warning"
      showIcon
      title={
        <>
          Some of this page is as of <When at={new Date(since).toISOString()} />
        </>
      }
      description={reasonOf(first.state.error)}
      action={<Button onClick={again}>Try again</Button>}
    />
  );
}

/** What is shown now, and whose last answer was a failure. */
function failing(cache: QueryCache) {
  return cache
    .getAll()
    .filter((query) => query.isActive() && query.state.error !== null && query.state.dataUpdatedAt > 0);
}
