import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";

export type Entry = Schema<"Node">;
export type Graph = Schema<"LineageGraph">;
export type Kind = Entry["kind"];

export const KINDS: Record<Kind, string> = {
  contract: "Contract",
  field: "Field",
  column: "Derived column",
  feature: "Feature",
  rule: "Rule",
  alert: "Alert",
  table: "Table",
  lake: "Lake column",
  query: "Query",
};

export const searchQuery = (search: string, kind: Kind | undefined) =>
  queryOptions({
    queryKey: ["catalogue", "search", search, kind ?? ""],
    queryFn: ({ signal }) =>
      answer(api.GET("/api/v1/catalogue", { params: { query: { search, kind, limit: 200 } }, signal })),
    placeholderData: (before) => before,
    staleTime: 30_000,
  });

export const entryQuery = (entry: string) =>
  queryOptions({
    queryKey: ["catalogue", "entry", entry],
    queryFn: ({ signal }) =>
      answer(api.GET("/api/v1/catalogue/{entry}", { params: { path: { entry } }, signal })),
  });

export const graphQuery = (node: string) =>
  queryOptions({
    queryKey: ["catalogue", "graph", node],
    queryFn: ({ signal }) =>
      answer(api.GET("/api/v1/lineage/graph", { params: { query: { node } }, signal })),
  });

/** "transaction.amount": what an entry is called where its parent is not said beside it. */
export const fullName = (entry: Entry) =>
  entry.parent && entry.kind !== "feature" ? `${entry.parent}.${entry.name}` : entry.name;
