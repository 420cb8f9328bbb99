import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";

export type Act = Schema<"QuarantineAct">;
export type Cause = Schema<"QuarantineCause">;
export type Detail = Schema<"QuarantinedDetail">;
export type Preview = Schema<"QuarantinePreview">;
export type Selection = Schema<"QuarantineSelection">;
export type Assignment = Schema<"FieldAssignment">;

const PAGE_SIZE = 50;
const RUNNING_MS = 1_000;

/** Which records are chosen: a cause, a text, a source or a receipt; held in the address. `act` is the one that is open. */
export interface Choice {
  contract?: string;
  field?: string;
  rule?: string;
  text?: string;
  receipt?: string;
  source?: string;
  state?: "discarded";
  record?: string;
  act?: string;
}

const KEYS = ["contract", "field", "rule", "text", "receipt", "source", "record", "act"] as const;

export function parseChoice(search: Record<string, unknown>): Choice {
  const choice: Choice = {};
  for (const key of KEYS) {
    const value = search[key];
    if (typeof value === "string") choice[key] = value;
  }
  if (search.state === "discarded") choice.state = "discarded";
  return choice;
}

/** The chosen records as the server takes them. */
export function selectionOf({ contract, field, rule, text, receipt, source, state }: Choice): Selection {
  return { contract, field, rule, text: text || undefined, receipt, source: source || undefined, state };
}

export const causesQuery = (choice: Choice) =>
  queryOptions({
    queryKey: ["quarantine", "causes", choice.text ?? "", choice.receipt ?? "", choice.source ?? ""],
    queryFn: ({ signal }): Promise<Schema<"QuarantineCauses">> =>
      answer(
        api.GET("/api/v1/quarantine/causes", {
          params: {
            query: {
              text: choice.text || undefined,
              receipt: choice.receipt,
              source: choice.source || undefined,
            },
          },
          signal,
        }),
      ),
    staleTime: 5_000,
  });

export const recordsQuery = (choice: Choice) =>
  infiniteQueryOptions({
    queryKey: ["quarantine", "records", selectionOf(choice)],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET("/api/v1/quarantine", {
          params: {
            query: {
              ...selectionOf(choice),
              ids: undefined,
              limit: PAGE_SIZE,
              before: pageParam ?? undefined,
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page: Schema<"QuarantinePage">) => page.next,
    staleTime: 5_000,
  });

export const detailQuery = (id: string) =>
  queryOptions({
    queryKey: ["quarantine", "record", id],
    queryFn: ({ signal }): Promise<Detail> =>
      answer(api.GET("/api/v1/quarantine/{record_id}", { params: { path: { record_id: id } }, signal })),
  });

/** What was done lately; asked again every second while something is under way. */
export const actsQuery = queryOptions({
  queryKey: ["quarantine", "acts"],
  queryFn: ({ signal }): Promise<Schema<"QuarantineActPage">> =>
    answer(api.GET("/api/v1/quarantine/acts", { params: { query: { limit: 5 } }, signal })),
  refetchInterval: (query) =>
    query.state.data?.items.some((act) => act.state === "running") ? RUNNING_MS : false,
});

/** One act, asked again every second until it has ended. */
export const actQuery = (id: string) =>
  queryOptions({
    queryKey: ["quarantine", "act", id],
    queryFn: ({ signal }): Promise<Act> =>
      answer(api.GET("/api/v1/quarantine/acts/{act_id}", { params: { path: { act_id: id } }, signal })),
    refetchInterval: (query) => (query.state.data?.state === "running" ? RUNNING_MS : false),
  });

export function tryChange(selection: Selection, assignments: Assignment[]): Promise<Preview> {
  return answer(api.POST("/api/v1/quarantine/preview", { body: { selection, assignments } }));
}

export function changeAll(selection: Selection, assignments: Assignment[]): Promise<Act> {
  return answer(api.POST("/api/v1/quarantine/edits", { body: { selection, assignments, reason: "" } }));
}

export function releaseAll(selection: Selection): Promise<Act> {
  return answer(
    api.POST("/api/v1/quarantine/releases", { body: { selection, assignments: [], reason: "" } }),
  );
}

export function discardAll(selection: Selection, reason: string): Promise<Act> {
  return answer(api.POST("/api/v1/quarantine/discards", { body: { selection, assignments: [], reason } }));
}

export function undoAll(selection: Selection): Promise<Act> {
  return answer(api.POST("/api/v1/quarantine/undos", { body: { selection, assignments: [], reason: "" } }));
}

export function stopAct(id: string): Promise<Act> {
  return answer(api.POST("/api/v1/quarantine/acts/{act_id}/cancel", { params: { path: { act_id: id } } }));
}

/** New values of one record by name, null to take one away; or the whole record as JSON. */
export type Edit = Schema<"QuarantineEditBody">;

/** What would still be wrong with a record once an edit, written as JSON, was kept. */
export const checkQuery = ({ id, changed_at }: Detail, edit: string) =>
  queryOptions({
    queryKey: ["quarantine", "check", id, changed_at, edit],
    queryFn: ({ signal }): Promise<Schema<"RecordCheck">> =>
      answer(
        api.POST("/api/v1/quarantine/{record_id}/check", {
          params: { path: { record_id: id } },
          body: JSON.parse(edit) as Edit,
          signal,
        }),
      ),
  });

export function saveRecord(id: string, edit: Edit): Promise<Detail> {
  return answer(
    api.PUT("/api/v1/quarantine/{record_id}", { params: { path: { record_id: id } }, body: edit }),
  );
}

export function revealRecord(id: string, reason: string): Promise<Schema<"RevealedRecord">> {
  return answer(
    api.POST("/api/v1/quarantine/{record_id}/reveal", {
      params: { path: { record_id: id } },
      body: { reason },
    }),
  );
}
