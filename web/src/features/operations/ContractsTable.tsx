import { Link } from "@tanstack/react-router";
import { contractWord } from "../../shared/contracts";
import { count, measure } from "../../shared/numbers";
import { paths } from "../../shared/paths";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { BlockSkeleton, EmptyState, FailureState } from "../../shared/ui/states";
import { TableBox } from "../../shared/ui/TableBox";
import { When } from "../../shared/ui/values";
import type { PartProps } from "./part";
import type { Pipeline } from "./queries";
import { type View, viewSearch } from "./view";

/** What became of the records of each contract: received = accepted + duplicate + quarantined. */
export function ContractsTable({ data, error, onRetry }: PartProps) {
  let body = <BlockSkeleton height={180} label="Loading the contracts" />;
  if (error) body = <FailureState what="The contracts" error={error} onRetry={onRetry} />;
  else if (data && data.contracts.length === 0) {
    body = (
      <EmptyState title="Nothing was received in 24 hours">
        Send records to <code>/api/v1/events/transaction</code>, or load a file with <code>finer ingest</code>
        .
      </EmptyState>
    );
  } else if (data) {
    body = (
      <TableBox>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Contract</th>
              {["Received", "Accepted", "Duplicate", "Quarantined", "Accepted/s", "Last event"].map(
                (name) => (
                  <th key={name} scope="col" className="right">
                    {name}
                  </th>
                ),
              )}
              <th scope="col">Shares</th>
            </tr>
          </thead>
          <tbody>
            {data.contracts.map((each) => (
              <Row key={each.contract} counts={each} />
            ))}
          </tbody>
        </table>
      </TableBox>
    );
  }
  return (
    <section className="part" aria-label="Contracts">
      <h2>
        Records by contract <span className="muted">last 24 hours</span>
      </h2>
      {body}
    </section>
  );
}

function Row({ counts }: { counts: Pipeline["contracts"][number] }) {
  const { contract, received, accepted, duplicate, quarantined } = counts;
  const share = (part: number) => `${received > 0 ? (part / received) * 100 : 0}%`;
  const words = `${count(accepted)} accepted, ${count(duplicate)} duplicate, ${count(quarantined)} quarantined`;
  return (
    <tr>
      <th scope="row">{contractWord(contract)}</th>
      <td className="right">
        <To view={{ tab: "receipts", contract }} value={received} />
      </td>
      <td className="right">
        <To view={{ tab: "receipts", contract }} value={accepted} />
      </td>
      <td className="right">
        <To view={{ tab: "receipts", contract }} value={duplicate} />
      </td>
      <td className="right">
        <To view={{ tab: "quarantine", contract }} value={quarantined} />
      </td>
      <td className="right num">{measure(counts.accepted_per_s)}</td>
      <td className="right">{counts.last_event_at ? <When at={counts.last_event_at} /> : "–"}</td>
      <td>
        <span className="shares" role="img" aria-label={words} title={words}>
          <span className="share-accepted" style={{ width: share(accepted) }} />
          <span className="share-duplicate" style={{ width: share(duplicate) }} />
          <span className="share-quarantined" style={{ width: share(quarantined) }} />
        </span>
      </td>
    </tr>
  );
}

function To({ view, value }: { view: View; value: number }) {
  const { may } = useSession();
  const needed = view.tab === "receipts" ? permission.readReceipts : permission.readQuarantine;
  if (!may(needed)) return <span className="num">{count(value)}</span>;
  if (value === 0) return <span className="num muted">0</span>;
  return (
    <Link to={paths.pipeline} search={viewSearch(view)} hash="records" className="num">
      {count(value)}
    </Link>
  );
}
