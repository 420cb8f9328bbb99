import { useQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { useState } from "react";
import { contractWord } from "../../shared/contracts";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { SideDrawer } from "../../shared/ui/SideDrawer";
import { NotYet } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { DiscardDialog } from "./DiscardDialog";
import { type Detail, detailQuery, releaseAll, undoAll } from "./queries";
import { RecordEditor } from "./RecordEditor";
import { RevealDialog } from "./RevealDialog";
import { useAct } from "./useAct";
import { STATES } from "./words";

/** One refused record: what is wrong, its values, and what can be done with it. */
export function RecordDrawer({ id, onClose }: { id: string | undefined; onClose(): void }) {
  return (
    <SideDrawer open={id !== undefined} onClose={onClose} size={600} title="Quarantined record">
      {id === undefined ? null : <Loaded id={id} onClose={onClose} />}
    </SideDrawer>
  );
}

function Loaded({ id, onClose }: { id: string; onClose(): void }) {
  const query = useQuery(detailQuery(id));
  if (!query.data) return <NotYet query={query} what="The record" rows={6} height={30} />;
  return <Contents key={id} record={query.data} onClose={onClose} />;
}

function Contents({ record, onClose }: { record: Detail; onClose(): void }) {
  const { may } = useSession();
  const { busy, carryOut } = useAct();
  const [revealing, setRevealing] = useState(false);
  const [discarding, setDiscarding] = useState(false);
  const [revealed, setRevealed] = useState<string | null>(null);
  const sent = revealed ?? record.raw;
  const [putBack, setPutBack] = useState(0);
  const waits = record.state === "open" || record.state === "edited";
  const touched = record.state === "edited" || record.state === "discarded";
  const ready = waits && record.remaining?.length === 0;
  const one = { contract: record.contract, ids: [record.id] };
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
          <dd className="num">{record.line}</dd>
        </div>
        <div>
          <dt>State</dt>
          <dd>
            <Tag {...(STATES[record.state] ?? { word: record.state, tone: "plain" })} />
          </dd>
        </div>
        <div>
          <dt>Receipt</dt>
          <dd className="num">{record.receipt_id}</dd>
        </div>
      </dl>
      <RecordEditor
        // What was put back is put back whole, with what was written over it.
        key={putBack}
        newest={record}
        sent={sent}
        editable={waits && may(permission.editQuarantine)}
      />
      {sent !== null && sent !== "" ? (
        <>
          <h3>What was sent</h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
          <pre tabIndex={0}>{sent}</pre>
        </>
      ) : null}
      <div className="record-acts">
        {sent === null && record.state !== "released" && may(permission.revealQuarantine) ? (
          <Button onClick={() => setRevealing(true)}>Show what was sent</Button>
        ) : null}
        {touched && may(permission.editQuarantine) ? (
          <Button
            loading={busy}
            onClick={() =>
              void carryOut(() =>
                undoAll({ ...one, state: record.state === "discarded" ? "discarded" : "edited" }),
              ).then((done) => done && setPutBack(putBack + 1))
            }
          >
            Put back as it was sent
          </Button>
        ) : null}
        {waits && may(permission.editQuarantine) ? (
          <Button danger disabled={busy} onClick={() => setDiscarding(true)}>
            Discard
          </Button>
        ) : null}
        {ready && may(permission.releaseQuarantine) ? (
          <Button
            type="primary"
            loading={busy}
            onClick={() =>
              void carryOut(() => releaseAll(one)).then((done) => {
                if (done) onClose();
              })
            }
          >
            Release
          </Button>
        ) : null}
      </div>
      {discarding && waits ? (
        <DiscardDialog selection={one} carryOut={carryOut} onClose={() => setDiscarding(false)} />
      ) : null}
      {revealing ? (
        <RevealDialog id={record.id} onShown={setRevealed} onClose={() => setRevealing(false)} />
      ) : null}
    </div>
  );
}
