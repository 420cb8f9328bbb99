import type { Column } from "../../../shared/ui/grid";
import { Tag } from "../../../shared/ui/tags";
import { When } from "../../../shared/ui/values";
import type { AccessAlert } from "./queries";

const TONES: Record<AccessAlert["severity"], string> = { high: "block", medium: "review", low: "plain" };
const STATES: Record<AccessAlert["state"], { word: string; tone: string }> = {
  open: { word: "Open", tone: "plain" },
  acknowledged: { word: "Taken on", tone: "review" },
  closed: { word: "Closed", tone: "quiet" },
};

export function Severity({ alert }: { alert: AccessAlert }) {
  const word = alert.severity[0]?.toUpperCase() + alert.severity.slice(1);
  return <Tag word={word} tone={TONES[alert.severity]} />;
}

export function StateOf({ alert }: { alert: AccessAlert }) {
  return <Tag {...STATES[alert.state]} />;
}

/** Whom or what an alert is about: the name where it is known, else the id or address. */
export function aboutOf(alert: AccessAlert): string {
  return alert.subject_name || alert.subject;
}

export const columns: readonly Column<AccessAlert>[] = [
  { key: "last", title: "Last seen", width: "110px", render: (alert) => <When at={alert.last_at} /> },
  { key: "severity", title: "Severity", width: "100px", render: (alert) => <Severity alert={alert} /> },
  {
    key: "title",
    title: "What",
    width: "minmax(190px, 1.2fr)",
    render: (alert) => (
      <strong className="cut" title={alert.title}>
        {alert.title}
      </strong>
    ),
  },
  {
    key: "about",
    title: "Who",
    width: "minmax(130px, 0.8fr)",
    render: (alert) => <span className="cut">{aboutOf(alert)}</span>,
  },
  {
    key: "reason",
    title: "Reason",
    width: "minmax(200px, 2fr)",
    from: 900,
    render: (alert) => (
      <span className="cut" title={alert.reasons.at(-1)}>
        {alert.reasons.at(-1)}
      </span>
    ),
  },
  {
    key: "hits",
    title: "Seen",
    width: "70px",
    align: "right",
    from: 700,
    render: (alert) => <span className="num">{alert.hits.toLocaleString("en")}×</span>,
  },
  { key: "state", title: "State", width: "100px", render: (alert) => <StateOf alert={alert} /> },
];

export function AccessCard({ alert }: { alert: AccessAlert }) {
  return (
    <>
      <div className="card-line">
        <Severity alert={alert} />
        <strong className="cut">{alert.title}</strong>
        <span className="push muted">
          <When at={alert.last_at} />
        </span>
      </div>
      <p className="card-why">
        {aboutOf(alert)}: {alert.reasons.at(-1)}
      </p>
    </>
  );
}
