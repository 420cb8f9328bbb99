import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { contractWord } from "../../shared/contracts";
import { count } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { SideDrawer } from "../../shared/ui/SideDrawer";
import { EmptyState, NotYet } from "../../shared/ui/states";
import { TableBox } from "../../shared/ui/TableBox";
import { IncidentRow } from "./IncidentRow";
import { type ContractDetail, contractQuery, type Monitor, type View } from "./queries";
import { ScoreChart } from "./ScoreChart";
import { KINDS, MonitorTag, monitorName, scoreTone, shareText, usualText, valueText } from "./words";

interface DrawerProps {
  contract: string | undefined;
  go(view: View): void;
}

/** One contract: its scores day by day, what is open, and everything that is watched of it. */
export function ContractDrawer({ contract, go }: DrawerProps) {
  return (
    <SideDrawer
      open={contract !== undefined}
      onClose={() => go({})}
      size={760}
      title={contract ? contractWord(contract) : "Contract"}
    >
      {contract ? <Loaded contract={contract} go={go} /> : null}
    </SideDrawer>
  );
}

function Loaded({ contract, go }: { contract: string; go(view: View): void }) {
  const query = useQuery(contractQuery(contract));
  if (!query.data) return <NotYet query={query} what="The contract" height={240} />;
  return <Whole detail={query.data} go={go} />;
}

const WORDS: Record<number, string> = { 1: "Last hour", 24: "Last 24 hours", 720: "Last 30 days" };

function Whole({ detail, go }: { detail: ContractDetail; go(view: View): void }) {
  const { may } = useSession();
  return (
    <div className="quality-whole">
      <dl className="facts quality-scores">
        {detail.scores.map((each) => (
          <div key={each.hours}>
            <dt>{WORDS[each.hours] ?? `${each.hours} h`}</dt>
            <dd className={`num quality-score ${scoreTone(each.score)}`}>
              <span>{shareText(each.score)}</span>
              <span className="muted">{`${count(each.received - each.passed)} of ${count(each.received)} refused`}</span>
            </dd>
          </div>
        ))}
      </dl>
      <ScoreChart contract={detail.contract} points={detail.history} />
      <p className="quality-links">
        {may(permission.readContracts) ? (
          <Link to={paths.contract} params={{ contract: detail.contract }}>
            The contract
          </Link>
        ) : null}
        {may(permission.readQuarantine) ? (
          <Link to={paths.quarantine} search={{ contract: detail.contract }}>
            Refused records
          </Link>
        ) : null}
        {may(permission.readPipeline) ? (
          <Link to={paths.pipeline} search={{ tab: "receipts", contract: detail.contract }} hash="records">
            Receipts
          </Link>
        ) : null}
      </p>
      {detail.incidents.length > 0 ? (
        <>
          <h3>Not as usual now</h3>
          <ul>
            {detail.incidents.map((each) => (
              <IncidentRow key={each.id} incident={each} onOpen={() => go({ incident: each.id })} />
            ))}
          </ul>
        </>
      ) : null}
      <h3>Monitors</h3>
      {detail.monitors.length === 0 ? (
        <EmptyState title="Nothing is watched yet">
          Monitors appear with the first records of this contract.
        </EmptyState>
      ) : (
        <MonitorTable
          monitors={detail.monitors}
          onOpen={(monitor) => go({ contract: detail.contract, monitor })}
        />
      )}
    </div>
  );
}

function MonitorTable({ monitors, onOpen }: { monitors: readonly Monitor[]; onOpen(id: string): void }) {
  const order = ["unusual", "muted", "off", "learning", "usual", "silent"];
  const sorted = [...monitors].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
  return (
    <TableBox>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Monitor</th>
            <th scope="col">State</th>
            <th scope="col" className="right">
              Now
            </th>
            <th scope="col" className="right wide-only">
              Usual
            </th>
          </tr>
        </thead>
        <tbody>
          {sorted.map((each) => (
            <tr key={each.id}>
              <th scope="row" title={KINDS[each.kind].about}>
                <button type="button" className="quality-name" onClick={() => onOpen(each.id)}>
                  {monitorName(each)}
                </button>
              </th>
              <td>
                <MonitorTag state={each.state} />
              </td>
              <td className="right num">{valueText(each.kind, each.value)}</td>
              <td className="right num wide-only">{usualText(each)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}
