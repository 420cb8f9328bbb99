/** What the lower half of the pipeline page lists: held in the address. */
export interface View {
  tab: "quarantine" | "receipts";
  contract?: string;
  rule?: string;
  /** Whether the pipeline has finished a receipt's records, and a text in its source. */
  state?: string;
  source?: string;
  /** The quarantined record that is open. */
  record?: string;
}

export function parseView(search: Record<string, unknown>): View {
  const view: View = { tab: search.tab === "receipts" ? "receipts" : "quarantine" };
  for (const key of ["contract", "rule", "state", "source", "record"] as const) {
    const value = search[key];
    if (typeof value === "string" && value !== "") view[key] = value;
  }
  return view;
}

export function viewSearch(view: View): Record<string, string> {
  const { tab, ...rest } = view;
  const search: Record<string, string> = tab === "receipts" ? { tab } : {};
  for (const [key, value] of Object.entries(rest)) if (value !== undefined) search[key] = value;
  return search;
}

/** A value of a refused record as text. The server sends it as it stood in the record. */
export function valueText(value: unknown): string {
  if (value === undefined || value === null) return "missing";
  if (value === "") return "empty";
  return typeof value === "string" ? value : JSON.stringify(value);
}
