import { App, Input, Modal, Select } from "antd";
import { useState } from "react";
import { roleText } from "../../../shared/grants";
import { reasonOf } from "../../../shared/ui/states";
import { changeRole, enable, type Person, type Role } from "./queries";
import { ROLES } from "./roles";

interface PersonDialogProps {
  person: Person;
  act: "role" | "enable";
  onClose(): void;
  onDone(): void;
}

/** Proposes another role, or lets a disabled person in again. */
export function PersonDialog({ person, act, onClose, onDone }: PersonDialogProps) {
  const { message } = App.useApp();
  const [role, setRole] = useState<Role>(person.role);
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const made = act === "role" ? await changeRole(person, role, reason) : await enable(person, reason);
      message.success(
        made.proposal ? "Proposed. A second administrator has to approve it under Approvals." : "Done.",
        6,
      );
      onDone();
      onClose();
    } catch (error) {
      setProblem(reasonOf(error));
    } finally {
      setBusy(false);
    }
  };
  const incomplete = reason.trim().length < 3 || (act === "role" && role === person.role);
  return (
    <Modal
      open
      title={act === "role" ? `Change the role of ${person.name}` : `Enable ${person.name}`}
      okText={act === "role" ? "Propose" : "Enable"}
      onCancel={onClose}
      onOk={() => void submit()}
      confirmLoading={busy}
      okButtonProps={{ disabled: incomplete }}
    >
      <div className="people-form">
        {act === "role" ? (
          <>
            <label htmlFor="person-role">Role, now {roleText(person.role)}</label>
            <Select<Role>
              id="person-role"
              value={role}
              onChange={setRole}
              options={ROLES.map((value) => ({ value, label: roleText(value) }))}
            />
          </>
        ) : null}
        <label htmlFor="person-reason">Why</label>
        <Input.TextArea
          id="person-reason"
          rows={2}
          maxLength={1000}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </div>
      {problem ? (
        <p role="alert" className="problem">
          {problem}
        </p>
      ) : null}
    </Modal>
  );
}
