import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Input, Radio, Select } from "antd";
import { type FormEvent, useId, useState } from "react";
import { contractWord } from "../../shared/contracts";
import { Dialog } from "../../shared/ui/Dialog";
import { credentialsOf, initialValues, isComplete, settingsOf } from "./form";
import {
  addSource,
  changeSource,
  contractNamesQuery,
  type Kind,
  type Source,
  sourcesQuery,
  type Trial,
  tryOut,
} from "./queries";
import { SettingsFields } from "./SettingsFields";
import { TrialResult } from "./TrialResult";
import { useWork } from "./useWork";
import { KINDS } from "./words";

interface SourceDialogProps {
  /** The source to change; without one, a new source is added. */
  source?: Source;
  onClose(): void;
  onAddress(address: string): void;
}

/** Asks for a kind, its settings, the contract and the mapping; looks at the source before it is saved. */
export function SourceDialog({ source, onClose, onAddress }: SourceDialogProps) {
  const id = useId();
  const client = useQueryClient();
  const names = useQuery(contractNamesQuery);
  const [kind, setKind] = useState<Kind | null>(source?.connection.type ?? null);
  const [values, setValues] = useState(() => (source ? initialValues(source.connection.type, source) : {}));
  const [name, setName] = useState(source?.name ?? "");
  const [contract, setContract] = useState(source?.contract ?? "transaction");
  const [mapping, setMapping] = useState(source?.mapping ?? "");
  const [trial, setTrial] = useState<Trial | null>(null);
  const { busy, problem, run } = useWork();
  const fixed = kind === "stripe" || kind === "plaid";
  const complete = kind !== null && isComplete(kind, values, source !== undefined);

  const choose = (chosen: Kind) => {
    setKind(chosen);
    setValues(initialValues(chosen));
    setTrial(null);
    if (chosen === "stripe" || chosen === "plaid") setContract("transaction");
  };
  const edited = (work: () => void) => {
    work();
    setTrial(null);
  };
  const wanted = (chosen: Kind) => ({
    contract,
    mapping: fixed ? "" : mapping,
    connection: settingsOf(chosen, values, source),
    credentials: credentialsOf(chosen, values),
  });
  const look = () =>
    kind === null
      ? undefined
      : run("look", async () => setTrial(await tryOut({ ...wanted(kind), source: source?.id })));
  const save = (event: FormEvent) => {
    event.preventDefault();
    if (kind === null) return;
    void run("save", async () => {
      const body = { name: name.trim(), paused: false, ...wanted(kind) };
      const made = source ? null : await addSource(body);
      if (source) await changeSource(source.id, body);
      await client.invalidateQueries({ queryKey: sourcesQuery.queryKey });
      onClose();
      if (made?.address) onAddress(made.address);
    });
  };

  const foot = (
    <>
      <Button onClick={onClose} disabled={busy !== null}>
        Cancel
      </Button>
      <Button onClick={() => void look()} loading={busy === "look"} disabled={!complete || busy === "save"}>
        Test connection
      </Button>
      <Button
        type="primary"
        htmlType="submit"
        form={id}
        loading={busy === "save"}
        disabled={!complete || name.trim() === "" || busy === "look"}
      >
        {source ? "Save" : "Add source"}
      </Button>
    </>
  );
  return (
    <Dialog
      title={source ? `Change ${source.name}` : "Add a source"}
      width={720}
      onCancel={busy ? undefined : onClose}
      closable={busy === null}
      mask={{ closable: false }}
      footer={kind === null ? null : foot}
    >
      {kind === null ? (
        <KindChoice onChoose={choose} />
      ) : (
        <form id={id} onSubmit={save} className="source-form">
          {source ? null : (
            <p className="muted source-kind">
              {KINDS[kind].title}: {KINDS[kind].about}.{" "}
              <Button type="link" size="small" onClick={() => setKind(null)}>
                Another kind
              </Button>
            </p>
          )}
          <div className="source-field">
            <label htmlFor={`${id}-name`}>Name</label>
            <Input
              id={`${id}-name`}
              autoFocus
              maxLength={80}
              value={name}
              placeholder="Card payments"
              onChange={(event) => setName(event.target.value)}
            />
          </div>
          <SettingsFields
            id={id}
            kind={kind}
            values={values}
            stored={source !== undefined}
            onChange={(next) => edited(() => setValues(next))}
          />
          {fixed ? null : (
            <>
              <div className="source-field">
                <label htmlFor={`${id}-contract`}>Contract</label>
                <Select
                  id={`${id}-contract`}
                  showSearch
                  value={contract}
                  onChange={(next) => edited(() => setContract(next))}
                  options={(names.data ?? [contract]).map((one) => ({
                    value: one,
                    label: `${contractWord(one)} (${one})`,
                  }))}
                />
              </div>
              <div className="source-field source-wide">
                <label htmlFor={`${id}-mapping`}>
                  Mapping <span className="muted">(optional)</span>
                </label>
                <Input.TextArea
                  id={`${id}-mapping`}
                  rows={6}
                  className="mono"
                  value={mapping}
                  placeholder={"columns:\n  customer_id: cif\n  amount: cents / 100"}
                  onChange={(event) => edited(() => setMapping(event.target.value))}
                />
                <p className="hint">YAML. Only when the fields have other names than the contract's.</p>
              </div>
            </>
          )}
          <div className="source-wide" aria-live="polite">
            {problem ? (
              <p role="alert" className="problem">
                {problem}
              </p>
            ) : null}
            {trial ? <TrialResult trial={trial} /> : null}
          </div>
        </form>
      )}
    </Dialog>
  );
}

function KindChoice({ onChoose }: { onChoose(kind: Kind): void }) {
  return (
    <Radio.Group
      className="source-kinds"
      aria-label="Kind"
      onChange={(event) => onChoose(event.target.value)}
    >
      {Object.entries(KINDS).map(([kind, { title, about }]) => (
        <Radio key={kind} value={kind}>
          <strong>{title}</strong>
          <span className="muted">{about}</span>
        </Radio>
      ))}
    </Radio.Group>
  );
}
