import { useQuery } from "@tanstack/react-query";
import { Button, Progress } from "antd";
import { count, counted } from "../../shared/numbers";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { dayText } from "../../shared/time";
import { Fact } from "../../shared/ui/Fact";
import { SideDrawer } from "../../shared/ui/SideDrawer";
import { NotYet } from "../../shared/ui/states";
import { When } from "../../shared/ui/values";
import { cancelRun, isOpen, type RunDetail, retryRun, runQuery } from "./queries";
import { useAct } from "./useAct";
import { CAUSES, jobWord, RunTag, tookText } from "./words";

/** A run whole: how far it is, what came of it, what its work said. */
export function RunDrawer({ id, onClose }: { id: string | undefined; onClose(): void }) {
  return (
    <SideDrawer open={id !== undefined} onClose={onClose} size={560} title="Run">
      {id ? <Loaded id={id} /> : null}
    </SideDrawer>
  );
}

function Loaded({ id }: { id: string }) {
  const query = useQuery(runQuery(id));
  if (!query.data) return <NotYet query={query} what="The run" height={200} />;
  return <Whole run={query.data} />;
}

function Whole({ run }: { run: RunDetail }) {
  const counts = Object.entries(run.counts);
  return (
    <div className="run">
      <p className="run-head">
        <strong>{jobWord(run.job)}</strong> <RunTag run={run} />
      </p>
      <p className="muted">{run.about}</p>
      {isOpen(run) && run.done !== null ? <Far run={run} /> : null}
      {run.error ? (
        <p role="alert" className="problem run-error">
          {run.error}
        </p>
      ) : null}
      {run.missed > 0 ? (
        <p className="muted">
          It stands for {counted(run.missed, "earlier run")} that nobody was there to do.
        </p>
      ) : null}
      <dl className="facts">
        <Fact name="Asked for">
          <When at={run.asked_at} /> by {run.asked_by}, {CAUSES[run.cause]}
        </Fact>
        {run.due_at ? (
          <Fact name="Due">
            <When at={run.due_at} />
          </Fact>
        ) : null}
        {run.day ? <Fact name="For the day">{dayText(Date.parse(run.day))}</Fact> : null}
        <Fact name="Started">{run.started_at ? <When at={run.started_at} /> : "not yet"}</Fact>
        <Fact name="Ended">{run.ended_at ? <When at={run.ended_at} /> : "not yet"}</Fact>
        <Fact name="Took">{tookText(run)}</Fact>
        <Fact name="Attempts">{count(run.attempts)}</Fact>
        {counts.map(([name, value]) => (
          <Fact key={name} name={jobWord(name)}>
            {count(value)}
          </Fact>
        ))}
        <Fact name="Id">{run.id}</Fact>
      </dl>
      <h3>What it said</h3>
      {run.lines.length === 0 ? (
        <p className="muted">Nothing.</p>
      ) : (
        <pre className="run-lines">{run.lines.join("\n")}</pre>
      )}
      <Acts run={run} />
    </div>
  );
}

function Far({ run }: { run: RunDetail }) {
  const done = run.done ?? 0;
  if (!run.total) return <p className="num">{count(done)} so far</p>;
  const percent = Math.min(100, Math.floor((100 * done) / run.total));
  return (
    <div className="run-far">
      <Progress percent={percent} aria-label="Progress" />
      <span className="muted num">
        {count(done)} of {count(run.total)}
      </span>
    </div>
  );
}

function Acts({ run }: { run: RunDetail }) {
  const { may } = useSession();
  const [busy, act] = useAct();
  if (!may(permission.runJobs) || !(run.can_retry || run.can_cancel)) return null;
  return (
    <p className="run-acts">
      {run.can_retry ? (
        <Button
          type="primary"
          loading={busy}
          onClick={() => void act(() => retryRun(run.id), "A run like this one is queued.")}
        >
          Run it again
        </Button>
      ) : null}
      {run.can_cancel ? (
        <Button
          danger
          loading={busy}
          onClick={() => void act(() => cancelRun(run.id), "The run was asked to stop.")}
        >
          Stop
        </Button>
      ) : null}
    </p>
  );
}
