import { Tag } from "../../shared/ui/tags";
import type { ContractDetail } from "./queries";

const TONES: Record<string, string> = {
  personal: "review",
  sensitive: "block",
  card: "block",
  secret: "block",
};

/** Every field with its rules as sentences. */
export function FieldTable({ fields }: { fields: ContractDetail["fields"] }) {
  return (
    <div className="table-scroll">
      <table className="table contracts-fields">
        <thead>
          <tr>
            {["Field", "Type", "Meaning", "Must be", "Also read from", "Data class"].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {fields.map((field) => (
            <tr key={field.name}>
              <th scope="row">
                <code>{field.name}</code>
                {field.required ? <span className="muted"> required</span> : null}
              </th>
              <td>{field.type}</td>
              <td>{field.description}</td>
              <td>{field.must_be.join(" ") || "–"}</td>
              <td>{field.aliases.length > 0 ? <code>{field.aliases.join(", ")}</code> : "–"}</td>
              <td>
                <Tag
                  word={field.classification ?? field.data_class}
                  tone={TONES[field.data_class] ?? "quiet"}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
