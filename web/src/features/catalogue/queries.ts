import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";
import type { Kind } from "../../shared/lineage";

export type Graph = Schema<"LineageGraph">;

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
