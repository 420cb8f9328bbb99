import { actionWord } from "../../../shared/acts";
import type { Column } from "../../../shared/ui/grid";
import { Tag } from "../../../shared/ui/tags";
import { When } from "../../../shared/ui/values";
import { outcomeTone, outcomeWord } from "./filter";
import type { AuditEntry } from "./queries";

export const columns: readonly Column<AuditEntry>[] = [
  { key: "at", title: "When", width: "110px", render: (entry) => <When at={entry.at} /> },
  {
    key: "actor",
    title: "Who",
    width: "minmax(130px, 0.9fr)",
    render: (entry) => <span className="cut">{entry.actor_name}</span>,
  },
  {
    key: "role",
    title: "Role",
    width: "130px",
    from: 1000,
    render: (entry) => <span className="cut muted">{entry.actor_role.replaceAll("_", " ")}</span>,
  },
  {
    key: "action",
    title: "What",
    width: "minmax(140px, 1fr)",
    render: (entry) => <span className="cut">{actionWord(entry.action)}</span>,
  },
  {
    key: "subject",
    title: "On what",
    width: "minmax(130px, 1.4fr)",
    from: 720,
    render: (entry) => <code className="cut">{entry.subject}</code>,
  },
  {
    key: "outcome",
    title: "Outcome",
    width: "180px",
    render: (entry) => <Outcome entry={entry} />,
  },
  {
    key: "origin",
    title: "From",
    width: "130px",
    from: 900,
    render: (entry) => <span className="cut num">{entry.origin || "–"}</span>,
  },
  {
    key: "sequence",
    title: "Sequence",
    width: "90px",
    align: "right",
    from: 1100,
    render: (entry) => <span className="num muted">{entry.sequence ?? "sealing"}</span>,
  },
];

function Outcome({ entry }: { entry: AuditEntry }) {
  const count = Number(entry.detail.count);
  const times = count > 1 ? ` ×${count.toLocaleString("en")}` : "";
  return <Tag word={`${outcomeWord(entry.outcome)}${times}`} tone={outcomeTone(entry.outcome)} />;
}

export function AuditCard({ entry }: { entry: AuditEntry }) {
  return (
    <>
      <div className="card-line">
        <strong className="cut">{entry.actor_name}</strong>
        <span className="push muted">
          <When at={entry.at} />
        </span>
      </div>
      <div className="card-line">
        <span className="cut">{actionWord(entry.action)}</span>
        <span className="push">
          <Outcome entry={entry} />
        </span>
      </div>
    </>
  );
}
