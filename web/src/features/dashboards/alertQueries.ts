import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";

export type MetricAlert = Schema<"MetricAlertDocument">;
export type MetricAlertBody = Schema<"MetricAlertBody">;
export type Silence = Schema<"SilenceDocument">;

export const alertsQuery = queryOptions({
  queryKey: ["metric-alerts", "list"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/metric-alerts", { signal })),
  refetchInterval: 15_000,
});

export const historyQuery = (id: string) =>
  queryOptions({
    queryKey: ["metric-alerts", "history", id],
    queryFn: async ({ signal }) =>
      (
        await answer(
          api.GET("/api/v1/metric-alerts/{metric_alert_id}/history", {
            params: { path: { metric_alert_id: id } },
            signal,
          }),
        )
      ).items,
  });

export const saveAlert = (body: MetricAlertBody, id?: string): Promise<MetricAlert> =>
  id === undefined
    ? answer(api.POST("/api/v1/metric-alerts", { body }))
    : answer(
        api.PUT("/api/v1/metric-alerts/{metric_alert_id}", {
          params: { path: { metric_alert_id: id } },
          body,
        }),
      );

export const removeAlert = (id: string) =>
  answer(
    api.DELETE("/api/v1/metric-alerts/{metric_alert_id}", { params: { path: { metric_alert_id: id } } }),
  );

export const silence = (body: Schema<"SilenceBody">) =>
  answer(api.POST("/api/v1/metric-alerts/silences", { body }));

export const endSilence = (id: string) =>
  answer(api.DELETE("/api/v1/metric-alerts/silences/{silence_id}", { params: { path: { silence_id: id } } }));

/** What an alert is kept as, from what is shown of it. */
export function bodyOf(alert: MetricAlert, changes: Partial<MetricAlertBody> = {}): MetricAlertBody {
  return {
    name: alert.name,
    watched: alert.watched,
    condition: alert.condition,
    settles: alert.settles,
    sensitivity: alert.sensitivity,
    severity: alert.severity,
    pending_minutes: alert.pending_minutes,
    cooldown_minutes: alert.cooldown_minutes,
    group: alert.group,
    mail: alert.mail,
    hook: alert.hook,
    active: alert.active,
    version: alert.version,
    ...changes,
  };
}
