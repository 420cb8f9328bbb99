import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";

export type Run = Schema<"SqlRun">;
export type Rows = Schema<"SqlRows">;
export type ResultColumn = Schema<"ResultColumn">;
export type Table = Schema<"CatalogueTable">;
export type Saved = Schema<"Saved">;
export type Version = Schema<"SavedVersion">;
export type SavedBody = Schema<"SavedBody">;
export type Schedule = Schema<"ScheduleDocument">;
export type ScheduleBody = Schema<"ScheduleBody">;
export type Parameter = Schema<"ParameterDefinition">;
export type Chart = Schema<"Chart">;
export type Value = string | number | boolean | null;
export type Values = Record<string, Value>;

export const PAGE_ROWS = 1000;
const POLL_MS = 400;

export const catalogueQuery = queryOptions({
  queryKey: ["sql", "catalogue"],
  queryFn: async ({ signal }) => (await answer(api.GET("/api/v1/sql/catalogue", { signal }))).items,
  staleTime: 60_000,
});

export const savedQuery = queryOptions({
  queryKey: ["sql", "saved"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/sql/saved", { signal })),
});

export const versionsQuery = (id: string) =>
  queryOptions({
    queryKey: ["sql", "saved", id, "versions"],
    queryFn: async ({ signal }) =>
      (
        await answer(
          api.GET("/api/v1/sql/saved/{saved_id}/versions", { params: { path: { saved_id: id } }, signal }),
        )
      ).items,
  });

export const savedOneQuery = (id: string) =>
  queryOptions({
    queryKey: ["sql", "saved", id],
    queryFn: ({ signal }): Promise<Saved> =>
      answer(api.GET("/api/v1/sql/saved/{saved_id}", { params: { path: { saved_id: id } }, signal })),
  });

export const schedulesQuery = queryOptions({
  queryKey: ["sql", "schedules"],
  queryFn: async ({ signal }) => (await answer(api.GET("/api/v1/sql/schedules", { signal }))).items,
  refetchInterval: 15_000,
});

export const historyQuery = queryOptions({
  queryKey: ["sql", "history"],
  queryFn: async ({ signal }) =>
    (await answer(api.GET("/api/v1/sql/queries", { params: { query: { limit: 100 } }, signal }))).items,
});

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ["sql", "run", id],
    queryFn: ({ signal }): Promise<Run> => get(id, signal),
  });

export const rowsQuery = (id: string, offset: number) =>
  queryOptions({
    queryKey: ["sql", "rows", id, offset],
    queryFn: ({ signal }): Promise<Rows> =>
      answer(
        api.GET("/api/v1/sql/queries/{sql_run_id}/rows", {
          params: { path: { sql_run_id: id }, query: { offset, limit: PAGE_ROWS } },
          signal,
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });

const get = (id: string, signal?: AbortSignal): Promise<Run> =>
  answer(api.GET("/api/v1/sql/queries/{sql_run_id}", { params: { path: { sql_run_id: id } }, signal }));

/** Asks, and follows the run to its end; `onRun` hears of every state on the way. */
export async function ask(body: Partial<Schema<"QueryBody">>, onRun: (run: Run) => void): Promise<Run> {
  let run = await answer(
    api.POST("/api/v1/sql/queries", { body: { wait_s: 1, ...body } as Schema<"QueryBody"> }),
  );
  onRun(run);
  while (run.state === "queued" || run.state === "running") {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    run = await get(run.id);
    onRun(run);
  }
  return run;
}

export const cancelRun = (id: string): Promise<Run> =>
  answer(api.DELETE("/api/v1/sql/queries/{sql_run_id}", { params: { path: { sql_run_id: id } } }));

export const layOut = async (statement: string): Promise<string> =>
  (await answer(api.POST("/api/v1/sql/layout", { body: { statement } }))).statement;

export const explain = async (statement: string): Promise<string[]> =>
  (await answer(api.POST("/api/v1/sql/explanation", { body: { statement } }))).sentences;

export type ExportFormat = "arrow" | "csv" | "parquet";

/** The file, or as JSON what waits for somebody else. */
export async function exportResult(id: string, format: ExportFormat, reason: string): Promise<Blob> {
  const call = api.POST("/api/v1/sql/queries/{sql_run_id}/export", {
    params: { path: { sql_run_id: id } },
    body: { format, reason },
    parseAs: "blob",
  });
  return (await answer(call)) as Blob;
}

export const save = (body: SavedBody, id?: string): Promise<Saved> =>
  id === undefined
    ? answer(api.POST("/api/v1/sql/saved", { body }))
    : answer(api.PUT("/api/v1/sql/saved/{saved_id}", { params: { path: { saved_id: id } }, body }));

/** An older version becomes the newest again, with the name, folder and sharing of today. */
export const restore = (saved: Saved, { statement, parameters, chart }: Version): Promise<Saved> =>
  save(
    {
      name: saved.name,
      description: saved.description,
      folder: saved.folder,
      tags: saved.tags,
      sharing: saved.sharing,
      team: saved.team,
      version: saved.version,
      statement,
      parameters,
      chart,
    },
    saved.id,
  );

export const removeSaved = (id: string) =>
  answer(api.DELETE("/api/v1/sql/saved/{saved_id}", { params: { path: { saved_id: id } } }));

export const setFavourite = (id: string, favourite: boolean): Promise<Saved> =>
  answer(
    api.PUT("/api/v1/sql/saved/{saved_id}/favourite", {
      params: { path: { saved_id: id } },
      body: { favourite },
    }),
  );

export const saveSchedule = (body: ScheduleBody, id?: string): Promise<Schedule> =>
  id === undefined
    ? answer(api.POST("/api/v1/sql/schedules", { body }))
    : answer(api.PUT("/api/v1/sql/schedules/{schedule_id}", { params: { path: { schedule_id: id } }, body }));

export const removeSchedule = (id: string) =>
  answer(api.DELETE("/api/v1/sql/schedules/{schedule_id}", { params: { path: { schedule_id: id } } }));

export const runSchedule = (id: string): Promise<Schedule> =>
  answer(api.POST("/api/v1/sql/schedules/{schedule_id}/runs", { params: { path: { schedule_id: id } } }));
