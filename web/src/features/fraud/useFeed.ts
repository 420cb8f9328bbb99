import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { useSession } from "../../shared/session";
import { useAlertStream } from "./alertStream";
import { EMPTY, type Feed, MOST, merge, rebase, receive, release, tidy } from "./feed";
import { type Alert, type Filter, matches } from "./filter";
import { alertsQuery } from "./queries";

/** The list of alerts: fetched pages with what the stream brought since. `hold` keeps new ones waiting. */
export function useFeed(filter: Filter, hold: boolean) {
  const { timeZone } = useSession();
  const client = useQueryClient();
  const options = useMemo(() => alertsQuery(filter, timeZone), [filter, timeZone]);
  const query = useInfiniteQuery(options);
  const [feed, setFeed] = useState<Feed>(EMPTY);
  const pages = query.data?.pages;
  const belongs = useCallback((alert: Alert) => matches(alert, filter, timeZone), [filter, timeZone]);
  const known = useMemo(
    () => new Set(pages?.flatMap((page) => page.items.map((alert) => alert.id))),
    [pages],
  );

  // Another filter begins a new list.
  const [shownFilter, setShownFilter] = useState(filter);
  if (shownFilter !== filter) {
    setShownFilter(filter);
    setFeed(EMPTY);
  }
  const asOf = pages?.[0]?.as_of;
  useEffect(() => {
    if (asOf) setFeed((before) => rebase(before, asOf));
  }, [asOf]);

  const refresh = useCallback(() => {
    // Only the first pages are fetched again; the rest comes back when somebody scrolls there.
    client.setQueryData(options.queryKey, (old) =>
      old ? { pages: old.pages.slice(0, 2), pageParams: old.pageParams.slice(0, 2) } : old,
    );
    void query.refetch();
  }, [client, options, query.refetch]);

  const take = useCallback(
    (alerts: readonly Alert[], wait: boolean) =>
      setFeed((before) => receive(before, { alerts, known, belongs, hold: wait, now: Date.now() })),
    [known, belongs],
  );
  // Where a new row belongs among the largest is the server's to say, so there it always waits.
  const waits = hold || filter.sort === "amount";
  const state = useAlertStream({ onAlerts: (alerts) => take(alerts, waits), onGap: refresh });
  const overfull = feed.live.length > MOST || feed.waiting.length > MOST;
  useEffect(() => {
    if (overfull) refresh();
  }, [overfull, refresh]);

  const rows = useMemo(() => merge(feed, pages?.map((page) => page.items) ?? []), [feed, pages]);
  const keeps = useCallback(
    (alert: Alert) => matches(alert, { state: filter.state, sort: "newest" }, timeZone),
    [filter.state, timeZone],
  );
  const show = useCallback(() => {
    if (filter.sort === "amount") refresh();
    else setFeed((before) => release(before, Date.now()));
  }, [filter.sort, refresh]);

  return {
    query,
    rows,
    state,
    refresh,
    show,
    take,
    waiting: feed.waiting.length,
    isNew: (alert: Alert) => Date.now() - (feed.shownAt.get(alert.id) ?? 0) < 4000,
    /** How many rows were judged since they were listed and now are of another state than the list. */
    resolved: useMemo(() => rows.filter((row) => !keeps(row)).length, [rows, keeps]),
    tidy: () => setFeed((before) => tidy(before, rows, keeps)),
  };
}
