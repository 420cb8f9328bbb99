import { useQuery } from "@tanstack/react-query";
import { contractWord } from "../../shared/contracts";
import { Fact } from "../../shared/ui/Fact";
import { SideDrawer } from "../../shared/ui/SideDrawer";
import { NotYet } from "../../shared/ui/states";
import { When } from "../../shared/ui/values";
import { FailingKeys } from "./FailingKeys";
import { IncidentActs } from "./IncidentActs";
import { type Incident, incidentQuery, type View } from "./queries";
import { IncidentTag, monitorName, usualText, valueText } from "./words";

interface DrawerProps {
  id: string | undefined;
  go(view: View): void;
}

/** One incident: what is not as usual, which records failed, and what can be done. */
export function IncidentDrawer({ id, go }: DrawerProps) {
  return (
    <SideDrawer open={id !== undefined} onClose={() => go({})} size={680} title="Incident">
      {id ? <Loaded id={id} go={go} /> : null}
    </SideDrawer>
  );
}

function Loaded({ id, go }: { id: string; go(view: View): void }) {
  const query = useQuery(incidentQuery(id));
  if (!query.data) return <NotYet query={query} what="The incident" height={240} />;
  return <Whole incident={query.data} go={go} />;
}

function Whole({ incident, go }: { incident: Incident; go(view: View): void }) {
  return (
    <div className="quality-whole">
      <p className="quality-head">
        <button type="button" className="quality-name" onClick={() => go({ contract: incident.contract })}>
          {contractWord(incident.contract)}
        </button>{" "}
        <IncidentTag incident={incident} />
      </p>
      <dl className="facts">
        <Fact name="Since">
          <When at={incident.since} />
        </Fact>
        <Fact name="Told">
          <When at={incident.opened_at} />
        </Fact>
        <Fact name={incident.closed_at ? "Over" : "Last unusual"}>
          <When at={incident.closed_at ?? incident.last_at} />
        </Fact>
        {incident.changed_at ? (
          <Fact name="Changed">
            <When at={incident.changed_at} /> by {incident.changed_by}
          </Fact>
        ) : null}
      </dl>
      {incident.note ? <p className="quality-note">{incident.note}</p> : null}
      <ul className="quality-parts">
        {incident.parts.map((part) => (
          <li key={part.monitor} className={part.settled ? "quality-part-over" : undefined}>
            <button
              type="button"
              className="quality-name"
              onClick={() => go({ incident: incident.id, monitor: part.monitor })}
            >
              {monitorName(part)}
            </button>
            <p>{part.sentence}</p>
            <p className="muted num">
              Worst {valueText(part.kind, part.worst)}, usual {usualText(part)}
              {part.settled ? "; as usual again" : ""}
            </p>
          </li>
        ))}
      </ul>
      <FailingKeys incident={incident} />
      <IncidentActs key={incident.version} incident={incident} />
    </div>
  );
}
