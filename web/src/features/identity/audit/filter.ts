/** Which entries are listed: what the filter bar shows and the address holds. */
export interface AuditFilter {
  actor?: string;
  action?: string;
  subject?: string;
  outcome?: string;
  origin?: string;
  /** Instants (ISO 8601, UTC). */
  from?: string;
  to?: string;
}

const KEYS = ["actor", "action", "subject", "outcome", "origin", "from", "to"] as const;

export const OUTCOMES = [
  { value: "done", label: "Done" },
  { value: "read", label: "Looked at" },
  { value: "denied", label: "Denied" },
  { value: "refused", label: "Sign-in refused" },
  { value: "throttled", label: "Too many attempts" },
  { value: "unauthenticated", label: "Session over" },
  { value: "cross_site", label: "From another site" },
  { value: "step_up", label: "No fresh proof" },
  { value: "not_found", label: "Not found" },
];

/** The filter in an address. Whatever cannot be understood there is left out. */
export function parseFilter(search: Record<string, unknown>): AuditFilter {
  const filter: AuditFilter = {};
  for (const key of KEYS) {
    const value = typeof search[key] === "number" ? String(search[key]) : search[key];
    if (typeof value !== "string" || value.trim() === "") continue;
    if ((key === "from" || key === "to") && !Number.isFinite(Date.parse(value))) continue;
    filter[key] = value.slice(0, 300);
  }
  return filter;
}

/** The address of a filter. */
export function toSearch(filter: AuditFilter, entry?: string): Record<string, string> {
  const search: Record<string, string> = {};
  for (const key of KEYS) {
    const value = filter[key];
    if (value !== undefined) search[key] = value;
  }
  if (entry) search.entry = entry;
  return search;
}

export function isNarrowed(filter: AuditFilter): boolean {
  return KEYS.some((key) => filter[key] !== undefined);
}

export function outcomeWord(outcome: string): string {
  return OUTCOMES.find((each) => each.value === outcome)?.label ?? outcome.replaceAll("_", " ");
}

/** How an outcome looks: what was denied stands out, what was done does not. */
export function outcomeTone(outcome: string): string {
  if (outcome === "done" || outcome === "read") return "quiet";
  if (outcome === "not_found" || outcome === "step_up") return "review";
  return "block";
}
