import { Button } from "antd";
import { useState } from "react";
import { duration } from "../../shared/numbers";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { Sparkline } from "../../shared/ui/Sparkline";
import { Tag } from "../../shared/ui/tags";
import { When } from "../../shared/ui/values";
import { BackfillDialog } from "./BackfillDialog";
import { type Job, pause, resume, runNow } from "./queries";
import { useAct } from "./useAct";
import { jobWord, outcome, RunTag, tookText } from "./words";

interface JobRowProps {
  job: Job;
  onRun(run: string): void;
  onRuns(): void;
}

/** A job: what it does, when it is due, how it went, and what can be asked of it. */
export function JobRow({ job, onRun, onRuns }: JobRowProps) {
  const shown = job.running ?? job.last;
  return (
    <li className="job">
      <div className="job-what">
        <button type="button" className="job-name" onClick={onRuns}>
          {jobWord(job.name)}
        </button>
        <p className="muted">{job.about}</p>
        {job.after.length > 0 ? <p className="muted">After {job.after.map(jobWord).join(", ")}</p> : null}
      </div>
      <div className="job-when">
        <span title={job.cron ? `${job.cron} (${job.timezone})` : undefined}>
          {job.schedule}
          {job.cron && !job.schedule.includes("*") ? <span className="muted"> {job.timezone}</span> : null}
        </span>
        <span className="muted">
          {job.paused_at ? (
            <Tag word={`Rests, by ${job.paused_by}`} tone="review" />
          ) : job.next_at ? (
            <>
              next <When at={job.next_at} />
            </>
          ) : null}
        </span>
      </div>
      <div className="job-last">
        {shown ? (
          <button type="button" className="job-run" onClick={() => onRun(shown.id)}>
            <RunTag run={shown} />
            <span className="muted">
              <When at={shown.ended_at ?? shown.started_at ?? shown.asked_at} />
              {shown.duration_s === null ? "" : `, ${tookText(shown)}`}
            </span>
            <span className={shown.error ? "cut problem" : "cut muted"} title={outcome(shown)}>
              {outcome(shown)}
            </span>
          </button>
        ) : (
          <span className="muted">Not run yet</span>
        )}
      </div>
      <Trend job={job} />
      <Acts job={job} />
    </li>
  );
}

function Trend({ job }: { job: Job }) {
  const seconds = job.durations.map((one) => one.seconds).reverse();
  const slowest = Math.max(0, ...seconds);
  if (seconds.length < 2) return <div className="job-trend" />;
  return (
    <div className="job-trend" title={`The last ${seconds.length} runs took up to ${duration(slowest)}`}>
      <Sparkline
        values={seconds}
        label={`Durations of the last ${seconds.length} runs, up to ${duration(slowest)}`}
      />
    </div>
  );
}

function Acts({ job }: { job: Job }) {
  const { may } = useSession();
  const [busy, act] = useAct();
  const [filling, setFilling] = useState(false);
  if (!may(permission.runJobs)) return null;
  if (job.whole) return <span className="muted job-acts">Done for the whole installation</span>;
  if (!job.cron) return <span className="muted job-acts" />;
  const name = jobWord(job.name);
  return (
    <div className="job-acts">
      <Button
        size="small"
        loading={busy}
        onClick={() => void act(() => runNow(job.name), `${name} is queued.`)}
        aria-label={`Run ${name} now`}
      >
        Run now
      </Button>
      {job.dated ? (
        <Button size="small" onClick={() => setFilling(true)} aria-label={`Run ${name} for past days`}>
          Past days
        </Button>
      ) : null}
      {job.paused_at ? (
        <Button
          size="small"
          onClick={() => void act(() => resume(job.name), `${name} goes on.`)}
          aria-label={`Resume ${name}`}
        >
          Resume
        </Button>
      ) : (
        <Button
          size="small"
          type="text"
          onClick={() => void act(() => pause(job.name), `${name} rests until it is resumed.`)}
          aria-label={`Pause ${name}`}
        >
          Pause
        </Button>
      )}
      {filling ? <BackfillDialog job={job} onClose={() => setFilling(false)} /> : null}
    </div>
  );
}
