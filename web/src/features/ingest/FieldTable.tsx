import { Link } from "@tanstack/react-router";
import { paths } from "../../shared/paths";
import { TableBox } from "../../shared/ui/TableBox";
import { Tag } from "../../shared/ui/tags";
import type { ContractDetail } from "./queries";

const TONES: Record<string, string> = {
  personal: "review",
  sensitive: "block",
  card: "block",
  secret: "block",
};

interface FieldTableProps {
  contract: string;
  fields: ContractDetail["fields"];
  /** Whether the viewer may see what reads a field. */
  readers: boolean;
}

/** Every field with its rules as sentences. */
export function FieldTable({ contract, fields, readers }: FieldTableProps) {
  const heads = ["Field", "Type", "Meaning", "Must be", "Also read from", "Data class"];
  return (
    <TableBox>
      <table className="table contracts-fields">
        <thead>
          <tr>
            {[...heads, ...(readers ? ["Read by"] : [])].map((name) => (
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
              <td className="cell-text">{field.description}</td>
              <td className="cell-text">{field.must_be.join(" ") || "–"}</td>
              <td>{field.aliases.length > 0 ? <code>{field.aliases.join(", ")}</code> : "–"}</td>
              <td>
                <Tag
                  word={field.classification ?? field.data_class}
                  tone={TONES[field.data_class] ?? "quiet"}
                />
              </td>
              {readers ? (
                <td>
                  <Link
                    to={paths.contract}
                    params={{ contract }}
                    search={{ tab: "readers", field: field.name }}
                    aria-label={`Who reads ${field.name}`}
                  >
                    Who reads it
                  </Link>
                </td>
              ) : null}
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}
