import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button } from "antd";
import { useState } from "react";
import { METRICS } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Page } from "../../shared/ui/Page";
import { SideDrawer } from "../../shared/ui/SideDrawer";
import { EmptyState, FailureState, NotYet, RowsSkeleton, reasonOf } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { AlertDialog } from "./AlertDialog";
import { type AlertAct, AlertItem, STATES } from "./AlertItem";
import {
  alertsQuery,
  bodyOf,
  endSilence,
  historyQuery,
  type MetricAlert,
  removeAlert,
  type Silence,
  saveAlert,
} from "./alertQueries";
import { SilenceDialog } from "./SilenceDialog";
import "./dashboards.css";
import { useFailure } from "../../shared/useFailure";

/** What needs a look stands first. */
const RANKS: readonly MetricAlert["state"][] = ["firing", "error", "pending", "ok"];

interface Open {
  what: "new" | "silence-all" | "change" | "history" | "silence";
  alert?: MetricAlert;
}

/** What this person watches of metrics, where each alert stands, and when nobody is told. */
export function AlertsPage() {
  const client = useQueryClient();
  const { message, modal } = App.useApp();
  const { may } = useSession();
  const query = useQuery(alertsQuery);
  const failure = useFailure(query, alertsQuery.queryKey);
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const run = (work: Promise<unknown>) =>
    work
      .catch((error: unknown) => void message.error(reasonOf(error), 8))
      .then(() => client.invalidateQueries({ queryKey: alertsQuery.queryKey }));
  const act = (what: AlertAct, alert: MetricAlert) => {
    if (what === "pause") void run(saveAlert(bodyOf(alert, { active: !alert.active }), alert.id));
    else if (what === "delete")
      modal.confirm({
        title: `Delete ${alert.name}?`,
        content: "Its history goes with it.",
        okText: "Delete",
        okButtonProps: { danger: true },
        onOk: () => run(removeAlert(alert.id)),
      });
    else setOpen({ what, alert });
  };
  const watches = METRICS.some(may);
  const make = watches ? (
    <Button type="primary" onClick={() => setOpen({ what: "new" })}>
      New alert
    </Button>
  ) : null;
  let body = <RowsSkeleton rows={4} height={60} label="Loading alerts" />;
  if (failure) {
    body = <FailureState what="The alerts" error={failure} onRetry={() => void query.refetch()} />;
  } else if (query.data?.items.length === 0) {
    body = (
      <EmptyState title="No alerts on metrics" action={make}>
        {watches
          ? "Be told when a number crosses a line, changes much, or is not as it usually is at this hour."
          : "Your role sees no metric, so there is none that you could be told of. A saved query can warn you: give it a schedule on the page SQL."}
      </EmptyState>
    );
  } else if (query.data) {
    const { silences } = query.data;
    const rank = (one: MetricAlert) =>
      one.active ? RANKS.indexOf(one.problem && one.state !== "firing" ? "error" : one.state) : RANKS.length;
    const sorted = [...query.data.items].sort((a, b) => rank(a) - rank(b));
    body = (
      <ul className="dash-list">
        {sorted.map((one) => (
          <AlertItem key={one.id} alert={one} silences={silences} onAct={(what) => act(what, one)} />
        ))}
      </ul>
    );
  }
  return (
    <Page
      title="Alerts on metrics"
      aside={
        query.data?.items.length ? (
          <>
            <Button onClick={() => setOpen({ what: "silence-all" })}>Silence all</Button>
            {make}
          </>
        ) : null
      }
    >
      <Silences
        silences={query.data?.silences ?? []}
        alerts={query.data?.items ?? []}
        onEnd={(id) => void run(endSilence(id))}
      />
      <section className="part" aria-label="Alerts on metrics">
        {body}
      </section>
      {open?.what === "new" || open?.what === "change" ? (
        <AlertDialog alert={open.alert} onClose={close} />
      ) : null}
      {open?.what === "silence" || open?.what === "silence-all" ? (
        <SilenceDialog alert={open.alert} onClose={close} />
      ) : null}
      {open?.what === "history" && open.alert ? <History alert={open.alert} onClose={close} /> : null}
    </Page>
  );
}

interface SilencesProps {
  silences: readonly Silence[];
  alerts: readonly MetricAlert[];
  onEnd(id: string): void;
}

function Silences({ silences, alerts, onEnd }: SilencesProps) {
  if (silences.length === 0) return null;
  const about = (one: Silence) => {
    if (one.alert) return alerts.find((alert) => alert.id === one.alert)?.name ?? "an alert";
    return one.group ? `the group ${one.group}` : "all alerts";
  };
  return (
    <section className="part dash-notes" aria-label="Silences">
      <header className="dash-tile-head">
        <h2>Silences</h2>
      </header>
      <ul>
        {silences.map((one) => (
          <li key={one.id}>
            You are told nothing of {about(one)} until <When at={one.until} />: {one.reason}{" "}
            <Button
              type="link"
              size="small"
              aria-label={`End the silence of ${about(one)}`}
              onClick={() => onEnd(one.id)}
            >
              End it
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function History({ alert, onClose }: { alert: MetricAlert; onClose(): void }) {
  const query = useQuery(historyQuery(alert.id));
  let body = <NotYet query={query} what="The history" rows={4} height={48} />;
  if (query.data?.length === 0) {
    body = <p className="muted">Nothing has happened yet: it has been quiet since it was made.</p>;
  } else if (query.data) {
    body = (
      <ul className="dash-list">
        {query.data.map((one) => (
          <li key={`${one.at} ${one.state}`}>
            <div className="dash-alert-head">
              <When at={one.at} />
              <Tag {...STATES[one.state]} />
              {one.told ? <span className="muted">you were told</span> : null}
            </div>
            <p>{one.reason}</p>
          </li>
        ))}
      </ul>
    );
  }
  return (
    <SideDrawer open size="min(560px, 100vw)" title={`History of ${alert.name}`} onClose={onClose}>
      {body}
    </SideDrawer>
  );
}
