import { count } from "../../../shared/numbers";
import { TableBox } from "../../../shared/ui/TableBox";
import { When } from "../../../shared/ui/values";
import type { ModelComparison, ModelDetail } from "./queries";
import { MeasureText, measureName } from "./words";

/** How a challenger does beside the champion, on the same live payments. */
export function ComparisonPanel({ model }: { model: ModelDetail }) {
  const found = model.comparison;
  return (
    <section aria-label="Beside the champion" className="models-box">
      <h2>Beside the champion</h2>
      {!model.champion ? (
        <p className="muted">No model decides yet, so there is nothing to compare with.</p>
      ) : !found ? (
        <p className="muted">
          It scores live payments since {model.challenger_at ? <When at={model.challenger_at} /> : "now"}. The
          two are compared every hour.
        </p>
      ) : (
        <Compared found={found} champion={model.champion.name} challenger={model.name} />
      )}
    </section>
  );
}

function Compared({
  found,
  champion,
  challenger,
}: {
  found: ModelComparison;
  champion: string;
  challenger: string;
}) {
  const rows: readonly [string, (side: ModelComparison["champion"]) => number][] = [
    ["Payments stopped", (side) => side.flagged],
    ["Known frauds among them", (side) => side.frauds],
    ["Known good ones among them", (side) => side.legitimate],
    ["Alone, and not judged yet", (side) => side.unjudged],
  ];
  return (
    <>
      <p>
        <span className="num">{count(found.rows)}</span> payments since <When at={found.since} />,{" "}
        <span className="num">{count(found.frauds)}</span> known frauds among them, by what was known{" "}
        <When at={found.as_of} />
      </p>
      {found.problem ? <p className="muted">{found.problem}</p> : null}
      <TableBox>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col" className="right">
                {champion}
              </th>
              <th scope="col" className="right">
                {challenger}
              </th>
              <th scope="col" className="right">
                Difference
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, of]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td className="right num">{count(of(found.champion))}</td>
                <td className="right num">{count(of(found.challenger))}</td>
                <td className="right num">{count(of(found.challenger) - of(found.champion))}</td>
              </tr>
            ))}
            {found.champion.measures.map((one, at) => {
              const other = found.challenger.measures[at];
              const difference = found.differences.find((each) => each.name === one.name);
              return (
                <tr key={one.name}>
                  <th scope="row">{measureName(one.name)}</th>
                  <td className="right num">
                    <MeasureText measure={one} />
                  </td>
                  <td className="right num">{other ? <MeasureText measure={other} /> : "–"}</td>
                  <td className="right num">
                    {difference ? (
                      <MeasureText measure={difference} signed />
                    ) : (
                      <span className="muted">–</span>
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </TableBox>
      <p className="muted">
        Only payments that somebody looked at have a label, so what the challenger alone would have stopped
        counts as genuine until somebody judges it. Bounds hold in 19 of 20 cases.
      </p>
    </>
  );
}
