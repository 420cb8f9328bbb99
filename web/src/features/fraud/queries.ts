import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";
import { newKey } from "../../api/keys";
import { newest } from "../../shared/live/newest";
import { type Alert, type Filter, toExport, toQuery } from "./filter";

export type AlertDetail = Schema<"AlertDetail">;
export type Summary = Schema<"AlertSummary">;
export type AlertPage = Schema<"AlertPage">;
export type Verdict = "confirmed_fraud" | "dismissed";

export const PAGE_SIZE = 50;

/** Alerts a page at a time. What changes afterwards comes by the stream, so nothing grows stale by itself. */
export function alertsQuery(filter: Filter, zone: string) {
  return infiniteQueryOptions({
    queryKey: ["alerts", filter, zone],
    queryFn: ({ pageParam, signal }) => fetchAlerts(filter, zone, PAGE_SIZE, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page: AlertPage) => page.next,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    refetchOnMount: "always",
  });
}

export function fetchAlerts(
  filter: Filter,
  zone: string,
  limit: number,
  before: string | null,
  signal?: AbortSignal,
): Promise<AlertPage> {
  const query = { ...toQuery(filter, zone), limit, before: before ?? undefined };
  return answer(api.GET("/api/v1/alerts", { params: { query }, signal }));
}

/** The alerts of a filter as CSV, or as JSON what waits for a second person. */
export async function exportAlerts(filter: Filter, zone: string, reason: string): Promise<Blob> {
  const body = { ...toExport(filter, zone), reason };
  return (await answer(api.POST("/api/v1/alerts/exports", { body, parseAs: "blob" }))) as Blob;
}

export const summaryQuery = queryOptions({
  queryKey: ["alerts-summary"],
  queryFn: async ({ signal, client, queryKey }): Promise<Summary> => {
    const fetched = await answer(api.GET("/api/v1/alerts/summary", { signal }));
    return newest(client.getQueryData<Summary>(queryKey), fetched);
  },
  // The stream sends a new one with every change; this only covers a stream that cannot be opened.
  refetchInterval: 60_000,
});

export function alertQuery(id: string) {
  return queryOptions({
    queryKey: ["alert", id],
    queryFn: ({ signal }): Promise<AlertDetail> =>
      answer(api.GET("/api/v1/alerts/{alert_id}", { params: { path: { alert_id: id } }, signal })),
    staleTime: 15_000,
    // Its explanation is made a second or two after the alert; whoever is that quick sees it come.
    refetchInterval: ({ state }) => (state.data && awaitsExplanation(state.data) ? 2_000 : false),
  });
}

const EXPLAINED_WITHIN_MS = 60_000;

function awaitsExplanation(alert: AlertDetail): boolean {
  return !alert.explanation && Date.now() - Date.parse(alert.raised_at) < EXPLAINED_WITHIN_MS;
}

/** The newest open alerts, for the bell. */
export const newestQuery = queryOptions({
  queryKey: ["alerts-newest"],
  queryFn: ({ signal }): Promise<AlertPage> =>
    answer(
      api.GET("/api/v1/alerts", { params: { query: { state: "open", sort: "newest", limit: 20 } }, signal }),
    ),
  staleTime: Number.POSITIVE_INFINITY,
});

/** Records a person's verdict. `key` stays the same when the same act is tried again. */
export function resolveAlert(alert: Alert, verdict: Verdict, note: string, key = newKey()): Promise<Alert> {
  return answer(
    api.POST("/api/v1/alerts/{alert_id}/resolution", {
      params: { path: { alert_id: alert.id } },
      body: { verdict, note, version: alert.version },
      headers: { "Idempotency-Key": key },
    }),
  );
}
