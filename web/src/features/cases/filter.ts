import type { Schema } from "../../api/client";

export type Case = Schema<"CaseSummaryRow">;

/** Which cases are listed: what the filter bar shows and the address holds. */
export interface Filter {
  closed: "no" | "yes" | "all";
  state?: "open" | "investigating" | "waiting";
  priority?: Case["priority"];
  typology?: Case["typology"];
  assignee?: "me" | "nobody";
  overdue?: boolean;
  q?: string;
  sort: "queue" | "newest";
}

export const DEFAULT_FILTER: Filter = { closed: "no", sort: "queue" };

const PRIORITIES = ["urgent", "high", "normal"] as const;
const TYPOLOGIES = ["account_takeover", "card", "laundering", "scam", "general"] as const;

/** The filter in an address. Whatever cannot be understood there is left out. */
export function parseFilter(search: Record<string, unknown>): Filter {
  const filter: Filter = {
    closed: oneOf(search.closed, ["no", "yes", "all"] as const) ?? "no",
    sort: oneOf(search.sort, ["queue", "newest"] as const) ?? "queue",
  };
  const state = oneOf(search.state, ["open", "investigating", "waiting"] as const);
  if (state) filter.state = state;
  const priority = oneOf(search.priority, PRIORITIES);
  if (priority) filter.priority = priority;
  const typology = oneOf(search.typology, TYPOLOGIES);
  if (typology) filter.typology = typology;
  const assignee = oneOf(search.assignee, ["me", "nobody"] as const);
  if (assignee) filter.assignee = assignee;
  if (search.overdue === 1) filter.overdue = true;
  const q = typeof search.q === "number" ? String(search.q) : search.q;
  if (typeof q === "string" && q.trim()) filter.q = q.slice(0, 200);
  return filter;
}

/** The address of a filter; what is usual is left out. */
export function toSearch(filter: Filter): Record<string, string | number> {
  const { closed, sort, overdue, ...rest } = filter;
  const search: Record<string, string | number> = {};
  if (closed !== "no") search.closed = closed;
  if (sort !== "queue") search.sort = sort;
  if (overdue) search.overdue = 1;
  for (const [key, value] of Object.entries(rest)) if (value !== undefined) search[key] = value;
  return search;
}

/** Whether anything but open or closed and the order is narrowed. */
export function isNarrowed(filter: Filter): boolean {
  const { closed: _, sort: __, ...rest } = filter;
  return Object.values(rest).some((value) => value !== undefined);
}

function oneOf<T extends string>(value: unknown, known: readonly T[]): T | undefined {
  return known.find((each) => each === value);
}
