import { counted } from "../../shared/numbers";
import type { Trial } from "./queries";

/** What a look at a source found: the first records as they would be stored. */
export function TrialResult({ trial }: { trial: Trial }) {
  const names = trial.records[0]?.values.map((one) => one.field) ?? [];
  const filled = names.filter((name, i) =>
    trial.records.some((record) => record.values[i]?.value != null && name),
  );
  return (
    <section className="source-trial" aria-label="What was found">
      <p role="status">
        {trial.received > 0
          ? `${counted(trial.received, "record")} looked at: ${trial.accepted} would be accepted, ${trial.quarantined} quarantined.`
          : "The source answers."}
      </p>
      {trial.notes.map((note) => (
        <p key={note} className="muted">
          {note}
        </p>
      ))}
      {trial.problems.length > 0 ? (
        <ul className="problem">
          {[...new Set(trial.problems)].map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      ) : null}
      {trial.records.length > 0 ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls must be reachable by keyboard.
        <section className="source-trial-scroll" tabIndex={0} aria-label="First records">
          <table>
            <thead>
              <tr>
                {filled.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {trial.records.slice(0, 10).map((record, row) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the rows of one look never move.
                <tr key={row}>
                  {record.values
                    .filter((one) => filled.includes(one.field))
                    .map((one) => (
                      <td key={one.field} className="num">
                        {one.value ?? ""}
                      </td>
                    ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      ) : null}
    </section>
  );
}
