import { App, Button, Input } from "antd";
import { type FormEvent, useId, useState } from "react";
import { Dialog } from "../../../shared/ui/Dialog";
import { useSubmit } from "../useSubmit";
import { change, type Machine } from "./machines";
import { KINDS, readNetworks } from "./words";

/** Renames a machine, or says from where it may be used. */
export function ChangeDialog(props: { machine: Machine; onClose(): void; onDone(): void }) {
  const { machine, onClose, onDone } = props;
  const id = useId();
  const { message } = App.useApp();
  const [name, setName] = useState(machine.name);
  const [networks, setNetworks] = useState(machine.networks.join(", "));
  const [reason, setReason] = useState("");
  const { busy, problem, run } = useSubmit();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => {
      const wanted = readNetworks(networks);
      const now = await change(machine, { name: name.trim(), networks: wanted, reason });
      if (now.networks.length === new Set(wanted).size) message.success("Changed. It holds within a second.");
      else message.info("It may be used from more places as soon as somebody else approves it.", 8);
      onDone();
      onClose();
    });
  };
  return (
    <Dialog
      title={`Change ${KINDS[machine.kind]}`}
      width={460}
      onCancel={busy ? undefined : onClose}
      footer={
        <>
          <Button onClick={onClose} disabled={busy}>
            Cancel
          </Button>
          <Button type="primary" htmlType="submit" form={id} loading={busy} disabled={name.trim() === ""}>
            Save
          </Button>
        </>
      }
    >
      <form id={id} onSubmit={submit} className="dialog-form">
        <label htmlFor={`${id}-name`}>Name</label>
        <Input
          id={`${id}-name`}
          autoFocus
          maxLength={120}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <label htmlFor={`${id}-networks`}>From these networks only</label>
        <Input
          id={`${id}-networks`}
          placeholder="everywhere"
          value={networks}
          onChange={(event) => setNetworks(event.target.value)}
        />
        <label htmlFor={`${id}-reason`}>Why (when it is to be used from more places)</label>
        <Input
          id={`${id}-reason`}
          maxLength={1000}
          placeholder="For whoever approves it"
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
        <p className="hint">Permissions stay as they were made. For others, make a new client.</p>
        {problem ? (
          <p role="alert" className="problem">
            {problem}
          </p>
        ) : null}
      </form>
    </Dialog>
  );
}
