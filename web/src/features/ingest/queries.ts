import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";

export type ContractSummary = Schema<"ContractSummary">;
export type ContractDetail = Schema<"ContractDetail">;
export type ContractDraft = Schema<"ContractDraft">;
export type Comparison = Schema<"Comparison">;
export type Assessment = Schema<"Assessment">;
export type Trial = Schema<"DraftTrial">;

export const contractsQuery = queryOptions({
  queryKey: ["contracts"],
  queryFn: async ({ signal }) => (await answer(api.GET("/api/v1/contracts", { signal }))).items,
  refetchInterval: 30_000,
});

export function contractQuery(contract: string) {
  return queryOptions({
    queryKey: ["contracts", contract],
    queryFn: ({ signal }): Promise<ContractDetail> =>
      answer(api.GET("/api/v1/contracts/{contract}", { params: { path: { contract } }, signal })),
  });
}

export function comparisonQuery(contract: string, old: string, next: string) {
  return queryOptions({
    queryKey: ["contracts", contract, "comparison", old, next],
    queryFn: ({ signal }): Promise<Comparison> =>
      answer(
        api.GET("/api/v1/contracts/{contract}/comparison", {
          params: { path: { contract }, query: { old, new: next } },
          signal,
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function sampleQuery(contract: string) {
  return queryOptions({
    queryKey: ["contracts", contract, "sample"],
    queryFn: async ({ signal }) =>
      (
        await answer(
          api.GET("/api/v1/contracts/{contract}/sample", { params: { path: { contract } }, signal }),
        )
      ).rows,
  });
}

/** The quality score of a contract: the share of records that passed when they arrived. */
export function qualityQuery(contract: string) {
  return queryOptions({
    queryKey: ["quality", "score", contract],
    queryFn: ({ signal }) =>
      answer(api.GET("/api/v1/quality/contracts/{contract}", { params: { path: { contract } }, signal })),
    staleTime: 30_000,
  });
}

/** What reads a field: derived columns, features, models, rules, alerts, lake columns and saved queries. */
export function readersQuery(contract: string, field: string) {
  return queryOptions({
    queryKey: ["lineage", "field", contract, field],
    queryFn: async ({ signal }) =>
      (
        await answer(
          api.GET("/api/v1/lineage/fields/{contract}/{field}", {
            params: { path: { contract, field } },
            signal,
          }),
        )
      ).readers,
    staleTime: 30_000,
  });
}

export function draftQuery(id: string) {
  return queryOptions({
    queryKey: ["contract-draft", id],
    queryFn: ({ signal }): Promise<ContractDraft> =>
      answer(api.GET("/api/v1/contract-drafts/{draft_id}", { params: { path: { draft_id: id } }, signal })),
    // A trial tells about once a second how far it has come.
    refetchInterval: (query) => (query.state.data?.trial?.state === "running" ? 1_000 : false),
  });
}

export function assessmentQuery(name: string, text: string) {
  return queryOptions({
    queryKey: ["contract-validation", name, text],
    queryFn: ({ signal }): Promise<Assessment> =>
      answer(api.POST("/api/v1/contracts/validation", { body: { name, text }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
}

export function beginDraft(name: string): Promise<ContractDraft> {
  return answer(api.POST("/api/v1/contract-drafts", { body: { name, note: "" } }));
}

export function saveDraft(draft: ContractDraft, text: string): Promise<ContractDraft> {
  const params = { path: { draft_id: draft.id } };
  const body = { text, revision: draft.revision, note: draft.note };
  return answer(api.PUT("/api/v1/contract-drafts/{draft_id}", { params, body }));
}

export function discardDraft(draft: ContractDraft): Promise<unknown> {
  const params = { path: { draft_id: draft.id }, query: { revision: draft.revision } };
  return answer(api.DELETE("/api/v1/contract-drafts/{draft_id}", { params }));
}

export function tryDraft({ id, revision }: ContractDraft): Promise<ContractDraft> {
  const params = { path: { draft_id: id } };
  return answer(api.POST("/api/v1/contract-drafts/{draft_id}/trial", { params, body: { revision } }));
}

export function proposeDraft({ id, revision }: ContractDraft, reason: string) {
  const params = { path: { draft_id: id } };
  const body = { revision, reason };
  return answer(api.POST("/api/v1/contract-drafts/{draft_id}/publication", { params, body }));
}
