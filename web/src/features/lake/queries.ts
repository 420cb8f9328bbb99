import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";

export type Lake = Schema<"Lake">;
export type LakeExport = Schema<"LakeExport">;

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

export function askForExport(body: Schema<"LakeExportBody">): Promise<LakeExport> {
  return answer(api.POST("/api/v1/lake/exports", { body }));
}

export function endExport(id: string): Promise<LakeExport> {
  return answer(api.DELETE("/api/v1/lake/exports/{export_id}", { params: { path: { export_id: id } } }));
}
