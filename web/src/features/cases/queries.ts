import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";
import type { Case, Filter } from "./filter";

export type CaseDocument = Schema<"CaseDocument">;
export type Links = Schema<"CaseLinks">;
export type Analyst = Schema<"AnalystView">;
export type Action = Schema<"CaseActionView">;
export const CASES = "cases";
const PAGE_SIZE = 50;
const LOOK_MS = 10_000;
const SOON_MS = 1000;

export function casesQuery(filter: Filter) {
  return infiniteQueryOptions({
    queryKey: [CASES, "list", filter],
    queryFn: ({ pageParam, signal }) => {
      const query = { ...filter, limit: PAGE_SIZE, before: pageParam ?? undefined };
      return answer(api.GET("/api/v1/cases", { params: { query }, signal }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page: Schema<"CasePage">) => page.next,
    refetchInterval: LOOK_MS,
  });
}

export const queueQuery = queryOptions({
  queryKey: [CASES, "summary"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/cases/summary", { signal })),
  refetchInterval: LOOK_MS,
});

export const analystsQuery = queryOptions({
  queryKey: [CASES, "analysts"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/cases/analysts", { signal })),
  // It names everybody who works cases: not anew for each case that is looked at.
  staleTime: 60_000,
});

export type Policy = Schema<"CasePolicyDocument">;

export const policyQuery = queryOptions({
  queryKey: [CASES, "policy"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/cases/policy", { signal })),
});

export const setPolicy = (version: number, content: Policy["content"]) =>
  answer(api.PUT("/api/v1/cases/policy", { body: { version, content } }));

const path = (id: string) => ({ path: { case_id: id } });

export function caseQuery(id: string) {
  return queryOptions({
    queryKey: [CASES, "one", id],
    queryFn: ({ signal }): Promise<CaseDocument> =>
      answer(api.GET("/api/v1/cases/{case_id}", { params: path(id), signal })),
    refetchInterval: ({ state }) => (state.data?.actions.some(underWay) ? SOON_MS : LOOK_MS),
  });
}

/** Asked for a moment ago: blocks and holds are carried out within seconds, and somebody waits to see it. */
function underWay(action: Action): boolean {
  return action.state === "asked" && Date.now() - Date.parse(action.asked_at) < 60_000;
}

export function timelineQuery(id: string) {
  return queryOptions({
    queryKey: [CASES, "timeline", id],
    queryFn: ({ signal }) =>
      answer(api.GET("/api/v1/cases/{case_id}/timeline", { params: path(id), signal })),
    staleTime: 60_000,
  });
}

export function linksQuery(id: string) {
  return queryOptions({
    queryKey: [CASES, "links", id],
    queryFn: ({ signal }) => answer(api.GET("/api/v1/cases/{case_id}/links", { params: path(id), signal })),
    staleTime: 60_000,
  });
}

export const takeNext = () => answer(api.POST("/api/v1/cases/next"));

export const giveOut = (limit: number) => answer(api.POST("/api/v1/cases/distribution", { body: { limit } }));

export const setAnalyst = (of: Analyst) =>
  answer(
    api.PUT("/api/v1/cases/analysts/{user_id}", {
      params: { path: { user_id: of.id } },
      body: { skills: of.skills, available: of.available },
    }),
  );

export const take = (of: Pick<Case, "id" | "version">) =>
  answer(api.POST("/api/v1/cases/{case_id}/taking", { params: path(of.id), body: { version: of.version } }));

export const assign = (of: Case, to: string | null) =>
  answer(
    api.POST("/api/v1/cases/{case_id}/assignment", {
      params: path(of.id),
      body: { version: of.version, assignee_id: to, team_id: of.team_id },
    }),
  );

export const close = (of: Pick<Case, "id">, body: Schema<"ClosingBody">, key?: string) =>
  answer(
    api.POST("/api/v1/cases/{case_id}/closing", {
      params: path(of.id),
      body,
      headers: key ? { "Idempotency-Key": key } : undefined,
    }),
  );

export const reopen = (of: Case, reason: string) =>
  answer(
    api.POST("/api/v1/cases/{case_id}/reopening", {
      params: path(of.id),
      body: { version: of.version, reason },
    }),
  );

export const setState = (of: Case, state: Schema<"CaseStateBody">["state"], reason: string) =>
  answer(
    api.POST("/api/v1/cases/{case_id}/state", {
      params: path(of.id),
      body: { version: of.version, state, reason },
    }),
  );

export const addNote = (id: string, text: string) =>
  answer(api.POST("/api/v1/cases/{case_id}/notes", { params: path(id), body: { text } }));

export const tick = (id: string, step: string, done: boolean) =>
  answer(
    api.PUT("/api/v1/cases/{case_id}/checklist/{step}", {
      params: { path: { case_id: id, step } },
      body: { done },
    }),
  );

export const relabel = (id: string, body: Schema<"LabelBody">) =>
  answer(api.POST("/api/v1/cases/{case_id}/labels", { params: path(id), body }));

export const act = (id: string, body: Schema<"ActionBody">) =>
  answer(api.POST("/api/v1/cases/{case_id}/actions", { params: path(id), body }));

export const undo = (id: string, action: Action, reason: string) =>
  answer(
    api.POST("/api/v1/cases/{case_id}/actions/{case_action_id}/undoing", {
      params: { path: { case_id: id, case_action_id: action.id } },
      body: { version: action.version, reason },
    }),
  );

export const attach = (id: string, body: Schema<"AttachmentBody">) =>
  answer(api.POST("/api/v1/cases/{case_id}/attachments", { params: path(id), body }));

export const detach = (id: string, attachment: string) =>
  answer(
    api.DELETE("/api/v1/cases/{case_id}/attachments/{attachment_id}", {
      params: { path: { case_id: id, attachment_id: attachment } },
    }),
  );

export const fetchFile = (id: string, attachment: string): Promise<Blob> =>
  answer(
    api.GET("/api/v1/cases/{case_id}/attachments/{attachment_id}", {
      params: { path: { case_id: id, attachment_id: attachment } },
      parseAs: "blob",
    }),
  ) as Promise<Blob>;

export type Report = Schema<"CaseReport">;

export function reportQuery(id: string) {
  return queryOptions({
    queryKey: [CASES, "report", id],
    queryFn: ({ signal }) => answer(api.GET("/api/v1/cases/{case_id}/report", { params: path(id), signal })),
  });
}

export const saveReport = (
  id: string,
  version: number,
  draft: Pick<Report, "reason" | "action" | "indicators">,
) => answer(api.PUT("/api/v1/cases/{case_id}/report", { params: path(id), body: { version, draft } }));

/** The file, or null when it waits for a second person. */
export async function exportReport(
  id: string,
  format: "json" | "html",
  reason: string,
): Promise<Blob | null> {
  const call = api.POST("/api/v1/cases/{case_id}/report/export", {
    params: path(id),
    body: { format, reason },
    parseAs: "blob",
  });
  const file = (await answer(call)) as Blob;
  return (await call).response.status === 202 ? null : file;
}
