import { ArrowDownOutlined, ArrowUpOutlined, DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Input, Select } from "antd";
import { newKey } from "../../../api/keys";
import type { RoleMapping } from "./queries";

export interface Row extends RoleMapping {
  key: string;
}

export function rowsOf(table: readonly RoleMapping[]): Row[] {
  return table.map((row, at) => ({ ...row, key: String(at) }));
}

interface RoleTableProps {
  rows: Row[];
  roles: readonly RoleMapping["role"][];
  claim: string;
  readOnly: boolean;
  onChange(rows: Row[]): void;
}

/** Which value of the claim gives which role; the first row that fits counts. */
export function RoleTable({ rows, roles, claim, readOnly, onChange }: RoleTableProps) {
  const change = (at: number, part: Partial<RoleMapping>) =>
    onChange(rows.map((row, i) => (i === at ? { ...row, ...part } : row)));
  const move = (at: number, by: -1 | 1) => {
    const next = [...rows];
    const [row] = next.splice(at, 1);
    if (row) next.splice(at + by, 0, row);
    onChange(next);
  };
  const options = roles.map((role) => ({ value: role, label: role.replaceAll("_", " ") }));
  return (
    <fieldset className="role-table" disabled={readOnly}>
      <legend>Roles, the first row that fits counts</legend>
      {rows.length === 0 ? (
        <p className="muted">No row: nobody gets a role, so nobody may sign in by the provider.</p>
      ) : (
        <ol>
          {rows.map((row, at) => (
            <li key={row.key}>
              <Input
                aria-label={`Value ${at + 1} of ${claim || "the claim"}`}
                placeholder="Value, e.g. a group"
                maxLength={255}
                value={row.value}
                onChange={(event) => change(at, { value: event.target.value })}
              />
              <Select
                aria-label={`Role ${at + 1}`}
                value={row.role}
                disabled={readOnly}
                onChange={(role) => change(at, { role })}
                options={options}
              />
              <Button
                type="text"
                icon={<ArrowUpOutlined />}
                aria-label={`Move row ${at + 1} up`}
                disabled={at === 0}
                onClick={() => move(at, -1)}
              />
              <Button
                type="text"
                icon={<ArrowDownOutlined />}
                aria-label={`Move row ${at + 1} down`}
                disabled={at === rows.length - 1}
                onClick={() => move(at, 1)}
              />
              <Button
                type="text"
                danger
                icon={<DeleteOutlined />}
                aria-label={`Remove row ${at + 1}`}
                onClick={() => onChange(rows.filter((_, i) => i !== at))}
              />
            </li>
          ))}
        </ol>
      )}
      {rows.some((row) => row.role === "administrator") ? (
        <p className="hint">
          Whoever controls this value at the provider can make administrators of your firm.
        </p>
      ) : null}
      {readOnly ? null : (
        <Button
          icon={<PlusOutlined aria-hidden />}
          onClick={() => onChange([...rows, { key: newKey(), value: "", role: "risk_analyst" }])}
        >
          Add a row
        </Button>
      )}
    </fieldset>
  );
}
