import type { Schema } from "../../api/client";
import { usd } from "../../shared/money";
import { measure } from "../../shared/numbers";
import { Amount } from "../../shared/ui/values";

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
                  {sentence(feature.description || feature.name)}
                  <code className="muted block">{feature.name}</code>
                </td>
                <td className="right num nowrap">
                  <FeatureText feature={feature} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function FeatureText({ feature }: { feature: FeatureValue }) {
  const { value, unit } = feature;
  if (unit === "USD cents" && typeof value === "number") return <Amount money={usd(Math.round(value))} />;
  return (
    <>
      {valueText(value)} {unit ? <span className="muted">{unit}</span> : null}
    </>
  );
}

export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function valueText(value: FeatureValue["value"]): string {
  if (value === null) return "unknown";
  if (typeof value === "number") return measure(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  return value;
}
