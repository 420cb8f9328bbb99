import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../../api/client";
import { instantOf } from "../../../shared/time";

export type Performance = Schema<"Performance">;
export type Outcome = Schema<"SourceOutcome">;
export type Day = Schema<"PerformanceDay">;
export type Payment = Schema<"PaymentView">;

export const SPANS = [7, 30, 90, 365] as const;
export const OUTCOMES = ["hits", "blocks", "fraud", "legitimate", "unjudged", "missed", "protected"] as const;
export type OutcomeKind = (typeof OUTCOMES)[number];
const SOURCES = ["all", "rule", "model"] as const;
const CAPACITY = 100;

/** What the page shows, held in the address. `asOf` is a day of the firm's calendar: as known at its end. */
export interface View {
  days: number;
  asOf?: string;
  capacity: number;
  source?: Outcome["source"];
  name?: string;
  outcome?: OutcomeKind;
}

/** The view in an address; what is not understood is left out. */
export function parseView(search: Record<string, unknown>): View {
  const capacity = Number(search.capacity);
  const asOf = String(search.asOf ?? "");
  const known = /^\d{4}-\d{2}-\d{2}$/.test(asOf) && Number.isFinite(Date.parse(asOf));
  return {
    days: SPANS.find((span) => span === Number(search.days)) ?? 30,
    asOf: known ? asOf : undefined,
    capacity: Number.isInteger(capacity) && capacity > 0 && capacity <= 100_000 ? capacity : CAPACITY,
    source: SOURCES.find((each) => each === search.source),
    name: search.name === undefined ? undefined : String(search.name).slice(0, 200),
    outcome: OUTCOMES.find((each) => each === search.outcome),
  };
}

/** The address of a view; what is usual is left out. */
export function toSearch(view: View): Record<string, string | number> {
  const search: Record<string, string | number> = {};
  if (view.days !== 30) search.days = view.days;
  if (view.asOf) search.asOf = view.asOf;
  if (view.capacity !== CAPACITY) search.capacity = view.capacity;
  if (view.outcome) {
    search.outcome = view.outcome;
    search.source = view.source ?? "all";
    if (view.name) search.name = view.name;
  }
  return search;
}

export function performanceQuery(view: View, zone: string) {
  const { days, asOf, capacity } = view;
  return queryOptions({
    queryKey: ["performance", days, asOf, capacity, zone],
    queryFn: ({ signal }): Promise<Performance> => {
      const until = asOf ? endOf(asOf, zone) : new Date();
      const query = {
        from: new Date(until.getTime() - days * 86_400_000).toISOString(),
        as_of: asOf ? until.toISOString() : undefined,
        capacity_per_day: capacity,
      };
      return answer(api.GET("/api/v1/performance", { params: { query }, signal }));
    },
    // What was known on a day of the past does not change.
    refetchInterval: asOf ? false : 60_000,
    placeholderData: (previous) => previous,
  });
}

/** The payments behind a number of what is shown. */
export function paymentsQuery(of: Performance | undefined, view: View) {
  return infiniteQueryOptions({
    queryKey: ["performance-payments", of?.since, of?.as_of, view.source, view.name, view.outcome],
    queryFn: ({ pageParam, signal }) => {
      const query = {
        from: of?.since,
        to: of?.until,
        as_of: of?.as_of,
        source: view.source ?? "all",
        name: view.source === "all" ? "" : (view.name ?? ""),
        outcome: view.outcome ?? "hits",
        before: pageParam ?? undefined,
      };
      return answer(api.GET("/api/v1/performance/payments", { params: { query }, signal }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page: Schema<"PaymentPage">) => page.next,
    enabled: of !== undefined && view.outcome !== undefined,
  });
}

/** The payments behind a number as CSV, or as JSON what waits for a second person. */
export async function exportPayments(view: View, zone: string, reason: string): Promise<Blob> {
  const known = view.asOf ? endOf(view.asOf, zone) : null;
  const body = {
    outcome: view.outcome ?? "hits",
    source: view.source ?? "all",
    name: view.source === "all" ? "" : (view.name ?? ""),
    days: view.days,
    // Of a day that is not over the moment would be another one each time, and no approval would fit.
    as_of: known && known.getTime() < Date.now() - 60_000 ? known.toISOString() : undefined,
    reason,
  };
  return (await answer(api.POST("/api/v1/performance/payments/export", { body, parseAs: "blob" }))) as Blob;
}

function endOf(day: string, zone: string): Date {
  const noon = new Date(`${day}T12:00:00Z`);
  noon.setUTCDate(noon.getUTCDate() + 1);
  const end = instantOf(noon.toISOString().slice(0, 10), zone);
  return end.getTime() < Date.now() ? end : new Date();
}
