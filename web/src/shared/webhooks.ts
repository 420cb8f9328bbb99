import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../api/client";

export type Hook = Schema<"HookDocument">;

/** The addresses outside that alerts of the firm may go to. */
export const hooksQuery = queryOptions({
  queryKey: ["hooks"],
  queryFn: async ({ signal }) => (await answer(api.GET("/api/v1/hooks", { signal }))).items,
});
