import { CopyOutlined } from "@ant-design/icons";
import { App, Button } from "antd";
import { contractWord } from "../../shared/contracts";
import { count } from "../../shared/numbers";
import { SideDrawer } from "../../shared/ui/SideDrawer";
import { When } from "../../shared/ui/values";
import type { QuarantinedRecord } from "./queries";
import { valueText } from "./view";

/** A quarantined record whole: everything that was wrong with it, and the record as it came. */
export function RecordDrawer({
  record,
  onClose,
}: {
  record: QuarantinedRecord | undefined;
  onClose(): void;
}) {
  return (
    <SideDrawer open={record !== undefined} onClose={onClose} size={560} title="Quarantined record">
      {record ? <Content record={record} /> : null}
    </SideDrawer>
  );
}

function Content({ record }: { record: QuarantinedRecord }) {
  const { message } = App.useApp();
  const text = rawText(record.raw);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      message.success("The record was copied.");
    } catch {
      message.error("This browser does not allow copying; mark the text instead.");
    }
  };
  return (
    <div className="record">
      <dl className="facts">
        <div>
          <dt>Contract</dt>
          <dd>{contractWord(record.contract)}</dd>
        </div>
        <div>
          <dt>Received</dt>
          <dd>
            <When at={record.received_at} />
          </dd>
        </div>
        <div>
          <dt>Line</dt>
          <dd className="num">{record.line ?? "–"}</dd>
        </div>
        <div>
          <dt>Receipt</dt>
          <dd className="num">{record.receipt_id}</dd>
        </div>
      </dl>
      <h3>What was wrong</h3>
      <ul className="breaches">
        {record.errors.map((breach) => (
          <li key={`${breach.field} ${breach.rule}`}>
            <p>{breach.reason}</p>
            <p className="muted">
              Field <code>{breach.field || "whole record"}</code>, rule <code>{breach.rule}</code>, value{" "}
              <code>{valueText(breach.value)}</code>
            </p>
          </li>
        ))}
      </ul>
      <div className="record-raw">
        <h3>The record as it came</h3>
        <Button size="small" icon={<CopyOutlined aria-hidden />} onClick={() => void copy()}>
          Copy
        </Button>
      </div>
      {isCut(record) ? (
        <p className="muted">
          Only its beginning is shown: the record has {count(record.raw_bytes ?? 0)} bytes.
        </p>
      ) : null}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <pre tabIndex={0}>{text}</pre>
    </div>
  );
}

function isCut(record: QuarantinedRecord): boolean {
  if (typeof record.raw !== "string" || record.raw_bytes === undefined) return false;
  return new TextEncoder().encode(record.raw).length < record.raw_bytes;
}

/** JSON is set out in lines; anything else stays as it came. */
function rawText(raw: unknown): string {
  if (typeof raw !== "string") return JSON.stringify(raw, null, 2);
  try {
    return JSON.stringify(JSON.parse(raw), null, 2);
  } catch {
    return raw;
  }
}
