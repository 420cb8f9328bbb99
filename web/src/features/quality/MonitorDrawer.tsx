import { useQuery } from "@tanstack/react-query";
import { Segmented } from "antd";
import { contractWord } from "../../shared/contracts";
import { count } from "../../shared/numbers";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Plotted } from "../../shared/ui/Plotted";
import { SideDrawer } from "../../shared/ui/SideDrawer";
import { EmptyState, NotYet } from "../../shared/ui/states";
import { IncidentRow } from "./IncidentRow";
import { MonitorSettings } from "./MonitorSettings";
import { historyOption } from "./plot";
import { type MonitorDetail, monitorQuery, SPANS, type View } from "./queries";
import { KINDS, MonitorTag, monitorName, usualText, valueText } from "./words";

interface DrawerProps {
  id: string | undefined;
  view: View;
  go(view: View): void;
}

/** One monitor: what it saw in the band that was usual, and how it is set. */
export function MonitorDrawer({ id, view, go }: DrawerProps) {
  const close = () => go({ ...view, monitor: undefined, hours: undefined });
  return (
    <SideDrawer open={id !== undefined} onClose={close} size={760} title="Monitor">
      {id ? <Loaded id={id} view={view} go={go} /> : null}
    </SideDrawer>
  );
}

function Loaded({ id, view, go }: DrawerProps & { id: string }) {
  const hours = view.hours ?? SPANS[0]?.hours ?? 3;
  const query = useQuery(monitorQuery(id, hours));
  if (!query.data) return <NotYet query={query} what="The monitor" height={320} />;
  return <Whole one={query.data} hours={hours} view={view} go={go} />;
}

function Whole({ one, hours, view, go }: { one: MonitorDetail; hours: number } & Omit<DrawerProps, "id">) {
  const { may } = useSession();
  const drawn = one.history.some((point) => point.value !== null);
  return (
    <div className="quality-whole">
      <p className="quality-head">
        <strong>
          {contractWord(one.contract)} · {monitorName(one)}
        </strong>{" "}
        <MonitorTag state={one.state} />
      </p>
      <p className="muted">
        {KINDS[one.kind].about} {learningText(one)}
      </p>
      <dl className="facts">
        <div>
          <dt>Last seen</dt>
          <dd className="num">{valueText(one.kind, one.value)}</dd>
        </div>
        <div>
          <dt>Usual now</dt>
          <dd className="num">{usualText(one)}</dd>
        </div>
      </dl>
      <Segmented
        aria-label="Time shown"
        value={hours}
        options={SPANS.map((span) => ({ value: span.hours, label: span.word }))}
        onChange={(next) => go({ ...view, hours: Number(next) })}
      />
      {drawn ? (
        <Plotted
          label={`${monitorName(one)} of ${contractWord(one.contract)} over ${hours} hours; the shaded band was usual`}
          option={(theme) => historyOption(one, theme)}
        />
      ) : (
        <EmptyState title="Nothing was observed in this time">
          {hours > 24
            ? "More than a day is drawn from whole hours: they appear at each full hour."
            : "Too few records came for this monitor to see anything."}
        </EmptyState>
      )}
      {one.incidents.map((each) => (
        <ul key={each.id}>
          <IncidentRow incident={each} onOpen={() => go({ incident: each.id })} />
        </ul>
      ))}
      {may(permission.manageQuality) ? <MonitorSettings key={one.version} one={one} /> : null}
    </div>
  );
}

function learningText(one: MonitorDetail): string {
  if (one.state === "learning")
    return `It is learning: ${count(Math.min(one.observations, one.needed))} of ${count(one.needed)} observations of ten seconds are there.`;
  if (one.state === "silent")
    return "Records come too seldom to speak of a volume; the pauses between them are watched instead.";
  const seasons = one.basis ? ` and by the same ${one.basis} before` : "";
  return `What is usual is learned from the last two hours${seasons}.`;
}
