import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";

export type Breach = Schema<"Breach">;
export type CatalogueEntry = Schema<"CatalogueEntry">;
export type Hold = Schema<"Hold">;
export type RetentionRule = Schema<"RetentionRule">;
export type SubjectRequest = Schema<"SubjectRequest">;
export type RequestWithSteps = Schema<"RequestWithSteps">;
export type Step = Schema<"Step">;
export type Law = Schema<"Law">;

export const requestsQuery = queryOptions({
  queryKey: ["privacy", "requests"],
  queryFn: async ({ signal }) => (await answer(api.GET("/api/v1/privacy/requests", { signal }))).items,
});

export function requestQuery(id: string) {
  return queryOptions({
    queryKey: ["privacy", "request", id],
    queryFn: ({ signal }): Promise<RequestWithSteps> =>
      answer(
        api.GET("/api/v1/privacy/requests/{request_id}", { params: { path: { request_id: id } }, signal }),
      ),
    // An approved erasure is carried out by a job within seconds.
    refetchInterval: (query) => (query.state.data?.request.state === "running" ? 2_000 : false),
  });
}

export const holdsQuery = queryOptions({
  queryKey: ["privacy", "holds"],
  queryFn: async ({ signal }) => (await answer(api.GET("/api/v1/privacy/holds", { signal }))).items,
});

export const breachesQuery = queryOptions({
  queryKey: ["privacy", "breaches"],
  queryFn: async ({ signal }) => (await answer(api.GET("/api/v1/privacy/breaches", { signal }))).items,
});

export const catalogueQuery = queryOptions({
  queryKey: ["privacy", "catalogue"],
  queryFn: async ({ signal }) => (await answer(api.GET("/api/v1/privacy/catalogue", { signal }))).items,
  staleTime: Number.POSITIVE_INFINITY,
});

export const retentionQuery = queryOptions({
  queryKey: ["privacy", "retention"],
  queryFn: async ({ signal }) => (await answer(api.GET("/api/v1/privacy/retention", { signal }))).rules,
});

/** The next thing with a request: approving is another person's, so it has an address of its own. */
export function takeStep(request: SubjectRequest, step: Step, note: string): Promise<RequestWithSteps> {
  const params = { path: { request_id: request.id } };
  const { version } = request;
  if (step === "approve" || step === "send_back") {
    return answer(
      api.POST("/api/v1/privacy/requests/{request_id}/approval", { params, body: { step, note, version } }),
    );
  }
  return answer(
    api.POST("/api/v1/privacy/requests/{request_id}/steps", {
      params,
      body: { step: step as Schema<"StepBody">["step"], note, version },
    }),
  );
}

export function openRequest(body: Schema<"RequestBody">): Promise<RequestWithSteps> {
  return answer(api.POST("/api/v1/privacy/requests", { body }));
}

export async function downloadFile(request: SubjectRequest, form: "json" | "html"): Promise<void> {
  const blob = await answer<unknown>(
    api.GET("/api/v1/privacy/requests/{request_id}/file", {
      params: { path: { request_id: request.id }, query: { form } },
      parseAs: "blob",
    }),
  );
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob as Blob);
  link.download = `${request.id}.${form}`;
  link.click();
  URL.revokeObjectURL(link.href);
}

export function placeHold(body: Schema<"HoldBody">): Promise<unknown> {
  return answer(api.POST("/api/v1/privacy/holds", { body }));
}

export function releaseHold(id: string): Promise<unknown> {
  return answer(api.POST("/api/v1/privacy/holds/{hold_id}/release", { params: { path: { hold_id: id } } }));
}

export function openBreach(body: Schema<"BreachBody">): Promise<unknown> {
  return answer(api.POST("/api/v1/privacy/breaches", { body }));
}

export function assessBreach(breach: Breach, state: Schema<"AssessmentBody">["state"]): Promise<unknown> {
  return answer(
    api.POST("/api/v1/privacy/breaches/{breach_id}/assessment", {
      params: { path: { breach_id: breach.id } },
      body: { state, version: breach.version, people_affected: breach.people_affected },
    }),
  );
}

export function noteNotice(breach: Breach, law: Law, body: Schema<"NoticeBody">): Promise<unknown> {
  return answer(
    api.PUT("/api/v1/privacy/breaches/{breach_id}/notices/{law}", {
      params: { path: { breach_id: breach.id, law } },
      body,
    }),
  );
}
