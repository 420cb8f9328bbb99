import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../../api/client";

export type RuleSummary = Schema<"RuleSummary">;
export type Draft = Schema<"RuleDraftSummary">;
export type RuleDetail = Schema<"RuleDetail">;
export type RuleVersion = Schema<"RuleVersionView">;
export type RuleText = Schema<"RuleBody">;
export type Assessment = Schema<"RuleAssessment">;
export type Price = Schema<"Price">;
export type Interval = Schema<"Interval">;

export const rulesQuery = queryOptions({
  queryKey: ["rules"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/rules", { signal })),
  // A backtest tells about once a second how far it has come.
  refetchInterval: (query) =>
    query.state.data?.items.some((one) => one.draft?.price?.state === "running") ? 1_000 : 15_000,
});

export function ruleQuery(rule: string) {
  return queryOptions({
    queryKey: ["rules", rule],
    queryFn: ({ signal }): Promise<RuleDetail> =>
      answer(api.GET("/api/v1/rules/{rule}", { params: { path: { rule } }, signal })),
    // A backtest tells about once a second how far it has come.
    refetchInterval: (query) =>
      query.state.data?.versions.some((one) => one.price?.state === "running") ? 1_000 : 15_000,
  });
}

export const vocabularyQuery = queryOptions({
  queryKey: ["rule-vocabulary"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/rules/vocabulary", { signal })),
  staleTime: 60_000,
});

export function assessmentQuery(text: RuleText) {
  return queryOptions({
    queryKey: ["rule-validation", text],
    queryFn: ({ signal }): Promise<Assessment> =>
      answer(api.POST("/api/v1/rules/validation", { body: text, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
}

export function beginDraft(rule: string, text: RuleText, note: string): Promise<RuleVersion> {
  return answer(api.POST("/api/v1/rule-versions", { body: { rule, text, note } }));
}

const at = (version: RuleVersion) => ({ path: { version_id: version.id } });

export function saveDraft(version: RuleVersion, text: RuleText, note: string): Promise<RuleVersion> {
  const body = { text, note, revision: version.revision };
  return answer(api.PUT("/api/v1/rule-versions/{version_id}", { params: at(version), body }));
}

export function discardDraft(version: RuleVersion): Promise<unknown> {
  const params = { ...at(version), query: { revision: version.revision } };
  return answer(api.DELETE("/api/v1/rule-versions/{version_id}", { params }));
}

export function priceRule(version: RuleVersion, days: number, capacity: number): Promise<RuleVersion> {
  const body = { revision: version.revision, days, capacity_per_day: capacity };
  return answer(api.POST("/api/v1/rule-versions/{version_id}/price", { params: at(version), body }));
}

/** Several drafts by one reading of the lake. */
export function priceRules(drafts: readonly Draft[], days: number, capacity: number): Promise<RuleVersion[]> {
  const versions = drafts.map(({ id, revision }) => ({ id, revision }));
  return answer(
    api.POST("/api/v1/rule-versions/prices", { body: { versions, days, capacity_per_day: capacity } }),
  );
}

export function shadowRule(version: RuleVersion, confirmed: boolean): Promise<RuleVersion> {
  const body = { revision: version.revision, confirmed };
  return answer(api.POST("/api/v1/rule-versions/{version_id}/shadow", { params: at(version), body }));
}

export function proposeRule(version: RuleVersion, reason: string) {
  return answer(
    api.POST("/api/v1/rule-versions/{version_id}/publication", { params: at(version), body: { reason } }),
  );
}

export function stopRule(version: RuleVersion, reason: string): Promise<RuleVersion> {
  return answer(
    api.POST("/api/v1/rule-versions/{version_id}/stop", { params: at(version), body: { reason } }),
  );
}

export function restoreRule(version: RuleVersion, reason: string): Promise<RuleVersion> {
  return answer(
    api.POST("/api/v1/rule-versions/{version_id}/restoration", { params: at(version), body: { reason } }),
  );
}

export function retireRule(version: RuleVersion, reason: string): Promise<RuleVersion> {
  return answer(
    api.POST("/api/v1/rule-versions/{version_id}/retirement", { params: at(version), body: { reason } }),
  );
}

export function cancelPrice(version: RuleVersion): Promise<RuleVersion> {
  return answer(api.POST("/api/v1/rule-versions/{version_id}/price/cancellation", { params: at(version) }));
}
