import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";

export type Source = Schema<"SourceView">;
export type SourceItem = Schema<"SourceItem">;
export type Trial = Schema<"Trial">;
export type SourceBody = Schema<"SourceBody">;
export type Settings = Source["connection"];
export type Kind = Settings["type"];

const PAGE_SIZE = 50;
const path = (id: string) => ({ path: { source_id: id } });

/** Every source as it stands; asked again while somebody looks. */
export const sourcesQuery = queryOptions({
  queryKey: ["sources"],
  queryFn: async ({ signal }): Promise<Source[]> =>
    (await answer(api.GET("/api/v1/sources", { signal }))).items,
  // While it is asked again nothing tells why it failed, so what failed is left to be read.
  refetchInterval: ({ state }) => (state.status === "error" ? 30_000 : 3_000),
});

export function itemsQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: ["source-items", id],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET("/api/v1/sources/{source_id}/items", {
          params: { ...path(id), query: { limit: PAGE_SIZE, before: pageParam ?? undefined } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page: Schema<"SourceItems">) => page.next,
    refetchInterval: 10_000,
  });
}

export function historyQuery(id: string) {
  return queryOptions({
    queryKey: ["source-history", id],
    queryFn: async ({ signal }): Promise<Schema<"SourceNote">[]> =>
      (await answer(api.GET("/api/v1/sources/{source_id}/history", { params: path(id), signal }))).items,
    refetchInterval: 10_000,
  });
}

/** The newest receipts of a source: its id is part of what they say they came from. */
export function receiptsQuery(id: string) {
  return queryOptions({
    queryKey: ["source-receipts", id],
    queryFn: async ({ signal }): Promise<Schema<"Receipt">[]> =>
      (await answer(api.GET("/api/v1/receipts", { params: { query: { source: id, limit: 20 } }, signal })))
        .items,
    refetchInterval: 10_000,
  });
}

/** The names of the contracts that records can be held to. */
export const contractNamesQuery = queryOptions({
  queryKey: ["contract-names"],
  queryFn: async ({ signal }): Promise<string[]> =>
    (await answer(api.GET("/api/v1/pipeline", { signal }))).contracts.map((one) => one.contract),
  staleTime: 60_000,
});

export const addSource = (body: SourceBody) => answer(api.POST("/api/v1/sources", { body }));

export const changeSource = (id: string, body: SourceBody) =>
  answer(api.PUT("/api/v1/sources/{source_id}", { params: path(id), body }));

export const removeSource = (id: string) =>
  answer(api.DELETE("/api/v1/sources/{source_id}", { params: path(id) }));

export const pauseSource = (id: string) =>
  answer(api.POST("/api/v1/sources/{source_id}/pausing", { params: path(id) }));

export const resumeSource = (id: string) =>
  answer(api.POST("/api/v1/sources/{source_id}/resuming", { params: path(id) }));

export const backfillSource = (id: string, begin: string) =>
  answer(api.POST("/api/v1/sources/{source_id}/backfill", { params: path(id), body: { begin } }));

export const newAddress = (id: string) =>
  answer(api.POST("/api/v1/sources/{source_id}/address", { params: path(id) }));

export const tryOut = (body: Schema<"TrialBody">) => answer(api.POST("/api/v1/sources/trials", { body }));
