import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../../api/client";

export type ModelSummary = Schema<"ModelSummary">;
export type ModelDetail = Schema<"ModelDetail">;
export type ModelCard = Schema<"ModelCard">;
export type ModelComparison = Schema<"ModelComparison">;
export type Watch = Schema<"Watch">;
export type Measure = Schema<"Measure">;
export type TrainingBody = Schema<"TrainingBody">;

export const modelsQuery = queryOptions({
  queryKey: ["models"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/models", { signal })),
  // A learning tells about once a second how far it has come.
  refetchInterval: ({ state }) => (isLearning(state.data?.learning) ? 1_500 : 15_000),
});

export type Learning = NonNullable<Schema<"ModelList">["learning"]>;

export function isLearning(found: Learning | null | undefined): boolean {
  return found != null && ["waiting", "queued", "running"].includes(found.state);
}

export function stopLearning() {
  return answer(api.POST("/api/v1/models/training/cancellation"));
}

export function modelQuery(id: string) {
  return queryOptions({
    queryKey: ["models", id],
    queryFn: ({ signal }): Promise<ModelDetail> =>
      answer(api.GET("/api/v1/models/{model_id}", { params: { path: { model_id: id } }, signal })),
    refetchInterval: 15_000,
  });
}

const at = (id: string) => ({ path: { model_id: id } });

export function trainModel(body: TrainingBody) {
  return answer(api.POST("/api/v1/models/training", { body }));
}

export function watchModels() {
  return answer(api.POST("/api/v1/models/watch"));
}

export function shadowModel(id: string) {
  return answer(api.POST("/api/v1/models/{model_id}/shadow", { params: at(id) }));
}

export function proposeModel(id: string, reason: string) {
  return answer(api.POST("/api/v1/models/{model_id}/promotion", { params: at(id), body: { reason } }));
}

export function withdrawModel(id: string, reason: string) {
  return answer(api.POST("/api/v1/models/{model_id}/withdrawal", { params: at(id), body: { reason } }));
}

export function retireModel(id: string, reason: string) {
  return answer(api.POST("/api/v1/models/{model_id}/retirement", { params: at(id), body: { reason } }));
}
