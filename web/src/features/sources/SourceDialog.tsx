import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Form, Input, Select } from "antd";
import { useState } from "react";
import { contractWord } from "../../shared/contracts";
import { Dialog } from "../../shared/ui/Dialog";
import { FormDialog } from "../../shared/ui/FormDialog";
import { credentialsOf, initialValues, settingsOf, type Values } from "./form";
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

/** Asks for a kind, and then for what a source of this kind needs. */
export function SourceDialog({ source, onClose, onAddress }: SourceDialogProps) {
  const [kind, setKind] = useState<Kind | null>(source?.connection.type ?? null);
  if (kind === null) {
    return (
      <Dialog title="Add a source" width={720} onCancel={onClose} footer={null}>
        <KindChoice onChoose={setKind} />
      </Dialog>
    );
  }
  return (
    <Asked kind={kind} source={source} onKind={() => setKind(null)} onClose={onClose} onAddress={onAddress} />
  );
}

interface Filled {
  name: string;
  values: Values;
  /** Some kinds have a contract of their own. */
  contract?: string;
  mapping?: string;
}

/** Asks for settings, contract and mapping; looks at the source before it is saved. */
function Asked({
  kind,
  source,
  onKind,
  onClose,
  onAddress,
}: SourceDialogProps & { kind: Kind; onKind(): void }) {
  const client = useQueryClient();
  const [form] = Form.useForm<Filled>();
  const [trial, setTrial] = useState<Trial | null>(null);
  const { busy, problem, run, forget } = useWork();
  const fixed = kind === "stripe" || kind === "plaid";
  const held = source?.contract ?? "transaction";
  const wanted = ({ values, contract = held, mapping = "" }: Filled) => ({
    contract,
    mapping,
    connection: settingsOf(kind, values, source),
    credentials: credentialsOf(kind, values),
  });
  const look = async () => {
    setTrial(null);
    // The name has nothing to do with whether the source can be reached.
    const names = ["values", "contract", "mapping"] as const;
    const filled = await form.validateFields([...names], { recursive: true }).catch(() => null);
    if (filled)
      await run("look", async () => setTrial(await tryOut({ ...wanted(filled), source: source?.id })));
  };
  const save = async (filled: Filled) => {
    const body = { name: filled.name.trim(), paused: false, ...wanted(filled) };
    const made = source ? null : await addSource(body);
    if (source) await changeSource(source.id, body);
    await client.invalidateQueries({ queryKey: sourcesQuery.queryKey });
    if (made?.address) onAddress(made.address);
  };
  return (
    <FormDialog<Filled>
      title={source ? `Change ${source.name}` : "Add a source"}
      okText={source ? "Save" : "Add source"}
      width={720}
      form={form}
      initialValues={{
        name: source?.name,
        values: initialValues(kind, source),
        contract: held,
        mapping: source?.mapping,
      }}
      beside={
        <Button onClick={() => void look()} loading={busy === "look"}>
          Test connection
        </Button>
      }
      onEdit={() => {
        setTrial(null);
        forget();
      }}
      onSubmit={save}
      onClose={onClose}
    >
      <div className="source-form">
        {source ? null : (
          <p className="muted source-kind">
            {KINDS[kind].title}: {KINDS[kind].about}.{" "}
            <Button type="link" size="small" onClick={onKind}>
              Another kind
            </Button>
          </p>
        )}
        <Form.Item
          name="name"
          label="Name"
          rules={[{ required: true, whitespace: true, message: "Say what the source is called here." }]}
        >
          <Input maxLength={80} placeholder="Card payments" />
        </Form.Item>
        <SettingsFields kind={kind} stored={source !== undefined} />
        {fixed ? null : <Mapped />}
        <div className="source-wide" aria-live="polite">
          {problem ? (
            <p role="alert" className="problem">
              {problem}
            </p>
          ) : null}
          {trial ? <TrialResult trial={trial} /> : null}
        </div>
      </div>
    </FormDialog>
  );
}

/** Which contract the records are held to, and how their fields are called there. */
function Mapped() {
  const names = useQuery(contractNamesQuery);
  return (
    <>
      <Form.Item name="contract" label="Contract">
        <Select
          showSearch
          options={(names.data ?? ["transaction"]).map((one) => ({
            value: one,
            label: `${contractWord(one)} (${one})`,
          }))}
        />
      </Form.Item>
      <Form.Item
        name="mapping"
        label={
          <>
            Mapping <span className="muted source-optional">(optional)</span>
          </>
        }
        extra="YAML. Only when the fields have other names than the contract's."
        className="source-wide"
      >
        <Input.TextArea
          rows={6}
          className="mono"
          placeholder={"columns:\n  customer_id: cif\n  amount: cents / 100"}
        />
      </Form.Item>
    </>
  );
}

function KindChoice({ onChoose }: { onChoose(kind: Kind): void }) {
  return (
    // No radios: an arrow key would choose the next one before anybody has heard of those after it.
    <ul className="source-kinds" aria-label="Kind">
      {Object.entries(KINDS).map(([kind, { title, about }]) => (
        <li key={kind}>
          <button type="button" onClick={() => onChoose(kind as Kind)}>
            <strong>{title}</strong>
            <span className="muted">{about}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
