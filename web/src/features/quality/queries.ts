import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";

export type Contract = Schema<"ContractScore">;
export type ContractDetail = Schema<"ContractQuality">;
export type Incident = Schema<"IncidentView">;
export type IncidentPart = Schema<"IncidentPart">;
export type Monitor = Schema<"MonitorView">;
export type MonitorDetail = Schema<"MonitorDetail">;
export type MonitorBody = Schema<"MonitorBody">;
export type MonitorKind = Monitor["kind"];
export type MonitorState = Monitor["state"];
export type Act = "acknowledge" | "resolve" | "expect";

/** Everything that is known of quality begins with this. */
export const QUALITY = "quality";
const LOOK_MS = 10_000;
const PAGE_SIZE = 30;

/** What is open on the page, held in the address. */
export interface View {
  incident?: string;
  contract?: string;
  monitor?: string;
  hours?: number;
}

export const SPANS: readonly { hours: number; word: string }[] = [
  { hours: 3, word: "3 hours" },
  { hours: 24, word: "Day" },
  { hours: 168, word: "Week" },
  { hours: 720, word: "30 days" },
];

/** The view in an address; what is not understood is left out. */
export function parseView(search: Record<string, unknown>): View {
  const text = (name: string) => (typeof search[name] === "string" ? (search[name] as string) : undefined);
  return {
    incident: text("incident"),
    contract: text("contract"),
    monitor: text("monitor"),
    hours: SPANS.find((span) => span.hours === Number(search.hours))?.hours,
  };
}

export const qualityQuery = queryOptions({
  queryKey: [QUALITY, "all"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/quality", { signal })),
  refetchInterval: LOOK_MS,
});

export const contractQuery = (contract: string) =>
  queryOptions({
    queryKey: [QUALITY, "contract", contract],
    queryFn: ({ signal }): Promise<ContractDetail> =>
      answer(api.GET("/api/v1/quality/contracts/{contract}", { params: { path: { contract } }, signal })),
    refetchInterval: LOOK_MS,
  });

export const monitorQuery = (id: string, hours: number) =>
  queryOptions({
    queryKey: [QUALITY, "monitor", id, hours],
    queryFn: ({ signal }): Promise<MonitorDetail> =>
      answer(
        api.GET("/api/v1/quality/monitors/{monitor_id}", {
          params: { path: { monitor_id: id }, query: { hours } },
          signal,
        }),
      ),
    refetchInterval: LOOK_MS,
    placeholderData: (previous) => (previous?.id === id ? previous : undefined),
  });

export const incidentQuery = (id: string) =>
  queryOptions({
    queryKey: [QUALITY, "incident", id],
    queryFn: ({ signal }): Promise<Incident> =>
      answer(
        api.GET("/api/v1/quality/incidents/{incident_id}", {
          params: { path: { incident_id: id } },
          signal,
        }),
      ),
    refetchInterval: LOOK_MS,
  });

export const closedQuery = infiniteQueryOptions({
  queryKey: [QUALITY, "closed"],
  queryFn: ({ pageParam, signal }) => {
    const query = { closed: true, limit: PAGE_SIZE, before: pageParam ?? undefined };
    return answer(api.GET("/api/v1/quality/incidents", { params: { query }, signal }));
  },
  initialPageParam: null as string | null,
  getNextPageParam: (page: Schema<"IncidentPage">) => page.next,
  refetchInterval: LOOK_MS,
});

export function act(incident: Incident, what: Act, note: string): Promise<Incident> {
  const request = {
    params: { path: { incident_id: incident.id } },
    body: { version: incident.version, note },
  };
  if (what === "acknowledge")
    return answer(api.POST("/api/v1/quality/incidents/{incident_id}/acknowledge", request));
  if (what === "resolve") return answer(api.POST("/api/v1/quality/incidents/{incident_id}/resolve", request));
  return answer(api.POST("/api/v1/quality/incidents/{incident_id}/expect", request));
}

export const changeMonitor = (id: string, body: MonitorBody): Promise<MonitorDetail> =>
  answer(api.PUT("/api/v1/quality/monitors/{monitor_id}", { params: { path: { monitor_id: id } }, body }));
