import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../../api/client";
import type { AuditFilter } from "./filter";

export type AuditEntry = Schema<"AuditEntry">;
export type AuditStatus = Schema<"AuditStatus">;
export type AuditVerification = Schema<"AuditVerification">;

const PAGE_SIZE = 100;

export function auditQuery(filter: AuditFilter) {
  return infiniteQueryOptions({
    queryKey: ["audit", filter],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET("/api/v1/audit", {
          params: { query: { ...filter, limit: PAGE_SIZE, before: pageParam ?? undefined } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page: Schema<"AuditPage">) => page.next,
    // Each look at the trail is an entry of the trail: it is fetched when somebody asks for it.
    staleTime: 60_000,
    refetchOnWindowFocus: false,
  });
}

export const actionsQuery = queryOptions({
  queryKey: ["audit-actions"],
  queryFn: ({ signal }): Promise<Schema<"AuditActions">> =>
    answer(api.GET("/api/v1/audit/actions", { signal })),
  staleTime: 60_000,
});

/** Where the chain stands; asked more often while it is being verified. */
export const statusQuery = queryOptions({
  queryKey: ["audit-status"],
  queryFn: ({ signal }): Promise<AuditStatus> => answer(api.GET("/api/v1/audit/status", { signal })),
  refetchInterval: (query) => {
    const run = query.state.data?.verification;
    return run && !run.finished_at ? 1_000 : 15_000;
  },
});

export function verify(): Promise<AuditVerification> {
  return answer(api.POST("/api/v1/audit/verifications"));
}

/** The entries as a file, or as JSON what waits for a second person. */
export async function exportTrail(
  filter: AuditFilter,
  format: "csv" | "jsonl",
  reason: string,
): Promise<Blob> {
  const body = { ...filter, format, reason };
  return (await answer(api.POST("/api/v1/audit/exports", { body, parseAs: "blob" }))) as Blob;
}
