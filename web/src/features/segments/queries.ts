import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";

export type Segment = Schema<"SegmentDocument">;
export type SegmentDetail = Schema<"SegmentDetail">;
export type Size = Schema<"SegmentSize">;
export type Assessment = Schema<"SegmentAssessment">;

/** What somebody writes of a segment. */
export interface Written {
  name: string;
  description: string;
  condition: string;
}

export function segmentsQuery(archived: boolean) {
  return queryOptions({
    queryKey: ["segments", "list", archived],
    queryFn: async ({ signal }) =>
      (await answer(api.GET("/api/v1/segments", { params: { query: { archived } }, signal }))).items,
    // What was saved just now is counted within a second or two.
    refetchInterval: (query) => (query.state.data?.some(uncounted) ? 1_500 : 60_000),
  });
}

export function segmentQuery(id: string) {
  return queryOptions({
    queryKey: ["segments", "one", id],
    queryFn: ({ signal }): Promise<SegmentDetail> =>
      answer(api.GET("/api/v1/segments/{segment_id}", { params: { path: { segment_id: id } }, signal })),
    refetchInterval: (query) => (query.state.data && uncounted(query.state.data.segment) ? 1_500 : 60_000),
  });
}

/** Whether the condition that stands there now has not been counted yet. */
export function uncounted(one: Segment): boolean {
  return !one.archived && !one.problem && one.size?.version !== one.version;
}

export const vocabularyQuery = queryOptions({
  queryKey: ["segment-vocabulary"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/segments/vocabulary", { signal })),
  staleTime: 60_000,
});

export function assessmentQuery(condition: string) {
  return queryOptions({
    queryKey: ["segment-validation", condition],
    queryFn: ({ signal }): Promise<Assessment> =>
      answer(api.POST("/api/v1/segments/validation", { body: { condition }, signal })),
    enabled: condition.trim() !== "",
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
}

export function membersQuery(segment: Segment) {
  return infiniteQueryOptions({
    queryKey: ["segments", "members", segment.id, segment.version],
    queryFn: ({ signal, pageParam }) =>
      answer(
        api.GET("/api/v1/segments/{segment_id}/members", {
          params: { path: { segment_id: segment.id }, query: { limit: 25, after: pageParam } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    staleTime: 60_000,
  });
}

/** How many a condition holds for now, before it is kept. */
export function preview(condition: string): Promise<Size> {
  return answer(api.POST("/api/v1/segments/preview", { body: { condition } }));
}

export function makeSegment(written: Written): Promise<SegmentDetail> {
  return answer(api.POST("/api/v1/segments", { body: { ...written, archived: false, version: 0 } }));
}

export function changeSegment(one: Segment, written: Written, archived = false): Promise<SegmentDetail> {
  return answer(
    api.PUT("/api/v1/segments/{segment_id}", {
      params: { path: { segment_id: one.id } },
      body: { ...written, archived, version: one.version },
    }),
  );
}
