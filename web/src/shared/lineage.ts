import type { Schema } from "../api/client";

export type Entry = Schema<"Node">;
export type Kind = Entry["kind"];

/** What the entries of the catalogue are called, in the order in which data flows. */
export const KINDS: Record<Kind, string> = {
  contract: "Contract",
  field: "Field",
  column: "Derived column",
  feature: "Feature",
  model: "Model",
  rule: "Rule",
  alert: "Alert",
  table: "Table",
  lake: "Lake column",
  metric: "Metric",
  query: "Query",
  dashboard: "Dashboard",
  schedule: "Scheduled query",
  metric_alert: "Alert on a metric",
  monitor: "Monitor of quality",
  segment: "Segment",
};

/** "transaction.amount": what an entry is called where its parent is not said beside it. */
export const fullName = (entry: Entry) =>
  entry.parent && entry.kind !== "feature" ? `${entry.parent}.${entry.name}` : entry.name;
