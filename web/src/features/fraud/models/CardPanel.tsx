import { count } from "../../../shared/numbers";
import { Plotted } from "../../../shared/ui/Plotted";
import { TableBox } from "../../../shared/ui/TableBox";
import { calibrationOption, curveOption, spreadOption } from "./plot";
import type { ModelCard } from "./queries";
import { BY, MeasureText, measureName, percent } from "./words";

/** A model's card: figures of the trial with their bounds, curves, what it looks at, and whom it treats how. */
export function CardPanel({ card, threshold }: { card: ModelCard; threshold: number }) {
  return (
    <div className="models-card">
      <section aria-label="In the trial" className="models-box">
        <h2>In the trial</h2>
        <dl className="models-facts">
          {card.measures.map((one) => (
            <div key={one.name} className="models-fact">
              <dt>{measureName(one.name)}</dt>
              <dd className="num">
                <MeasureText measure={one} />
              </dd>
            </div>
          ))}
        </dl>
        <p className="muted">Bounds hold in 19 of 20 cases; accounts are drawn, not single payments.</p>
      </section>
      <section aria-label="Precision and recall" className="models-box">
        <h2>Precision and recall</h2>
        <Plotted
          label="Precision by recall, with the threshold marked"
          option={(theme) => curveOption(card, threshold, theme)}
        />
      </section>
      <section aria-label="Calibration" className="models-box">
        <h2>Calibration</h2>
        <Plotted label="Share of fraud by score" option={(theme) => calibrationOption(card, theme)} />
        <p className="muted">
          Scores are off by {percent(card.calibration_error)} on average. On the line, a score is the share of
          fraud.
        </p>
      </section>
      <section aria-label="Spread of the scores" className="models-box">
        <h2>Spread of the scores</h2>
        <Plotted label="Share of payments by score" option={(theme) => spreadOption(card, theme)} />
      </section>
      <section aria-label="What it looks at" className="models-box">
        <h2>What it looks at</h2>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Input</th>
              <th scope="col" className="right">
                Share of what moves scores
              </th>
            </tr>
          </thead>
          <tbody>
            {card.weights.slice(0, 10).map((one) => (
              <tr key={one.term}>
                <th scope="row">
                  <code>{one.term}</code>
                </th>
                <td className="right num">{percent(one.share)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Groups card={card} />
    </div>
  );
}

function Groups({ card }: { card: ModelCard }) {
  const unknown = ["age", "gender"].filter((by) => !card.groups.some((one) => one.by === by));
  return (
    <section aria-label="By group" className="models-box models-wide">
      <h2>By group</h2>
      <TableBox>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Group</th>
              <th scope="col" className="right">
                Payments
              </th>
              <th scope="col" className="right">
                Frauds
              </th>
              <th scope="col" className="right">
                Stopped
              </th>
              <th scope="col" className="right">
                False-positive rate
              </th>
              <th scope="col" className="right">
                Recall
              </th>
            </tr>
          </thead>
          <tbody>
            {card.groups.map((one) => (
              <tr key={`${one.by}:${one.value}`}>
                <th scope="row">
                  <span className="muted">{BY[one.by] ?? one.by}</span> {one.value || "none"}
                </th>
                <td className="right num">{count(one.rows)}</td>
                <td className="right num">{count(one.frauds)}</td>
                <td className="right num">{count(one.flagged)}</td>
                <td className="right num">
                  <MeasureText measure={one.false_positive_rate} />
                </td>
                <td className="right num">
                  <MeasureText measure={one.recall} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      <p className="muted">
        A group whose bounds of the false-positive rate lie apart from another's is treated differently: look
        at why before it decides.
      </p>
      {unknown.length > 0 ? (
        <p className="muted">
          No {unknown.join(" and no ")} of customers was in the lake when this model was tried, so nothing can
          be said of how it treats people by {unknown.join(" or ")}.
        </p>
      ) : null}
    </section>
  );
}
