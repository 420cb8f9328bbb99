import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Input } from "antd";
import { useState } from "react";
import { CodeField } from "../../shared/ui/CodeField";
import { reasonOf } from "../../shared/ui/states";
import { useDraft } from "../../shared/useDraft";
import { useSettled } from "../../shared/useSettled";
import { checkQuery, type Detail, detailQuery, type Edit, saveRecord } from "./queries";

const PAUSE_MS = 400;

/** What is written in place of values, by the names of fields; null takes one away. */
type Changes = Record<string, string | null | undefined>;
const NO_CHANGES: Changes = {};

interface EditorProps {
  newest: Detail;
  /** The record as it was sent, for those who may see it. */
  sent: string | null;
  editable: boolean;
}

/** The values of a record, changed one by one or as a whole, and checked while they are written. */
export function RecordEditor({ newest, sent, editable }: EditorProps) {
  const { message } = App.useApp();
  const client = useQueryClient();
  const editing = useDraft({ newest, fields: () => NO_CHANGES });
  const { draft: changes, held: record } = editing;
  // The record as it is written anew; without a text as long as it says what it began with.
  const [whole, setWhole] = useState<{ text: string | null } | null>(null);
  // Why it was not kept, until more is written.
  const [refused, setRefused] = useState("");
  const [busy, setBusy] = useState(false);
  const changed = editable && (whole ? whole.text !== null : editing.dirty);
  const edit = JSON.stringify({ changes, record: whole?.text ?? null });
  const settled = useSettled(edit, PAUSE_MS);
  const checked = useQuery({
    ...checkQuery(record, settled),
    enabled: changed && settled === edit,
    placeholderData: (last) => last,
  });

  const begin = (asWhole: boolean) => {
    setWhole(asWhole ? { text: null } : null);
    editing.take();
    setRefused("");
  };
  const save = async () => {
    setBusy(true);
    setRefused("");
    try {
      const saved = await saveRecord(record.id, JSON.parse(edit) as Edit);
      editing.settle(changes, saved);
      setWhole((now) => (now?.text === whole?.text ? null : now));
      client.setQueryData(detailQuery(record.id).queryKey, saved);
      await client.invalidateQueries({ queryKey: ["quarantine"] });
      message.success("The change is kept. Release the record to send it on.");
    } catch (error) {
      setRefused(reasonOf(error));
    }
    setBusy(false);
  };
  const problem = refused || (changed && checked.error && reasonOf(checked.error));
  const wrong = (changed ? checked.data?.remaining : null) ?? record.remaining ?? record.errors;
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
          <Button size="small" onClick={() => begin(whole === null)}>
            {whole ? "Field by field" : "Write it anew"}
          </Button>
        ) : null}
      </div>
      {whole ? (
        <CodeField
          id={`${record.id} ${sent === null}`}
          // What is written already stays where what was sent is shown meanwhile.
          text={whole.text ?? beginning(record, sent)}
          language="yaml"
          label="The record as JSON"
          hint='{"event_id": "...", ...}'
          height={260}
          onChange={(text) => {
            setWhole({ text });
            setRefused("");
          }}
        />
      ) : (
        <Values
          record={record}
          changes={editable ? changes : NO_CHANGES}
          editable={editable}
          onChange={(more) => {
            editing.write(more);
            setRefused("");
          }}
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
        const change = changes[name];
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
              onChange={(event) => onChange({ [name]: event.target.value || undefined })}
            />
            {editable && field ? (
              <Button
                size="small"
                type="text"
                aria-label={`${away ? "Keep" : "Take away"} ${name}`}
                onClick={() => onChange({ [name]: away ? undefined : null })}
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
