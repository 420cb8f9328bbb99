import { Button, Checkbox, Input, InputNumber, Radio } from "antd";
import { type FormEvent, useId, useState } from "react";
import { Dialog } from "../../../shared/ui/Dialog";
import { useSubmit } from "../useSubmit";
import { create, type Kind, type Secret } from "./machines";
import { KINDS, readNetworks, SCOPES } from "./words";

interface CreateDialogProps {
  onClose(): void;
  onDone(secret: Secret): void;
  onStored(): void;
}

/** Asks what a machine may do, from where and for how long. */
export function CreateDialog({ onClose, onDone, onStored }: CreateDialogProps) {
  const id = useId();
  const [kind, setKind] = useState<Kind>("key");
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<string[]>([]);
  const [days, setDays] = useState(365);
  const [networks, setNetworks] = useState("");
  const [reason, setReason] = useState("");
  const { busy, problem, run } = useSubmit();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => {
      const wanted = { name: name.trim(), scopes, days, networks: readNetworks(networks), reason };
      const made = await create(kind, wanted);
      onStored();
      onClose();
      onDone(made);
    });
  };
  return (
    <Dialog
      title="New API client"
      width={520}
      onCancel={busy ? undefined : onClose}
      closable={!busy}
      footer={
        <>
          <Button onClick={onClose} disabled={busy}>
            Cancel
          </Button>
          <Button
            type="primary"
            htmlType="submit"
            form={id}
            loading={busy}
            disabled={name.trim() === "" || scopes.length === 0 || reason.trim().length < 3}
          >
            Create
          </Button>
        </>
      }
    >
      <form id={id} onSubmit={submit} className="dialog-form">
        <Radio.Group value={kind} onChange={(event) => setKind(event.target.value)} aria-label="Kind">
          <Radio value="key">{KINDS.key}</Radio>
          <Radio value="client">{KINDS.client}</Radio>
        </Radio.Group>
        <p className="hint">
          {kind === "key"
            ? "The key goes with every request. Simple, and right for most systems."
            : "The client exchanges its secret for tokens of ten minutes (OAuth 2 client credentials)."}
        </p>
        <label htmlFor={`${id}-name`}>Name</label>
        <Input
          id={`${id}-name`}
          autoFocus
          maxLength={120}
          placeholder="Which system uses it"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <fieldset>
          <legend>May</legend>
          <Checkbox.Group value={scopes} onChange={setScopes} className="dialog-scopes">
            {SCOPES.map(({ scope, about }) => (
              <Checkbox key={scope} value={scope}>
                {about} <code className="muted">{scope}</code>
              </Checkbox>
            ))}
          </Checkbox.Group>
        </fieldset>
        <label htmlFor={`${id}-days`}>Days until it ends</label>
        <InputNumber
          id={`${id}-days`}
          min={1}
          max={3650}
          precision={0}
          value={days}
          onChange={(value) => setDays(value ?? 365)}
        />
        <label htmlFor={`${id}-networks`}>From these networks only (optional)</label>
        <Input
          id={`${id}-networks`}
          placeholder="203.0.113.0/24, 2001:db8::/48"
          value={networks}
          onChange={(event) => setNetworks(event.target.value)}
        />
        <label htmlFor={`${id}-reason`}>Why</label>
        <Input
          id={`${id}-reason`}
          maxLength={1000}
          placeholder="For whoever approves it"
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
        {problem ? (
          <p role="alert" className="problem">
            {problem}
          </p>
        ) : null}
      </form>
    </Dialog>
  );
}
