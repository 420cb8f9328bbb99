import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../api/client";

export type MyPermissions = Schema<"MyPermissions">;

/** What the person signed in may do, in which scope, and how each class of data is shown. */
export const grantsQuery = queryOptions({
  queryKey: ["my-permissions"],
  queryFn: ({ signal }): Promise<MyPermissions> => answer(api.GET("/api/v1/me/permissions", { signal })),
  staleTime: 60_000,
});

export const SCOPES: Record<string, string> = {
  own: "only what is assigned to you",
  team: "what is yours, your team's, or taken by nobody yet",
  tenant: "everything of your firm",
  self: "only what is about yourself",
};

export const FORMS: Record<string, string> = {
  clear: "in clear",
  partial: "in part",
  absent: "not at all",
};

/** `risk_analyst` as people say it. */
export function roleText(role: string): string {
  return role.replaceAll("_", " ");
}
