import { Button } from "antd";
import { actionWord } from "../../../shared/acts";
import { SideDrawer } from "../../../shared/ui/SideDrawer";
import { When } from "../../../shared/ui/values";
import { Changes } from "./Changes";
import { type AuditFilter, outcomeWord } from "./filter";
import type { AuditEntry } from "./queries";

interface DrawerProps {
  entry: AuditEntry | undefined;
  onClose(): void;
  onFilter(filter: AuditFilter): void;
}

/** One entry whole: who, what, from where, and what changed. */
export function AuditDrawer({ entry, onClose, onFilter }: DrawerProps) {
  return (
    <SideDrawer open={entry !== undefined} onClose={onClose} size={560} title="Audit entry">
      {entry ? <Content entry={entry} onFilter={onFilter} /> : null}
    </SideDrawer>
  );
}

function Content({ entry, onFilter }: { entry: AuditEntry; onFilter(filter: AuditFilter): void }) {
  const facts: [string, string][] = [
    ["Role", entry.actor_role.replaceAll("_", " ")],
    ["Outcome", outcomeWord(entry.outcome)],
    ["Subject", entry.subject],
    ["From", entry.origin],
    ["Actor", entry.actor_id],
    ["Session", entry.session],
    ["Request", entry.request],
    ["Browser or client", entry.user_agent],
  ];
  return (
    <div className="audit-entry">
      <p className="audit-what">
        <strong>{entry.actor_name}</strong> · {actionWord(entry.action)}
        <span className="muted">
          {" "}
          <When at={entry.at} />
        </span>
      </p>
      <div className="audit-jumps">
        <Button size="small" onClick={() => onFilter({ actor: entry.actor_id })}>
          All of this actor
        </Button>
        {entry.subject ? (
          <Button size="small" onClick={() => onFilter({ subject: entry.subject })}>
            All on this subject
          </Button>
        ) : null}
        {entry.origin ? (
          <Button size="small" onClick={() => onFilter({ origin: entry.origin })}>
            All from this address
          </Button>
        ) : null}
      </div>
      <dl className="facts">
        {facts
          .filter(([, value]) => value !== "")
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
      <h3>What changed</h3>
      <Changes detail={entry.detail} />
      <h3>Place in the chain</h3>
      {entry.sequence === null ? (
        <p className="muted">Not sealed yet; it will be within a second or two.</p>
      ) : (
        <p>
          Sequence <span className="num">{entry.sequence.toLocaleString("en")}</span>, hash{" "}
          <code className="audit-hash">{entry.hash}</code>
        </p>
      )}
      <p className="muted">
        Id <code>{entry.id}</code>
      </p>
    </div>
  );
}
