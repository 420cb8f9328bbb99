import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";

export type Hit = Schema<"HitView">;
export type HitState = Hit["state"];
export type HitPage = Schema<"HitPage">;
export type Comparison = Schema<"HitComparison">;
export type ScreeningList = Schema<"ScreeningListView">;
export type ListLoad = Schema<"ListLoadView">;
export type NewList = Schema<"NewScreeningList">;
export type CheckAnswer = Schema<"CheckAnswer">;
export type SubjectBody = Schema<"SubjectBody">;
export type Said = "match" | "no_match" | "unsure";

/** Everything that is known of screening begins with this. */
export const SCREENING = "screening";
const LOOK_MS = 15_000;

/** The queue by what is done about it: what waits for a person, for a second one, and what was decided. */
export const QUEUES: Record<string, { word: string; states: readonly HitState[] }> = {
  open: { word: "To judge", states: ["open", "unsure"] },
  waiting: { word: "Second person", states: ["waiting"] },
  match: { word: "Matches", states: ["match"] },
  cleared: { word: "Cleared", states: ["no_match", "gone"] },
};
export type Queue = keyof typeof QUEUES;

/** What is open on the page, held in the address. */
export interface View {
  part: "hits" | "lists";
  queue: string;
  hit?: string;
  list?: string;
}

export function parseView(search: Record<string, unknown>): View {
  const text = (name: string) => (typeof search[name] === "string" ? (search[name] as string) : undefined);
  return {
    part: search.part === "lists" ? "lists" : "hits",
    queue: typeof search.queue === "string" && search.queue in QUEUES ? search.queue : "open",
    hit: text("hit"),
    list: text("list"),
  };
}

export function toSearch(view: View): Record<string, string> {
  const search: Record<string, string> = {};
  if (view.part !== "hits") search.part = view.part;
  if (view.queue !== "open") search.queue = view.queue;
  if (view.hit) search.hit = view.hit;
  if (view.list) search.list = view.list;
  return search;
}

export const hitsQuery = (queue: string) =>
  infiniteQueryOptions({
    queryKey: [SCREENING, "hits", queue],
    queryFn: ({ pageParam, signal }): Promise<HitPage> => {
      const query = { state: [...(QUEUES[queue]?.states ?? [])], before: pageParam ?? undefined };
      return answer(api.GET("/api/v1/screening/hits", { params: { query }, signal }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page: HitPage) => page.next,
    refetchInterval: LOOK_MS,
  });

export const hitQuery = (id: string) =>
  queryOptions({
    queryKey: [SCREENING, "hit", id],
    queryFn: ({ signal }): Promise<Comparison> =>
      answer(api.GET("/api/v1/screening/hits/{hit_id}", { params: { path: { hit_id: id } }, signal })),
    // Every look is recorded, so nothing is looked at again by itself.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });

export const listsQuery = queryOptions({
  queryKey: [SCREENING, "lists"],
  queryFn: ({ signal }): Promise<ScreeningList[]> => answer(api.GET("/api/v1/screening/lists", { signal })),
  refetchInterval: LOOK_MS,
});

const at = (name: string) => ({ path: { screening_list: name } });

export const loadsQuery = (name: string) =>
  queryOptions({
    queryKey: [SCREENING, "loads", name],
    queryFn: ({ signal }): Promise<ListLoad[]> =>
      answer(api.GET("/api/v1/screening/lists/{screening_list}/loads", { params: at(name), signal })),
  });

export const makeList = (body: NewList): Promise<ScreeningList> =>
  answer(api.POST("/api/v1/screening/lists", { body }));

export const removeList = (name: string): Promise<unknown> =>
  answer(api.DELETE("/api/v1/screening/lists/{screening_list}", { params: at(name) }));

export const loadFile = (name: string, text: string, file: string, confirmed: boolean): Promise<ListLoad> =>
  answer(
    api.POST("/api/v1/screening/lists/{screening_list}/file", {
      params: at(name),
      body: { text, file_name: file, confirmed },
    }),
  );

export const judge = (hit: Hit, state: Said, reason: string): Promise<Schema<"HitJudgementAnswer">> =>
  answer(
    api.POST("/api/v1/screening/hits/{hit_id}/judgement", {
      params: { path: { hit_id: hit.id } },
      body: { state, reason, revision: hit.revision },
    }),
  );

export const check = (body: SubjectBody): Promise<CheckAnswer> =>
  answer(api.POST("/api/v1/screening/checks", { body }));
