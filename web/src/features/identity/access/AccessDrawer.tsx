import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { actionWord } from "../../../shared/acts";
import { paths } from "../../../shared/paths";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { SideDrawer } from "../../../shared/ui/SideDrawer";
import { NotYet } from "../../../shared/ui/states";
import { When } from "../../../shared/ui/values";
import { outcomeWord } from "../audit/filter";
import { Actions } from "./Actions";
import { aboutOf, Severity, StateOf } from "./columns";
import { type AccessAlertDetail, alertQuery } from "./queries";

/** One alert whole: its reasons, the entries behind it, and what can be done. */
export function AccessDrawer({ id, onClose }: { id: string | undefined; onClose(): void }) {
  return (
    <SideDrawer open={id !== undefined} onClose={onClose} size={620} title="Access alert">
      {id ? <Content id={id} /> : null}
    </SideDrawer>
  );
}

function Content({ id }: { id: string }) {
  const query = useQuery(alertQuery(id));
  if (!query.data) return <NotYet query={query} what="The alert" height={220} />;
  return <Whole detail={query.data} />;
}

function Whole({ detail: { alert, timeline } }: { detail: AccessAlertDetail }) {
  const { may } = useSession();
  return (
    <div className="access-alert">
      <div className="card-line">
        <Severity alert={alert} />
        <StateOf alert={alert} />
        <strong>{alert.title}</strong>
      </div>
      <dl className="facts">
        <div>
          <dt>About</dt>
          <dd>
            {may(permission.readAudit) ? (
              <Link
                to={paths.audit}
                search={
                  /^(usr|key)_/.test(alert.subject) ? { actor: alert.subject } : { origin: alert.subject }
                }
              >
                {aboutOf(alert)}
              </Link>
            ) : (
              aboutOf(alert)
            )}
            {alert.subject_name ? <span className="muted"> {alert.subject}</span> : null}
          </dd>
        </div>
        <div>
          <dt>Seen</dt>
          <dd>
            {alert.hits.toLocaleString("en")}×, first <When at={alert.first_at} />, last{" "}
            <When at={alert.last_at} />
          </dd>
        </div>
      </dl>
      <h3>Why</h3>
      <ul className="access-reasons">
        {[...alert.reasons].reverse().map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
      {alert.changed_at ? (
        <p className="muted">
          {alert.state === "closed" ? "Closed" : alert.state === "acknowledged" ? "Taken on" : "Opened again"}{" "}
          by {alert.changed_by} <When at={alert.changed_at} />
          {alert.note ? `: ${alert.note}` : "."}
        </p>
      ) : null}
      {may(permission.resolveAccessAlerts) ? <Actions alert={alert} /> : null}
      <h3>What happened</h3>
      {timeline.length === 0 ? (
        <p className="muted">No single entry is behind this alert: it was the sum of many reads.</p>
      ) : (
        <ol className="access-timeline">
          {timeline.map((entry) => (
            <li key={entry.id}>
              <When at={entry.at} /> <strong>{entry.actor_name}</strong> · {actionWord(entry.action)}{" "}
              <code>{entry.subject}</code>
              <span className="muted access-agent">
                {outcomeWord(entry.outcome)}
                {entry.origin ? ` from ${entry.origin}` : ""}
                {entry.user_agent ? `, ${entry.user_agent}` : ""}
              </span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
