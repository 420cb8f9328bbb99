import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Drawer } from "antd";
import { useState } from "react";
import { measure } from "../../shared/numbers";
import { Page } from "../../shared/ui/Page";
import { EmptyState, FailureState, RowsSkeleton, reasonOf } from "../../shared/ui/states";
import { When } from "../../shared/ui/values";
import { AlertDialog } from "./AlertDialog";
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

const WORDS: Record<MetricAlert["state"], [text: string, tone: string]> = {
  ok: ["Quiet", "tag-approve"],
  pending: ["Holds, not for long enough yet", "tag-review"],
  firing: ["Fires", "tag-block"],
  error: ["Could not look", "tag-review"],
};

/** What this person watches of metrics, where each alert stands, and when nobody is told. */
export function AlertsPage() {
  const client = useQueryClient();
  const { message, modal } = App.useApp();
  const query = useQuery(alertsQuery);
  const [edited, setEdited] = useState<MetricAlert | "new" | null>(null);
  const [silenced, setSilenced] = useState<MetricAlert | "all" | null>(null);
  const [past, setPast] = useState<MetricAlert | null>(null);
  const act = (work: Promise<unknown>) =>
    work
      .then(() => client.invalidateQueries({ queryKey: alertsQuery.queryKey }))
      .catch((error: unknown) => void message.error(reasonOf(error), 8));
  const make = (
    <Button type="primary" onClick={() => setEdited("new")}>
      New alert
    </Button>
  );
  let body = <RowsSkeleton rows={4} height={60} label="Loading alerts" />;
  if (query.error && !query.data) {
    body = <FailureState what="The alerts" error={query.error} onRetry={() => void query.refetch()} />;
  } else if (query.data?.items.length === 0) {
    body = (
      <EmptyState title="No alerts on metrics" action={make}>
        Be told when a number crosses a line, changes much, or is not as it usually is at this hour.
      </EmptyState>
    );
  } else if (query.data) {
    body = (
      <>
        <Silences
          silences={query.data.silences}
          alerts={query.data.items}
          onEnd={(id) => void act(endSilence(id))}
        />
        <section className="part" aria-label="Alerts on metrics">
          <ul className="dash-list">
            {query.data.items.map((one) => (
              <li key={one.id}>
                <b>{one.name}</b>{" "}
                <span className={`tag ${one.active ? WORDS[one.state][1] : "tag-quiet"}`}>
                  {one.active ? WORDS[one.state][0] : "Paused"}
                </span>
                <p>{one.problem || one.reason || "It is looked at within a minute."}</p>
                <p className="muted">
                  <code>{one.condition}</code>
                  {one.settles ? (
                    <>
                      , over when <code>{one.settles}</code>
                    </>
                  ) : null}
                  {one.value === null ? null : <> · value {measure(one.value)}</>}
                  {one.since ? (
                    <>
                      {" "}
                      · since <When at={one.since} />
                    </>
                  ) : null}
                  {one.group ? ` · group ${one.group}` : ""} · {waysOf(one)}
                </p>
                <div className="dash-acts">
                  <Button size="small" onClick={() => setEdited(one)}>
                    Change
                  </Button>
                  <Button size="small" onClick={() => setPast(one)}>
                    History
                  </Button>
                  <Button size="small" onClick={() => setSilenced(one)}>
                    Silence
                  </Button>
                  <Button
                    size="small"
                    onClick={() => void act(saveAlert(bodyOf(one, { active: !one.active }), one.id))}
                  >
                    {one.active ? "Pause" : "Resume"}
                  </Button>
                  <Button
                    size="small"
                    type="text"
                    danger
                    onClick={() =>
                      modal.confirm({
                        title: `Delete ${one.name}?`,
                        content: "Its history goes with it.",
                        okText: "Delete",
                        okButtonProps: { danger: true },
                        onOk: () => act(removeAlert(one.id)),
                      })
                    }
                  >
                    Delete
                  </Button>
                </div>
              </li>
            ))}
          </ul>
        </section>
      </>
    );
  }
  return (
    <Page
      title="Alerts on metrics"
      aside={
        query.data?.items.length ? (
          <>
            <Button onClick={() => setSilenced("all")}>Silence all</Button>
            {make}
          </>
        ) : null
      }
    >
      {body}
      {edited ? (
        <AlertDialog alert={edited === "new" ? undefined : edited} onClose={() => setEdited(null)} />
      ) : null}
      {silenced ? (
        <SilenceDialog alert={silenced === "all" ? undefined : silenced} onClose={() => setSilenced(null)} />
      ) : null}
      {past ? <History alert={past} onClose={() => setPast(null)} /> : null}
    </Page>
  );
}

function waysOf(alert: MetricAlert): string {
  return ["bell", alert.mail ? "e-mail" : "", alert.hook ? "webhook" : ""].filter(Boolean).join(", ");
}

interface SilencesProps {
  silences: readonly Silence[];
  alerts: readonly MetricAlert[];
  onEnd(id: string): void;
}

function Silences({ silences, alerts, onEnd }: SilencesProps) {
  if (silences.length === 0) return null;
  const about = (one: Silence) =>
    one.alert
      ? (alerts.find((alert) => alert.id === one.alert)?.name ?? "an alert")
      : one.group
        ? `the group ${one.group}`
        : "all alerts";
  return (
    <section className="part dash-notes" aria-label="Silences">
      <header className="dash-tile-head">
        <h2>Silences</h2>
      </header>
      <ul>
        {silences.map((one) => (
          <li key={one.id}>
            Nobody is told of {about(one)} until <When at={one.until} />: {one.reason}{" "}
            <Button type="link" size="small" onClick={() => onEnd(one.id)}>
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
  return (
    <Drawer open size="min(560px, 100vw)" title={`History of ${alert.name}`} onClose={onClose}>
      {query.error && !query.data ? (
        <FailureState what="The history" error={query.error} onRetry={() => void query.refetch()} />
      ) : query.data?.length === 0 ? (
        <p className="muted">Nothing has happened yet: it has been quiet since it was made.</p>
      ) : (
        <ul className="dash-list">
          {query.data?.map((one) => (
            <li key={`${one.at} ${one.state}`}>
              <When at={one.at} /> <span className={`tag ${WORDS[one.state][1]}`}>{WORDS[one.state][0]}</span>
              {one.told ? <span className="muted"> told</span> : null}
              <p>{one.reason}</p>
            </li>
          ))}
        </ul>
      )}
    </Drawer>
  );
}
