import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";
import { type BoardFilters, filterTexts } from "./view";

export type Dashboard = Schema<"DashboardDocument">;
export type DashboardBody = Schema<"DashboardBody">;
export type Tile = Schema<"Tile">;
/** The server leaves nothing out. */
export type TileData = Required<Schema<"TileData">>;
export type Threshold = Schema<"Threshold">;
export type Note = Schema<"AnnotationDocument">;
export type Digest = Schema<"DigestDocument">;
export type DigestBody = Schema<"DigestBody">;
export type Metric = Schema<"MetricDocument">;
export type Saved = Schema<"Saved">;
/** What every tile shows, by its id. */
export type Shown = Record<string, TileData>;

export const PAGE_ROWS = 500;

export const dashboardsQuery = queryOptions({
  queryKey: ["dashboards", "list"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/dashboards", { signal })),
});

export const dashboardQuery = (id: string) =>
  queryOptions({
    queryKey: ["dashboards", "one", id],
    queryFn: ({ signal }): Promise<Dashboard> =>
      answer(
        api.GET("/api/v1/dashboards/{dashboard_id}", { params: { path: { dashboard_id: id } }, signal }),
      ),
  });

export const metricsQuery = queryOptions({
  queryKey: ["dashboards", "metrics"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/dashboards/metrics", { signal })),
  staleTime: 60_000,
});

export const savedQuery = queryOptions({
  queryKey: ["sql", "saved"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/sql/saved", { signal })),
});

export function fetchShown(id: string, filters: BoardFilters, signal: AbortSignal): Promise<Shown> {
  const call = api.GET("/api/v1/dashboards/{dashboard_id}/data", {
    params: { path: { dashboard_id: id }, query: { span: filters.span, filter: filterTexts(filters) } },
    signal,
  });
  return answer(call) as Promise<Shown>;
}

export const notesQuery = (id: string) =>
  queryOptions({
    queryKey: ["dashboards", "notes", id],
    queryFn: async ({ signal }) =>
      (
        await answer(
          api.GET("/api/v1/dashboards/{dashboard_id}/annotations", {
            params: { path: { dashboard_id: id } },
            signal,
          }),
        )
      ).items,
    refetchInterval: 60_000,
  });

export const digestQuery = (id: string) =>
  queryOptions({
    queryKey: ["dashboards", "digest", id],
    queryFn: ({ signal }): Promise<Digest> =>
      answer(
        api.GET("/api/v1/dashboards/{dashboard_id}/digest", {
          params: { path: { dashboard_id: id } },
          signal,
        }),
      ),
  });

export const rowsQuery = (id: string, tile: string, offset: number) =>
  queryOptions({
    queryKey: ["dashboards", "rows", id, tile, offset],
    queryFn: ({ signal }) =>
      answer(
        api.GET("/api/v1/dashboards/{dashboard_id}/tiles/{tile}/rows", {
          params: { path: { dashboard_id: id, tile }, query: { offset, limit: PAGE_ROWS } },
          signal,
        }),
      ),
  });

export const saveDashboard = (body: DashboardBody, id?: string): Promise<Dashboard> =>
  id === undefined
    ? answer(api.POST("/api/v1/dashboards", { body }))
    : answer(api.PUT("/api/v1/dashboards/{dashboard_id}", { params: { path: { dashboard_id: id } }, body }));

export const removeDashboard = (id: string) =>
  answer(api.DELETE("/api/v1/dashboards/{dashboard_id}", { params: { path: { dashboard_id: id } } }));

export const annotate = (id: string, at: string, text: string) =>
  answer(
    api.POST("/api/v1/dashboards/{dashboard_id}/annotations", {
      params: { path: { dashboard_id: id } },
      body: { at, text },
    }),
  );

export const removeNote = (id: string, note: string) =>
  answer(
    api.DELETE("/api/v1/dashboards/{dashboard_id}/annotations/{annotation_id}", {
      params: { path: { dashboard_id: id, annotation_id: note } },
    }),
  );

export const setDigest = (id: string, body: DigestBody): Promise<Digest> =>
  answer(
    api.PUT("/api/v1/dashboards/{dashboard_id}/digest", { params: { path: { dashboard_id: id } }, body }),
  );

export const endDigest = (id: string) =>
  answer(api.DELETE("/api/v1/dashboards/{dashboard_id}/digest", { params: { path: { dashboard_id: id } } }));

export const refreshTile = (id: string, tile: string) =>
  answer(
    api.POST("/api/v1/dashboards/{dashboard_id}/tiles/{tile}/refresh", {
      params: { path: { dashboard_id: id, tile } },
    }),
  );

/** The file, or null when so much waits for somebody else. */
export async function exportTile(
  id: string,
  tile: string,
  filters: BoardFilters,
  reason: string,
): Promise<Blob | null> {
  const call = api.POST("/api/v1/dashboards/{dashboard_id}/tiles/{tile}/export", {
    params: { path: { dashboard_id: id, tile } },
    body: { span: filters.span, filters: filterTexts(filters), reason },
    parseAs: "blob",
  });
  const file = (await answer(call)) as Blob;
  return file.type.startsWith("application/json") ? null : file;
}

/** What a dashboard is kept as, from what is shown of it. */
export function bodyOf(dashboard: Dashboard, changes: Partial<DashboardBody> = {}): DashboardBody {
  const { name, description, sharing, team, tiles, version } = dashboard;
  return { name, description, sharing, team, tiles, version, ...changes };
}
