import { Link } from "@tanstack/react-router";
import { count } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import type { Incident } from "./queries";

const NOUNS: Record<string, string> = {
  event: "Records that failed, by event id",
  quarantined: "Refused records",
  receipt: "Receipts",
};

/** The keys of the newest failing records, each with the way to its row where there is one. */
export function FailingKeys({ incident }: { incident: Incident }) {
  const { may } = useSession();
  const { kind, ids, records } = incident.failing;
  if (!kind) return null;
  const stopped = incident.parts[0]?.kind === "freshness";
  return (
    <section aria-label="Failing records">
      <h3>
        {stopped ? "The last receipt" : (NOUNS[kind] ?? "Records")}
        {records > 0 ? <span className="muted num">{` ${count(records)} in the last hour`}</span> : null}
      </h3>
      {kind === "quarantined" && may(permission.readQuarantine) ? (
        <p>
          <Link to={paths.quarantine} search={{ contract: incident.contract }}>
            Look at them by cause, mend and release them
          </Link>
        </p>
      ) : null}
      {ids === null ? (
        <p className="muted">Whoever may see receipts sees which ones.</p>
      ) : ids.length === 0 ? (
        <p className="muted">None is known.</p>
      ) : (
        <>
          <ul className="quality-keys num">
            {ids.map((id) => (
              <li key={id}>
                <Key kind={kind} id={id} contract={incident.contract} />
              </li>
            ))}
          </ul>
          {kind === "event" && may(permission.runSql) ? (
            <p className="muted">
              In <Link to={paths.sql}>SQL</Link>:{" "}
              <code>{`where event_id in ('${(ids[0] ?? "").replaceAll("'", "''")}', …)`}</code>
            </p>
          ) : null}
        </>
      )}
    </section>
  );
}

function Key({ kind, id, contract }: { kind: string; id: string; contract: string }) {
  const { may } = useSession();
  if (kind === "quarantined" && may(permission.readQuarantine))
    return (
      <Link to={paths.quarantine} search={{ contract, record: id }}>
        {id}
      </Link>
    );
  if (kind === "receipt" && may(permission.readReceipts) && may(permission.readPipeline))
    return (
      <Link to={paths.pipeline} search={{ tab: "receipts", contract, receipt: id }} hash="records">
        {id}
      </Link>
    );
  return <code>{id}</code>;
}
