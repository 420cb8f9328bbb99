import { Progress } from "antd";
import { count } from "../../shared/numbers";
import { When } from "../../shared/ui/values";
import type { Trial } from "./queries";

/** What a draft would have done to the records of a week. */
export function TrialResult({ trial }: { trial: Trial }) {
  const { state, checked, expected, refused, causes = [], quarantined, released, unreadable } = trial;
  return (
    <section aria-label="Trial" className="contracts-trial">
      <h2>Trial</h2>
      {state === "running" ? (
        <Progress
          percent={expected > 0 ? Math.floor((checked / expected) * 100) : 0}
          aria-label="Records tried"
          size="small"
        />
      ) : null}
      {state === "failed" ? (
        <p role="alert" className="problem">
          It could not be finished: {trial.problem}
        </p>
      ) : null}
      <p>
        {state === "running" ? "So far it" : "It"} would have quarantined{" "}
        <strong className="num">{count(refused)}</strong> of <span className="num">{count(checked)}</span>{" "}
        records that were accepted since <When at={trial.since} />.
      </p>
      {causes.length > 0 ? (
        <ul className="contracts-changes">
          {causes.map((cause) => (
            <li key={`${cause.field} ${cause.rule}`}>
              <span className="num">{count(cause.records)}</span>
              <span>
                by <code>{cause.rule}</code> of {cause.field || "the record"}: {cause.reason}{" "}
                <span className="muted">
                  For instance <code>{cause.keys.join(", ")}</code>
                </span>
              </span>
            </li>
          ))}
        </ul>
      ) : null}
      <p>
        Of <span className="num">{count(quarantined)}</span> records in quarantine it would accept{" "}
        <strong className="num">{count(released)}</strong>
        {unreadable > 0 ? (
          <>
            ; <span className="num">{count(unreadable)}</span> cannot be judged, because they are not JSON or
            only their beginning is kept
          </>
        ) : null}
        .
      </p>
    </section>
  );
}
