import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";

export type Lake = Schema<"Lake">;
export type LakeExport = Schema<"LakeExport">;
export type Extract = Schema<"ExtractView">;
export type ExtractPassword = Schema<"ExtractPassword">;

const SNAPSHOTS_PAGE = 20;

export const lakeQuery = queryOptions({
  queryKey: ["lake"],
  queryFn: ({ signal }): Promise<Lake> => answer(api.GET("/api/v1/lake", { signal })),
  refetchInterval: 10_000,
});

export const snapshotsQuery = infiniteQueryOptions({
  queryKey: ["lake", "snapshots"],
  queryFn: ({ pageParam, signal }) =>
    answer(
      api.GET("/api/v1/lake/snapshots", {
        params: { query: { limit: SNAPSHOTS_PAGE, before: pageParam ?? undefined } },
        signal,
      }),
    ),
  initialPageParam: null as number | null,
  getNextPageParam: (page: Schema<"SnapshotPage">) => page.next,
});

export const exportsQuery = queryOptions({
  queryKey: ["lake", "exports"],
  queryFn: async ({ signal }): Promise<LakeExport[]> =>
    (await answer(api.GET("/api/v1/lake/exports", { signal }))).items,
  // A job writes the file and says every second how far it is.
  refetchInterval: (query) => (query.state.data?.some(isUnderWay) ? 1_500 : 30_000),
});

export function isUnderWay(one: LakeExport): boolean {
  return one.state === "waiting" || one.state === "running";
}

/** The export, or the proposal that waits for somebody else when it is a large one. */
export function askForExport(
  body: Schema<"LakeExportBody">,
): Promise<LakeExport | Schema<"LakeExportProposal">> {
  return answer(api.POST("/api/v1/lake/exports", { body }));
}

export function endExport(id: string): Promise<LakeExport> {
  return answer(api.DELETE("/api/v1/lake/exports/{export_id}", { params: { path: { export_id: id } } }));
}

export const extractsQuery = queryOptions({
  queryKey: ["lake", "extracts"],
  queryFn: ({ signal }): Promise<Schema<"ExtractPage">> => answer(api.GET("/api/v1/bi/extracts", { signal })),
  // The first copy takes seconds; later ones are hours apart.
  refetchInterval: (query) =>
    query.state.data?.items.some((one) => !one.refreshed_at && !one.problem) ? 2_000 : 30_000,
});

export function askForExtract(body: Schema<"ExtractBody">): Promise<Schema<"ExtractAsked">> {
  return answer(api.POST("/api/v1/bi/extracts", { body }));
}

const extract = (id: string) => ({ path: { extract_id: id } });

export const refreshExtract = (id: string) =>
  answer(api.POST("/api/v1/bi/extracts/{extract_id}/refresh", { params: extract(id) }));

export const newPassword = (id: string): Promise<ExtractPassword> =>
  answer(api.POST("/api/v1/bi/extracts/{extract_id}/password", { params: extract(id) }));

export const closeExtract = (id: string) =>
  answer(api.DELETE("/api/v1/bi/extracts/{extract_id}", { params: extract(id) }));
