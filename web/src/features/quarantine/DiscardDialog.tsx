import { Input, Modal } from "antd";
import { useState } from "react";
import { type Act, discardAll, type Selection } from "./queries";

interface DialogProps {
  selection: Selection;
  carryOut(begin: () => Promise<Act>): Promise<boolean>;
  onClose(): void;
}

/** Gives records up, for a reason that is kept. */
export function DiscardDialog({ selection, carryOut, onClose }: DialogProps) {
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async () => {
    setBusy(true);
    if (await carryOut(() => discardAll(selection, reason))) onClose();
    else setBusy(false);
  };
  return (
    <Modal
      open
      title="Discard these records?"
      okText="Discard"
      okButtonProps={{ danger: true, disabled: reason.trim().length < 5, loading: busy }}
      onOk={() => void submit()}
      onCancel={onClose}
      destroyOnHidden
    >
      <p className="muted">
        They are kept for 30 days and can be put back until then. The reason is audited.
      </p>
      <label htmlFor="discard-reason">Why</label>
      <Input.TextArea
        id="discard-reason"
        rows={2}
        maxLength={1000}
        value={reason}
        onChange={(event) => setReason(event.target.value)}
      />
    </Modal>
  );
}
