import { PlusOutlined } from "@ant-design/icons";
import { Button, Input } from "antd";
import { useState } from "react";
import { count, counted } from "../../shared/numbers";
import { reasonOf } from "../../shared/ui/states";
import { type Act, type Assignment, changeAll, type Preview, type Selection, tryChange } from "./queries";

interface MendProps {
  selection: Selection;
  field: string | undefined;
  busy: boolean;
  carryOut(begin: () => Promise<Act>): Promise<boolean>;
}

const EXAMPLES_SHOWN = 8;

/** Changes all records by expression: tried on the newest ones first, then carried out. */
export function Mend({ selection, field, busy, carryOut }: MendProps) {
  const [lines, setLines] = useState<Assignment[]>([{ field: single(field), expression: "" }]);
  const [preview, setPreview] = useState<Preview | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [trying, setTrying] = useState(false);
  const assignments = lines.map((one) => ({ field: one.field.trim(), expression: one.expression.trim() }));
  const ready = assignments.every((one) => one.field !== "" && one.expression !== "");
  const change = (place: number, next: Partial<Assignment>) => {
    setLines(lines.map((one, at) => (at === place ? { ...one, ...next } : one)));
    setPreview(null);
    setProblem(null);
  };
  const attempt = async () => {
    setTrying(true);
    setProblem(null);
    try {
      setPreview(await tryChange(selection, assignments));
    } catch (error) {
      setPreview(null);
      setProblem(reasonOf(error));
    }
    setTrying(false);
  };
  const changeThem = async () => {
    if (await carryOut(() => changeAll(selection, assignments))) setPreview(null);
  };
  return (
    <form
      className="mend"
      aria-label="Change by expression"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) void attempt();
      }}
    >
      {lines.map((one, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines are only added at the end and taken from there.
        <div key={place} className="mend-line">
          <Input
            aria-label={place === 0 ? "Field" : `Field ${place + 1}`}
            placeholder="field"
            className="mend-field"
            spellCheck={false}
            value={one.field}
            onChange={(event) => change(place, { field: event.target.value })}
          />
          <span aria-hidden>:=</span>
          <Input
            aria-label={place === 0 ? "Expression" : `Expression ${place + 1}`}
            placeholder="abs(amount)   upper(trim(currency))   number(replace(raw.amount, ',', ''))"
            spellCheck={false}
            className="mend-expression"
            value={one.expression}
            onChange={(event) => change(place, { expression: event.target.value })}
          />
        </div>
      ))}
      <div className="mend-acts">
        <Button htmlType="submit" disabled={!ready} loading={trying}>
          Try
        </Button>
        <Button
          type="primary"
          disabled={preview === null || preview.changed === 0}
          loading={busy}
          onClick={() => void changeThem()}
        >
          {preview ? `Change ${counted(preview.matched, "record")}` : "Change"}
        </Button>
        <Button
          type="text"
          icon={<PlusOutlined aria-hidden />}
          onClick={() => setLines([...lines, { field: "", expression: "" }])}
        >
          Another field
        </Button>
        {lines.length > 1 ? (
          <Button type="text" onClick={() => setLines(lines.slice(0, -1))}>
            One less
          </Button>
        ) : null}
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

/** The field of a cause, where it is one. */
function single(field: string | undefined): string {
  return field && !field.includes(",") ? field : "";
}

function Outcome({ preview }: { preview: Preview }) {
  const differences = preview.examples
    .slice(0, EXAMPLES_SHOWN)
    .flatMap((example) => example.differences.map((one) => ({ id: example.id, ...one })));
  return (
    <section className="mend-outcome" aria-label="What the change would do" aria-live="polite">
      <dl className="mend-counts">
        <div>
          <dt>Match</dt>
          <dd className="num">{count(preview.matched)}</dd>
        </div>
        <div>
          <dt>Looked at</dt>
          <dd className="num">{count(preview.looked_at)}</dd>
        </div>
        <div>
          <dt>Would change</dt>
          <dd className="num">{count(preview.changed)}</dd>
        </div>
        <div>
          <dt>Keep the contract then</dt>
          <dd className="num">{count(preview.passing)}</dd>
        </div>
      </dl>
      {preview.failed.map((one) => (
        <p key={`${one.field} ${one.rule}`} className="mend-left">
          {count(one.records)} still {one.records === 1 ? "breaks" : "break"} <code>{one.field}</code>{" "}
          {one.rule}.
        </p>
      ))}
      {differences.length > 0 ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        <div className="mend-scroll" tabIndex={0}>
          <table className="mend-examples">
            <thead>
              <tr>
                <th>Field</th>
                <th>Before</th>
                <th>After</th>
              </tr>
            </thead>
            <tbody>
              {differences.map((one) => (
                <tr key={`${one.id} ${one.field}`}>
                  <td>
                    <code>{one.field}</code>
                  </td>
                  <td>
                    <del>{one.before ?? "nothing"}</del>
                  </td>
                  <td>
                    <ins>{one.after ?? "nothing"}</ins>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <p className="muted">
          Nothing would be different: where an expression has no value, a field stays as it is.
        </p>
      )}
    </section>
  );
}
