import { count, measure } from "../../../shared/numbers";
import { Sparkline } from "../../../shared/ui/Sparkline";
import { TableBox } from "../../../shared/ui/TableBox";
import { When } from "../../../shared/ui/values";
import type { ModelDetail, Watch } from "./queries";
import { WatchTag } from "./words";

const SHOWN = 8;
const DAY_MS = 86_400_000;

function daysOf(watch: Watch): string {
  const days = Math.round((Date.parse(watch.until) - Date.parse(watch.since)) / DAY_MS);
  return days <= 1 ? "the last day" : `the last ${days} days`;
}

/** What the monitors saw of a model in service. */
export function WatchPanel({ watch, looks }: { watch: Watch; looks: ModelDetail["looks"] }) {
  const psis = looks.flatMap((one) => (one.score_psi == null ? [] : [one.score_psi]));
  return (
    <section aria-label="In service" className="models-box">
      <h2>In service</h2>
      <p>
        <WatchTag state={watch.state} />{" "}
        <span className="muted">
          {count(watch.rows)} payments of {daysOf(watch)}, looked at <When at={watch.at} />
        </span>
      </p>
      {watch.score ? (
        <>
          <p>
            Spread of the scores: stability index <span className="num">{watch.score.psi.toFixed(3)}</span>
          </p>
          {psis.length > 1 ? (
            <Sparkline values={psis} label="Stability index of the score, look by look" />
          ) : null}
        </>
      ) : (
        <p className="muted">
          How its scores are spread is said after a whole day on which it scored 500 payments or more,
          deciding or beside another model.
        </p>
      )}
      {watch.inputs.length > 0 ? (
        <TableBox>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Input</th>
                <th scope="col" className="right">
                  Stability index
                </th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {watch.inputs.slice(0, SHOWN).map((one) => (
                <tr key={one.name}>
                  <th scope="row">
                    <code>{one.name}</code>
                  </th>
                  <td className="right num">{one.psi.toFixed(3)}</td>
                  <td>
                    <WatchTag state={one.state} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableBox>
      ) : null}
      <p>
        Calibration: <span className="num">{count(watch.observed)}</span> known frauds where the scores of{" "}
        <span className="num">{count(watch.calibration_rows)}</span> ripe payments add up to{" "}
        <span className="num">{measure(watch.expected)}</span> <WatchTag state={watch.calibration} />
      </p>
    </section>
  );
}
