import { useQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { currencyQuery } from "../../shared/ui/Worth";
import { hooksQuery } from "../../shared/webhooks";
import { SPANS } from "./alertFields";
import type { MetricAlert, Silence } from "./alertQueries";
import { metricsQuery } from "./queries";

/** The states of an alert in words and colour. */
export const STATES: Record<MetricAlert["state"], { word: string; tone: string }> = {
  ok: { word: "Quiet", tone: "approve" },
  pending: { word: "Holds, not for long enough yet", tone: "review" },
  firing: { word: "Fires", tone: "block" },
  error: { word: "Could not look", tone: "review" },
};

export type AlertAct = "change" | "history" | "silence" | "pause" | "delete";

interface AlertItemProps {
  alert: MetricAlert;
  silences: readonly Silence[];
  onAct(act: AlertAct): void;
}

/** One alert: how it stands, what it looks out for, how it tells, and what can be done about it. */
export function AlertItem({ alert, silences, onAct }: AlertItemProps) {
  const silence = silences.find((one) => isAbout(one, alert));
  const tag = !alert.active
    ? { word: "Paused", tone: "quiet" }
    : alert.problem
      ? STATES.error
      : alert.looked_at
        ? STATES[alert.state]
        : { word: "New", tone: "quiet" };
  const button = (act: AlertAct, label: string) => (
    <Button size="small" aria-label={`${label}: ${alert.name}`} onClick={() => onAct(act)}>
      {label}
    </Button>
  );
  return (
    <li>
      <div className="dash-alert-head">
        <b>{alert.name}</b>
        <Tag {...tag} />
        {alert.active && alert.problem && alert.state === "firing" ? <Tag {...STATES.firing} /> : null}
        {silence ? (
          <span className="muted">
            silenced until <When at={silence.until} />
          </span>
        ) : null}
        {alert.active && alert.since ? (
          <span className="muted">
            since <When at={alert.since} />
          </span>
        ) : null}
      </div>
      {alert.problem ? <p className="dash-alert-problem">{alert.problem}</p> : null}
      {alert.reason || !alert.problem ? (
        <p>{alert.reason || (alert.active ? "It is looked at within a minute." : "Nobody looks.")}</p>
      ) : null}
      <p className="muted">
        <About alert={alert} />
      </p>
      <div className="dash-acts">
        {button("change", "Change")}
        {button("history", "History")}
        {button("silence", "Silence")}
        {button("pause", alert.active ? "Pause" : "Resume")}
        <Button
          size="small"
          type="text"
          danger
          aria-label={`Delete: ${alert.name}`}
          onClick={() => onAct("delete")}
        >
          Delete
        </Button>
      </div>
    </li>
  );
}

function About({ alert }: { alert: MetricAlert }) {
  const metrics = useQuery(metricsQuery).data;
  const hooks = useQuery(hooksQuery).data;
  const { metric, span, region, channel } = alert.watched;
  const { data: firm } = useQuery(currencyQuery);
  const known = metrics?.items.find((one) => one.name === metric);
  const title = known?.title ?? metric;
  const place = [region, channel].filter(Boolean).join(", ");
  const hook = hooks?.find((one) => one.id === alert.hook);
  const ways = ["in the bell"];
  if (alert.mail) ways.push("by e-mail");
  if (alert.hook)
    ways.push(hook || !hooks ? `to ${hook?.name ?? "a webhook"}` : "to a webhook that was taken away");
  const long = SPANS.find((one) => one.value === span)?.label ?? span;
  return (
    <>
      {title}
      {place ? ` (${place})` : ""}{" "}
      {/\b(low|high)\b/.test(alert.condition) ? "by the hour" : `of the last ${long}`}:{" "}
      <code>{alert.condition}</code>
      {known?.money && firm && /\b(value|low|high)\b/.test(alert.condition) ? ` in ${firm.currency}` : ""}
      {alert.settles ? (
        <>
          , over when <code>{alert.settles}</code>
        </>
      ) : null}
      {alert.pending_minutes ? `, for ${alert.pending_minutes} min` : ""}
      {alert.cooldown_minutes ? `, again after ${alert.cooldown_minutes} min` : ""}. Told {ways.join(", ")}
      {alert.group ? `, together with the group ${alert.group}` : ""}.
    </>
  );
}

/** Whether a silence is about an alert: it, its group, or all. */
export function isAbout(silence: Silence, alert: MetricAlert): boolean {
  if (silence.alert) return silence.alert === alert.id;
  return silence.group === "" || silence.group === alert.group;
}
