import { measure } from "../../shared/numbers";
import { sentence } from "./AlertFeatures";
import type { AlertDetail } from "./queries";
import "./reasons.css";

type Explanation = NonNullable<AlertDetail["explanation"]>;

/** Why an alert was raised: rules and model as one list, what would have let it pass, and the score taken apart. */
export function AlertReasons({ alert }: { alert: AlertDetail }) {
  const { explanation } = alert;
  return (
    <section aria-label="Reasons">
      <h3>Why</h3>
      {explanation ? (
        <Explained explanation={explanation} features={alert.features} />
      ) : (
        <Plain reasons={alert.reasons} />
      )}
    </section>
  );
}

/** Until the explanation is made, a second or two after the alert, the sentences of the rules stand alone. */
function Plain({ reasons }: { reasons: readonly string[] }) {
  if (reasons.length === 0) return <p className="muted">No reason was recorded with this alert.</p>;
  return (
    <ul className="reasons">
      {reasons.map((reason) => (
        <li key={reason}>{reason}</li>
      ))}
    </ul>
  );
}

interface ExplainedProps {
  explanation: Explanation;
  features: AlertDetail["features"];
}

function Explained({ explanation, features }: ExplainedProps) {
  const about = new Map(features.map((each) => [each.name, each.description]));
  const telling = explanation.contributions.filter((one) => Math.abs(one.log_odds) >= 0.01);
  return (
    <>
      <ul className="reasons">
        {explanation.reasons.map((one) => (
          <li key={`${one.source}:${one.name}`}>
            {one.text}
            <span className="muted reason-source">
              {one.source === "rule"
                ? `rule ${one.name}`
                : `model${one.weight == null ? "" : `, ${Math.round(one.weight * 100)} % of what raised the score`}`}
            </span>
          </li>
        ))}
      </ul>
      <p className="reason-pass">
        {explanation.would_pass ?? "No change of a single value would have let it pass."}
      </p>
      {telling.length > 0 ? (
        <details>
          <summary>The score taken apart</summary>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Input</th>
                <th scope="col" className="right">
                  Value
                </th>
                <th scope="col" className="right">
                  Usual
                </th>
                <th
                  scope="col"
                  className="right"
                  title="In log-odds; with what all payments share they add up to the score"
                >
                  Adds
                </th>
              </tr>
            </thead>
            <tbody>
              {telling.map((one) => (
                <tr key={one.term}>
                  <th scope="row">
                    {sentence(about.get(one.term) ?? "")}
                    <code className="muted block">{one.term}</code>
                  </th>
                  <td className="right num">{one.value == null ? "–" : measure(one.value)}</td>
                  <td className="right num">{one.usual == null ? "–" : measure(one.usual)}</td>
                  <td className="right num">
                    {one.log_odds > 0 ? "+" : ""}
                    {one.log_odds.toFixed(2)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      ) : null}
    </>
  );
}
