import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../../api/client";

export type AccessAlert = Schema<"SecurityAlert">;
export type AccessAlertDetail = Schema<"SecurityAlertDetail">;
export type AccessState = AccessAlert["state"];
export type Containment = Schema<"ContainmentBody">["act"];

export interface AccessFilter {
  state: AccessState | "all";
  rule?: string;
  subject?: string;
}

const PAGE_SIZE = 50;
const STATES: readonly AccessFilter["state"][] = ["open", "acknowledged", "closed", "all"];

export const RULES: Record<string, string> = {
  impossible_travel: "Impossible travel",
  two_places_at_once: "Two networks and devices within minutes",
  password_spray: "Password spray",
  brute_force: "Brute force on an account",
  break_in: "Sign-in after many failures",
  new_device: "New device and network",
  mass_read: "Mass read",
  off_hours_export: "Export outside of office hours",
  privilege_change: "Privileges changed without approval",
  denied_burst: "Burst of denied requests",
  probing: "Probing for what is not there",
};

export function parseFilter(search: Record<string, unknown>): AccessFilter {
  const text = (value: unknown) =>
    typeof value === "string" && value !== "" ? value.slice(0, 300) : undefined;
  return {
    state: STATES.find((each) => each === search.state) ?? "open",
    rule: text(search.rule),
    subject: text(search.subject),
  };
}

export function toSearch(filter: AccessFilter, alert?: string): Record<string, string> {
  const search: Record<string, string> = {};
  if (filter.state !== "open") search.state = filter.state;
  if (filter.rule) search.rule = filter.rule;
  if (filter.subject) search.subject = filter.subject;
  if (alert) search.alert = alert;
  return search;
}

export function alertsQuery({ state, rule, subject }: AccessFilter) {
  return infiniteQueryOptions({
    queryKey: ["access-alerts", state, rule ?? "", subject ?? ""],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET("/api/v1/security-alerts", {
          params: {
            query: {
              state: state === "all" ? undefined : state,
              rule,
              subject,
              limit: PAGE_SIZE,
              before: pageParam ?? undefined,
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page: Schema<"SecurityAlertPage">) => page.next,
    refetchInterval: 15_000,
  });
}

export function alertQuery(id: string) {
  return queryOptions({
    queryKey: ["access-alert", id],
    queryFn: ({ signal }): Promise<AccessAlertDetail> =>
      answer(
        api.GET("/api/v1/security-alerts/{access_alert_id}", {
          params: { path: { access_alert_id: id } },
          signal,
        }),
      ),
    staleTime: 30_000,
    refetchOnWindowFocus: false,
  });
}

export function changeState(alert: AccessAlert, state: AccessState, note: string): Promise<AccessAlert> {
  return answer(
    api.POST("/api/v1/security-alerts/{access_alert_id}/state", {
      params: { path: { access_alert_id: alert.id } },
      body: { state, note, version: alert.version },
    }),
  );
}

export function contain(alert: AccessAlert, act: Containment): Promise<AccessAlert> {
  return answer(
    api.POST("/api/v1/security-alerts/{access_alert_id}/containment", {
      params: { path: { access_alert_id: alert.id } },
      body: { act },
    }),
  );
}
