import { Button, Input } from "antd";
import { useState } from "react";
import { count } from "../../shared/numbers";
import { reasonOf } from "../../shared/ui/states";
import { type Act, type Assignment, changeAll, type Preview, type Selection, tryChange } from "./queries";

interface MendProps {
  selection: Selection;
  field: string | undefined;
  onChange(begin: () => Promise<Act>): Promise<void>;
}

/** Changes all records by expression: tried on the newest ones first, then carried out. */
export function Mend({ selection, field, onChange }: MendProps) {
  const [target, setTarget] = useState(field ?? "");
  const [expression, setExpression] = useState("");
  const [preview, setPreview] = useState<Preview | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const assignments: Assignment[] = [{ field: target.trim(), expression: expression.trim() }];
  const ready = target.trim() !== "" && expression.trim() !== "";
  const attempt = async () => {
    setBusy(true);
    setProblem(null);
    try {
      setPreview(await tryChange(selection, assignments));
    } catch (error) {
      setPreview(null);
      setProblem(reasonOf(error));
    }
    setBusy(false);
  };
  const carryOut = async () => {
    await onChange(() => changeAll(selection, assignments));
    setPreview(null);
  };
  return (
    <form
      className="mend"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) void attempt();
      }}
    >
      <div className="mend-line">
        <Input
          aria-label="Field"
          className="mend-field"
          value={target}
          onChange={(event) => {
            setTarget(event.target.value);
            setPreview(null);
          }}
        />
        <span aria-hidden>:=</span>
        <Input
          aria-label="Expression"
          placeholder="abs(amount), upper(trim(currency)), number(replace(raw.amount, ',', ''))"
          value={expression}
          onChange={(event) => {
            setExpression(event.target.value);
            setPreview(null);
          }}
        />
        <Button htmlType="submit" disabled={!ready} loading={busy}>
          Try
        </Button>
        <Button
          type="primary"
          disabled={preview === null || preview.changed === 0}
          onClick={() => void carryOut()}
        >
          Change all
        </Button>
      </div>
      {problem ? (
        <p role="alert" className="mend-problem">
          {problem}
        </p>
      ) : null}
      {preview ? <Outcome preview={preview} /> : null}
    </form>
  );
}

function Outcome({ preview }: { preview: Preview }) {
  return (
    <div className="mend-outcome" aria-live="polite">
      <p>
        {count(preview.matched)} records match. Of the newest {count(preview.looked_at)},{" "}
        {count(preview.changed)} would change and {count(preview.passing)} keep the contract then.
        {preview.failed.map((one) => (
          <span key={`${one.field} ${one.rule}`}>
            {" "}
            {count(one.records)} still break {one.field} {one.rule}.
          </span>
        ))}
      </p>
      <table className="mend-examples">
        <thead>
          <tr>
            <th>Field</th>
            <th>Before</th>
            <th>After</th>
          </tr>
        </thead>
        <tbody>
          {preview.examples.slice(0, 8).flatMap((example) =>
            example.differences.map((one) => (
              <tr key={`${example.id} ${one.field}`}>
                <td>{one.field}</td>
                <td>
                  <del>{one.before ?? "nothing"}</del>
                </td>
                <td>
                  <ins>{one.after ?? "nothing"}</ins>
                </td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </div>
  );
}
