import type { Schema } from "../../api/client";
import { startOfToday } from "../../shared/time";

export type Alert = Schema<"Alert">;

/** Which alerts are listed: what the filter bar shows and the address holds. */
export interface Filter {
  state: "open" | "confirmed" | "dismissed" | "all";
  action?: "review" | "block";
  rule?: string;
  q?: string;
  /** In whole US dollars. */
  min?: number;
  range?: Range;
  /** Instants (ISO 8601, UTC); with range "custom" only. */
  from?: string;
  to?: string;
  sort: "newest" | "amount";
}

export const RANGES = ["15m", "1h", "today", "24h", "7d", "30d", "custom"] as const;
export type Range = (typeof RANGES)[number];

const SECONDS: Partial<Record<Range, number>> = {
  "15m": 900,
  "1h": 3600,
  "24h": 86_400,
  "7d": 604_800,
  "30d": 2_592_000,
};
const STATES = ["open", "confirmed", "dismissed", "all"] as const;
const STATE_OF = { open: "open", confirmed: "confirmed_fraud", dismissed: "dismissed" } as const;

export const DEFAULT_FILTER: Filter = { state: "open", sort: "newest" };

/** The filter in an address. Whatever cannot be understood there is left out. */
export function parseFilter(search: Record<string, unknown>): Filter {
  const filter: Filter = {
    state: oneOf(search.state, STATES) ?? "open",
    sort: oneOf(search.sort, ["newest", "amount"] as const) ?? "newest",
  };
  const action = oneOf(search.action, ["review", "block"] as const);
  if (action) filter.action = action;
  const rule = word(search.rule);
  if (rule) filter.rule = rule;
  const q = word(search.q);
  if (q) filter.q = q;
  const min = Number(search.min);
  if (search.min !== undefined && Number.isFinite(min) && min > 0) filter.min = min;
  const range = oneOf(search.range, RANGES);
  if (range) filter.range = range;
  if (range === "custom") {
    const [from, to] = [instant(search.from), instant(search.to)];
    if (from) filter.from = from;
    if (to) filter.to = to;
  }
  return filter;
}

/** The address of a filter; what is usual is left out. */
export function toSearch(filter: Filter): Record<string, string | number> {
  const { state, sort, ...rest } = filter;
  const search: Record<string, string | number> = {};
  if (state !== "open") search.state = state;
  if (sort !== "newest") search.sort = sort;
  for (const [key, value] of Object.entries(rest)) if (value !== undefined) search[key] = value;
  return search;
}

/** The same filter in the words of the API. */
export function toQuery(filter: Filter, zone: string, now: Date = new Date()) {
  const { from, to } = bounds(filter, zone, now);
  return {
    state: filter.state === "all" ? undefined : filter.state,
    action: filter.action,
    rule: filter.rule,
    q: filter.q,
    min_amount_usd: filter.min,
    from: from?.toISOString(),
    to: to?.toISOString(),
    sort: filter.sort,
  };
}

/** The same filter for an export: asked for again after its approval, it has to be the same in every word. */
export function toExport(filter: Filter, zone: string, now: Date = new Date()) {
  const seconds = filter.range ? SECONDS[filter.range] : undefined;
  const query = toQuery(filter, zone, now);
  return seconds ? { ...query, from: undefined, last_minutes: seconds / 60 } : query;
}

/** Whether an alert that just arrived belongs in the list. The server decides again at the next fetch. */
export function matches(alert: Alert, filter: Filter, zone: string, now: Date = new Date()): boolean {
  if (filter.state !== "all" && alert.state !== STATE_OF[filter.state]) return false;
  if (filter.action && alert.action !== filter.action) return false;
  if (filter.rule && !alert.rules.some((rule) => rule.id === filter.rule)) return false;
  if (filter.min && (alert.amount_usd?.minor ?? 0) < filter.min * 100) return false;
  const { from, to } = bounds(filter, zone, now);
  const raised = Date.parse(alert.raised_at);
  if (from && raised < from.getTime()) return false;
  if (to && raised >= to.getTime()) return false;
  return !filter.q || textOf(alert).includes(filter.q.toLowerCase());
}

/** Whether anything but the state and the order is narrowed. */
export function isNarrowed(filter: Filter): boolean {
  const { state: _, sort: __, ...rest } = filter;
  return Object.values(rest).some((value) => value !== undefined);
}

function bounds(filter: Filter, zone: string, now: Date): { from?: Date; to?: Date } {
  if (filter.range === "custom") {
    return {
      from: filter.from ? new Date(filter.from) : undefined,
      to: filter.to ? new Date(filter.to) : undefined,
    };
  }
  if (filter.range === "today") return { from: startOfToday(zone, now) };
  const seconds = filter.range ? SECONDS[filter.range] : undefined;
  return seconds ? { from: new Date(now.getTime() - seconds * 1000) } : {};
}

function textOf(alert: Alert): string {
  const { id, event_id, account_id, customer_id, card_last4, merchant_name, merchant_city, device_id } =
    alert;
  return [id, event_id, account_id, customer_id, card_last4, merchant_name, merchant_city, device_id]
    .join(" ")
    .toLowerCase();
}

function oneOf<T extends string>(value: unknown, known: readonly T[]): T | undefined {
  return known.find((each) => each === value);
}

/** A text of the address; the router reads "4711" as a number. */
function word(value: unknown): string | undefined {
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && text.trim() !== "" ? text.slice(0, 200) : undefined;
}

function instant(value: unknown): string | undefined {
  return typeof value === "string" && Number.isFinite(Date.parse(value)) ? value : undefined;
}
