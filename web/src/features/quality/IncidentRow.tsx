import { contractWord } from "../../shared/contracts";
import { When } from "../../shared/ui/values";
import type { Incident } from "./queries";
import { IncidentTag } from "./words";

/** An incident in a list: how grave, what, and since when. */
export function IncidentRow({ incident, onOpen }: { incident: Incident; onOpen(): void }) {
  return (
    <li className="quality-incident">
      <button type="button" onClick={onOpen}>
        <span className="quality-incident-head">
          <IncidentTag incident={incident} />
          <strong>{contractWord(incident.contract)}</strong>
          <span className="push muted">
            <When at={incident.since} />
            {incident.closed_at ? (
              <>
                {" "}
                to <When at={incident.closed_at} />
              </>
            ) : null}
          </span>
        </span>
        <span>{incident.sentence}</span>
        {incident.note ? <span className="muted">{`${incident.changed_by}: ${incident.note}`}</span> : null}
      </button>
    </li>
  );
}
