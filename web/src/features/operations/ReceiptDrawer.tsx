import { contractWord } from "../../shared/contracts";
import { count } from "../../shared/numbers";
import { SideDrawer } from "../../shared/ui/SideDrawer";
import { When } from "../../shared/ui/values";
import type { Receipt } from "./queries";
import { valueText } from "./view";

/** A receipt whole: the account of its records, and the first things that were wrong. */
export function ReceiptDrawer({ receipt, onClose }: { receipt: Receipt | undefined; onClose(): void }) {
  return (
    <SideDrawer open={receipt !== undefined} onClose={onClose} size={560} title="Receipt">
      {receipt ? (
        <div className="record">
          <dl className="facts">
            <div>
              <dt>Contract</dt>
              <dd>{contractWord(receipt.contract)}</dd>
            </div>
            <div>
              <dt>Received</dt>
              <dd>
                <When at={receipt.received_at} />
              </dd>
            </div>
            <div>
              <dt>Source</dt>
              <dd>{receipt.source}</dd>
            </div>
            <div>
              <dt>Id</dt>
              <dd className="num">{receipt.id}</dd>
            </div>
          </dl>
          <p className="num account">
            {count(receipt.received)} received = {count(receipt.accepted)} accepted +{" "}
            {count(receipt.duplicate)} duplicate + {count(receipt.quarantined)} quarantined
            {receipt.state === "processing" ? <span className="muted"> (still being counted)</span> : null}
          </p>
          {receipt.conflicting ? (
            <p className="problem">
              {count(receipt.conflicting)} of the duplicates had another content than the record first sent.
            </p>
          ) : null}
          {receipt.unknown_fields?.length ? (
            <p className="muted">
              Fields that the contract does not know were left out: {receipt.unknown_fields.join(", ")}.
            </p>
          ) : null}
          <h3>What was wrong</h3>
          {receipt.problems.length === 0 ? <p className="muted">Every record held to its contract.</p> : null}
          <ul className="breaches">
            {receipt.problems.map((breach) => (
              <li key={`${breach.line} ${breach.field} ${breach.rule}`}>
                <p>{breach.reason}</p>
                <p className="muted">
                  Line {breach.line ?? "–"}, field <code>{breach.field || "whole record"}</code>, value{" "}
                  <code>{valueText(breach.value)}</code>
                </p>
              </li>
            ))}
          </ul>
        </div>
      ) : null}
    </SideDrawer>
  );
}
