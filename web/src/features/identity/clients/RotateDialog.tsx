import { App, Button, Select } from "antd";
import { useId, useState } from "react";
import { Dialog } from "../../../shared/ui/Dialog";
import { useSubmit } from "../useSubmit";
import { type Machine, revoke, rotate, type Secret } from "./machines";
import { shownRef } from "./words";

const OVERLAPS = [
  { value: 0, label: "Stop at once" },
  { value: 1, label: "Work for one more hour" },
  { value: 24, label: "Work for one more day" },
  { value: 168, label: "Work for one more week" },
];

interface RotateDialogProps {
  machine: Machine;
  onClose(): void;
  onDone(secret: Secret): void;
  onStored(): void;
}

/** Gives a machine a new secret while the old one goes on for a while. */
export function RotateDialog({ machine, onClose, onDone, onStored }: RotateDialogProps) {
  const id = useId();
  const [hours, setHours] = useState(24);
  const { busy, problem, run } = useSubmit();
  const submit = () =>
    run(async () => {
      const made = await rotate(machine, hours);
      onStored();
      onClose();
      onDone(made);
    });
  return (
    <Dialog
      title={`New secret for ${machine.name}`}
      width={460}
      onCancel={busy ? undefined : onClose}
      footer={
        <>
          <Button onClick={onClose} disabled={busy}>
            Cancel
          </Button>
          <Button type="primary" loading={busy} onClick={() => void submit()}>
            Make a new secret
          </Button>
        </>
      }
    >
      <div className="dialog-form">
        <label htmlFor={id}>The present secret shall</label>
        <Select id={id} value={hours} onChange={setHours} options={OVERLAPS} />
        <p className="hint">Until then both work, so that the system can change over without a gap.</p>
        {problem ? (
          <p role="alert" className="problem">
            {problem}
          </p>
        ) : null}
      </div>
    </Dialog>
  );
}

/** Ends a machine, after asking. */
export function RevokeDialog(props: { machine: Machine; onClose(): void; onDone(): void }) {
  const { machine, onClose, onDone } = props;
  const { message } = App.useApp();
  const { busy, problem, run } = useSubmit();
  const submit = () =>
    run(async () => {
      await revoke(machine);
      message.success(`${machine.name} is revoked.`);
      onDone();
      onClose();
    });
  return (
    <Dialog
      title={`Revoke ${machine.name}?`}
      width={460}
      onCancel={busy ? undefined : onClose}
      footer={
        <>
          <Button onClick={onClose} disabled={busy} autoFocus>
            Keep it
          </Button>
          <Button type="primary" danger loading={busy} onClick={() => void submit()}>
            Revoke
          </Button>
        </>
      }
    >
      <p>
        Whatever uses <code>{shownRef(machine)}</code> is refused within a second, and its tokens with it.
        This cannot be undone.
      </p>
      {problem ? (
        <p role="alert" className="problem">
          {problem}
        </p>
      ) : null}
    </Dialog>
  );
}
