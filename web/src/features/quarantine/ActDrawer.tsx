import { useQuery } from "@tanstack/react-query";
import { Button, Popconfirm, Progress } from "antd";
import { count } from "../../shared/numbers";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { SideDrawer } from "../../shared/ui/SideDrawer";
import { NotYet } from "../../shared/ui/states";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { type Act, actQuery, stopAct, undoAll } from "./queries";
import { useAct } from "./useAct";
import { ACT_STATES, actOutcome, actTitle, DONE, percentOf } from "./words";

/** One act on many records: what was asked, how far it is, what came of it, and the way back. */
export function ActDrawer({ id, onClose }: { id: string | undefined; onClose(): void }) {
  return (
    <SideDrawer open={id !== undefined} onClose={onClose} size={560} title="Quarantine: an act">
      {id === undefined ? null : <Loaded id={id} />}
    </SideDrawer>
  );
}

function Loaded({ id }: { id: string }) {
  const query = useQuery(actQuery(id));
  if (!query.data) return <NotYet query={query} what="The act" rows={5} height={32} />;
  return <Contents act={query.data} />;
}

function Contents({ act }: { act: Act }) {
  const { may } = useSession();
  const { busy, carryOut } = useAct();
  const mayEdit = may(permission.editQuarantine);
  const back = act.kind === "edit" ? "edited" : act.kind === "discard" ? "discarded" : undefined;
  return (
    <div className="record">
      <p className="act-title">
        {actTitle(act)} <Tag {...ACT_STATES[act.state]} />
      </p>
      {act.state === "running" ? (
        <>
          <Progress percent={percentOf(act)} />
          <p aria-live="polite">
            {count(act.done)} of {count(act.matched)} looked at: {actOutcome(act)}.
          </p>
        </>
      ) : (
        <p aria-live="polite">
          {actOutcome(act)}.{act.error ? ` ${act.error}` : ""}
        </p>
      )}
      <dl className="facts">
        <div>
          <dt>By</dt>
          <dd>{act.actor_name}</dd>
        </div>
        <div>
          <dt>Begun</dt>
          <dd>
            <When at={act.created_at} />
          </dd>
        </div>
        {act.finished_at ? (
          <div>
            <dt>Ended</dt>
            <dd>
              <When at={act.finished_at} />
            </dd>
          </div>
        ) : null}
        {act.reason ? (
          <div>
            <dt>Reason</dt>
            <dd>{act.reason}</dd>
          </div>
        ) : null}
      </dl>
      {act.assignments.map((one) => (
        <pre key={one.field} className="assignment">
          {one.field} := {one.expression}
        </pre>
      ))}
      {act.failed.length > 0 ? (
        <>
          <h3>What records still break</h3>
          <ul className="breaches">
            {act.failed.map((one) => (
              <li key={`${one.field} ${one.rule}`}>
                <span className="num">{count(one.records)}</span> · <code>{one.field}</code> · {one.rule}
              </li>
            ))}
          </ul>
        </>
      ) : null}
      {mayEdit && act.state === "running" ? (
        <Button
          loading={busy}
          onClick={() =>
            void carryOut(
              () => stopAct(act.id),
              "It stops after the records that it is at. What it did stands.",
            )
          }
        >
          Stop
        </Button>
      ) : null}
      {mayEdit && act.state !== "running" && back && act.changed > 0 ? (
        <Popconfirm
          title="Put these records back as they were sent?"
          description={`Those that were ${DONE[act.kind]} by this and have not been touched since.`}
          okText="Put back"
          onConfirm={() => void carryOut(() => undoAll({ act: act.id, state: back }))}
        >
          <Button loading={busy}>Put these records back</Button>
        </Popconfirm>
      ) : null}
    </div>
  );
}
