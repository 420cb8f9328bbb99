import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Drawer, Input } from "antd";
import { useEffect, useState } from "react";
import { permission } from "../../shared/permissions";
import { useSession } from "../../shared/session";
import { FailureState, RowsSkeleton, reasonOf } from "../../shared/ui/states";
import { type Changes, checkRecord, type Detail, detailQuery, saveRecord } from "./queries";

const PAUSE_MS = 400;

/** One refused record: what is wrong, its values, and new values that are checked while they are written. */
export function RecordEditor({ id, onClose }: { id: string | undefined; onClose(): void }) {
  return (
    <Drawer open={id !== undefined} onClose={onClose} size={560} title="Quarantined record" destroyOnHidden>
      {id === undefined ? null : <Loaded id={id} onClose={onClose} />}
    </Drawer>
  );
}

function Loaded({ id, onClose }: { id: string; onClose(): void }) {
  const query = useQuery(detailQuery(id));
  if (query.error)
    return <FailureState what="The record" error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <RowsSkeleton rows={6} height={30} label="Loading the record" />;
  return <Editor record={query.data} onClose={onClose} />;
}

function Editor({ record, onClose }: { record: Detail; onClose(): void }) {
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const [changes, setChanges] = useState<Changes>({});
  const [remaining, setRemaining] = useState(record.remaining);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const waits = record.state === "open" || record.state === "edited";
  const editable = waits && may(permission.editQuarantine);
  const changed = Object.keys(changes).length > 0;

  useEffect(() => {
    if (Object.keys(changes).length === 0) return;
    let stale = false;
    const timer = setTimeout(() => {
      checkRecord(record.id, changes).then(
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
  }, [changes, record.id]);

  const save = async () => {
    setBusy(true);
    try {
      await saveRecord(record.id, changes);
      await client.invalidateQueries({ queryKey: ["quarantine"] });
      message.success("The change is kept. Release the record to send it on.");
      onClose();
    } catch (error) {
      setProblem(reasonOf(error));
    }
    setBusy(false);
  };
  const wrong = remaining ?? record.errors;
  const names = [
    ...new Set([...record.fields.map((one) => one.name), ...record.errors.map((one) => one.field)]),
  ];
  return (
    <div className="record">
      <h3>{wrong.length === 0 ? "Keeps the contract" : "What is wrong"}</h3>
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
      <h3>Values</h3>
      {names
        .filter((name) => name !== "" && !name.includes(","))
        .map((name) => {
          const field = record.fields.find((one) => one.name === name);
          return (
            <div key={name} className="value-line">
              <span>
                <code>{name}</code>
                {field?.edited ? <span className="muted"> changed</span> : null}
              </span>
              <Input
                aria-label={name}
                readOnly={!editable}
                placeholder={field?.value ?? "nothing"}
                value={changes[name] ?? ""}
                onChange={(event) => {
                  const { [name]: _, ...others } = changes;
                  setChanges(event.target.value === "" ? others : { ...others, [name]: event.target.value });
                }}
              />
            </div>
          );
        })}
      {record.fields.length === 0 ? (
        <p className="muted">
          {waits
            ? "This record cannot be taken apart into fields. Discard it, or send it whole by the API."
            : "Its content is in the event log and in the lake now."}
        </p>
      ) : null}
      {editable && record.fields.length > 0 ? (
        <Button type="primary" disabled={!changed} loading={busy} onClick={() => void save()}>
          Keep the change
        </Button>
      ) : null}
    </div>
  );
}
