import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../../api/client";

export type FirmList = Schema<"ListSummary">;
export type Entry = Schema<"EntryView">;
export type NewList = Schema<"NewListBody">;
export type NewEntry = Schema<"EntryBody">;

export const listsQuery = queryOptions({
  queryKey: ["lists"],
  queryFn: ({ signal }): Promise<FirmList[]> => answer(api.GET("/api/v1/lists", { signal })),
});

export function entriesQuery(name: string) {
  return infiniteQueryOptions({
    queryKey: ["lists", name, "entries"],
    queryFn: ({ signal, pageParam }) =>
      answer(
        api.GET("/api/v1/lists/{name}/entries", {
          params: { path: { name }, query: pageParam ? { before: pageParam } : {} },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
}

const at = (name: string) => ({ path: { name } });

/** What is on a list as CSV, or as JSON what waits for a second person. */
export async function exportEntries(name: string, reason: string): Promise<Blob> {
  const call = api.POST("/api/v1/lists/{name}/export", {
    params: at(name),
    body: { reason },
    parseAs: "blob",
  });
  return (await answer(call)) as Blob;
}

export function makeList(body: NewList): Promise<FirmList> {
  return answer(api.POST("/api/v1/lists", { body }));
}

export function deleteList(name: string): Promise<unknown> {
  return answer(api.DELETE("/api/v1/lists/{name}", { params: at(name) }));
}

export function putEntry(list: FirmList, entry: NewEntry): Promise<unknown> {
  const body = { entries: [entry] };
  const params = at(list.name);
  // What allows takes two people.
  if (list.effect === "allow") return answer(api.POST("/api/v1/lists/{name}/allowance", { params, body }));
  return answer(api.POST("/api/v1/lists/{name}/entries", { params, body }));
}

export function putFile(name: string, csv: string, reason: string, replace: boolean): Promise<FirmList> {
  const body = { csv, reason, replace, source: "file" };
  return answer(api.POST("/api/v1/lists/{name}/file", { params: at(name), body }));
}

export function takeOff(name: string, entry: string): Promise<unknown> {
  return answer(
    api.DELETE("/api/v1/lists/{name}/entries/{entry_id}", { params: { path: { name, entry_id: entry } } }),
  );
}

/** What lets payments through takes two people: entries taken off a list that blocks, or all of it with none named. */
export function proposeRemoval(name: string, entries: string[], reason: string): Promise<unknown> {
  const body = { entries, whole: entries.length === 0, reason };
  return answer(api.POST("/api/v1/lists/{name}/removal", { params: at(name), body }));
}

/** Whether a list blocks by itself, so that nobody takes anything off it alone. */
export const blocks = (list: FirmList): boolean => list.effect === "block" || list.effect === "final_block";

export function lookUp(name: string, value: string): Promise<Entry[]> {
  return answer(api.POST("/api/v1/lists/{name}/lookup", { params: at(name), body: { value } }));
}
