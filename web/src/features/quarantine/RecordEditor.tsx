import { useQueryClient } from "@tanstack/react-query";
import { App, Button, Input } from "antd";
import { useEffect, useState } from "react";
import { CodeField } from "../../shared/ui/CodeField";
import { reasonOf } from "../../shared/ui/states";
import { checkRecord, type Detail, type Edit, saveRecord } from "./queries";

const PAUSE_MS = 400;
const NO_EDIT: Edit = { changes: {}, record: null };

interface EditorProps {
  record: Detail;
  /** The record as it was sent, for those who may see it. */
  sent: string | null;
  editable: boolean;
}

/** The values of a record, changed one by one or as a whole, and checked while they are written. */
export function RecordEditor({ record, sent, editable }: EditorProps) {
  const { message } = App.useApp();
  const client = useQueryClient();
  const [edit, setEdit] = useState<Edit>(NO_EDIT);
  const [whole, setWhole] = useState(false);
  const [remaining, setRemaining] = useState(record.remaining);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const changed = edit.record !== null || Object.keys(edit.changes ?? {}).length > 0;

  useEffect(() => {
    if (!changed) return;
    let stale = false;
    const timer = setTimeout(() => {
      checkRecord(record.id, edit).then(
        (found) => {
          if (stale) return;
          setRemaining(found.remaining);
          setProblem(null);
        },
        (error: unknown) => {
          if (!stale) setProblem(reasonOf(error));
        },
      );
    }, PAUSE_MS);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [edit, changed, record.id]);

  const begin = (asWhole: boolean) => {
    setWhole(asWhole);
    setEdit(NO_EDIT);
    setRemaining(record.remaining);
    setProblem(null);
  };
  const save = async () => {
    setBusy(true);
    try {
      await saveRecord(record.id, edit);
      await client.invalidateQueries({ queryKey: ["quarantine"] });
      message.success("The change is kept. Release the record to send it on.");
    } catch (error) {
      setProblem(reasonOf(error));
    }
    setBusy(false);
  };
  const wrong = remaining ?? record.errors;
  return (
    <>
      <h3>{wrong.length === 0 ? "It keeps its contract" : "What is wrong"}</h3>
      <ul className="breaches" aria-live="polite">
        {wrong.map((one) => (
          <li key={`${one.field} ${one.rule}`}>{one.reason}</li>
        ))}
      </ul>
      {problem ? (
        <p role="alert" className="mend-problem">
          {problem}
        </p>
      ) : null}
      <div className="record-values">
        <h3>Values</h3>
        {editable ? (
          <Button size="small" onClick={() => begin(!whole)}>
            {whole ? "Field by field" : "Write it anew"}
          </Button>
        ) : null}
      </div>
      {whole ? (
        <CodeField
          id={`${record.id} ${sent === null}`}
          text={beginning(record, sent)}
          language="yaml"
          label="The record as JSON"
          hint='{"event_id": "...", ...}'
          height={260}
          onChange={(text) => setEdit({ changes: {}, record: text })}
        />
      ) : (
        <Values
          record={record}
          changes={edit.changes ?? {}}
          editable={editable}
          onChange={(changes) => setEdit({ changes, record: null })}
        />
      )}
      {editable && (whole || record.fields.length > 0) ? (
        <div>
          <Button type="primary" disabled={!changed} loading={busy} onClick={() => void save()}>
            Keep the change
          </Button>
        </div>
      ) : null}
    </>
  );
}

type Changes = NonNullable<Edit["changes"]>;

interface ValuesProps {
  record: Detail;
  changes: Changes;
  editable: boolean;
  onChange(changes: Changes): void;
}

function Values({ record, changes, editable, onChange }: ValuesProps) {
  if (record.fields.length === 0)
    return (
      <p className="muted">
        {record.state === "released"
          ? "Its content is in the event log and in the lake now."
          : "This record cannot be taken apart into fields. Write it anew as one JSON object, or discard it."}
      </p>
    );
  const broken = record.errors.map((one) => one.field).filter((name) => name !== "" && !name.includes(","));
  const names = [...new Set([...record.fields.map((one) => one.name), ...broken])];
  return (
    <div>
      {names.map((name) => {
        const field = record.fields.find((one) => one.name === name);
        const { [name]: change, ...others } = changes;
        const away = change === null;
        return (
          <div key={name} className="value-line">
            <span>
              <code>{name}</code>
              {field?.edited ? <span className="muted"> changed</span> : null}
            </span>
            <Input
              aria-label={name}
              readOnly={!editable}
              disabled={away}
              spellCheck={false}
              placeholder={away ? "taken away" : (field?.value ?? "nothing")}
              value={change ?? ""}
              onChange={(event) => {
                const text = event.target.value;
                onChange(text === "" ? others : { ...others, [name]: text });
              }}
            />
            {editable && field ? (
              <Button
                size="small"
                type="text"
                aria-label={`${away ? "Keep" : "Take away"} ${name}`}
                onClick={() => onChange(away ? others : { ...others, [name]: null })}
              >
                {away ? "Keep" : "Take away"}
              </Button>
            ) : null}
          </div>
        );
      })}
    </div>
  );
}

/** What the editor begins with: the record as it was sent when that can be seen; never values shown in part. */
function beginning(record: Detail, sent: string | null): string {
  const text = sent ?? "";
  if (text === "" || new TextEncoder().encode(text).length < record.raw_bytes) return "{\n}\n";
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
