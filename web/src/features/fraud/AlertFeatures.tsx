import type { Schema } from "../../api/client";
import { measure } from "../../shared/numbers";

type FeatureValue = Schema<"FeatureValue">;

/** The values that the decision used, as they were at that moment. */
export function AlertFeatures({ features }: { features: readonly FeatureValue[] }) {
  return (
    <section aria-label="Feature values">
      <h3>Values the decision used</h3>
      {features.length === 0 ? (
        <p className="muted">No values were kept with this decision.</p>
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col" className="right">
                Value
              </th>
            </tr>
          </thead>
          <tbody>
            {features.map((feature) => (
              <tr key={feature.name}>
                <td>
                  {feature.description || feature.name}
                  <code className="muted block">{feature.name}</code>
                </td>
                <td className="right num nowrap">
                  {valueText(feature.value)}{" "}
                  {feature.unit ? <span className="muted">{feature.unit}</span> : null}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function valueText(value: FeatureValue["value"]): string {
  if (value === null) return "unknown";
  if (typeof value === "number") return measure(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  return value;
}
