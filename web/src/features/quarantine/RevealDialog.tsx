import { Input, Modal } from "antd";
import { useState } from "react";
import { reasonOf } from "../../shared/ui/states";
import { revealRecord } from "./queries";

interface DialogProps {
  id: string;
  onShown(raw: string): void;
  onClose(): void;
}

/** Shows a record as it was sent, for a reason that is kept; the server asks for a fresh proof of who asks. */
export function RevealDialog({ id, onShown, onClose }: DialogProps) {
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async () => {
    setBusy(true);
    setProblem(null);
    try {
      onShown((await revealRecord(id, reason)).raw);
      onClose();
    } catch (error) {
      setProblem(reasonOf(error));
      setBusy(false);
    }
  };
  return (
    <Modal
      open
      title="Show what was sent"
      okText="Show"
      onCancel={onClose}
      onOk={() => void submit()}
      okButtonProps={{ disabled: reason.trim().length < 5, loading: busy }}
      destroyOnHidden
    >
      <p className="muted">
        The record may hold personal data. Your name and the reason are kept in the audit trail.
      </p>
      <label htmlFor="record-reveal-reason">Why</label>
      <Input.TextArea
        id="record-reveal-reason"
        rows={2}
        maxLength={1000}
        value={reason}
        onChange={(event) => setReason(event.target.value)}
      />
      {problem ? (
        <p role="alert" className="mend-problem">
          {problem}
        </p>
      ) : null}
    </Modal>
  );
}
