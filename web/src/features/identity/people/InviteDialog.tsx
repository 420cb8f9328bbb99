import { Alert, Input, Modal, Select, Typography } from "antd";
import { useState } from "react";
import type { Schema } from "../../../api/client";
import { roleText } from "../../../shared/grants";
import { reasonOf } from "../../../shared/ui/states";
import { invite, type Role } from "./queries";
import { ROLES } from "./roles";

/** Adds a person, and shows the link that lets them in: once. */
export function InviteDialog({ onClose, onDone }: { onClose(): void; onDone(): void }) {
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("risk_analyst");
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [made, setMade] = useState<Schema<"Invitation"> | null>(null);
  const submit = async () => {
    setBusy(true);
    setProblem(null);
    try {
      setMade(await invite({ name, email, role, reason }));
      onDone();
    } catch (error) {
      setProblem(reasonOf(error));
    } finally {
      setBusy(false);
    }
  };
  if (made) {
    return (
      <Modal
        open
        title={`${made.user.name} is invited`}
        onCancel={onClose}
        onOk={onClose}
        cancelButtonProps={{ hidden: true }}
      >
        {made.link ? (
          <>
            <p>Send this link to nobody but {made.user.name}: it lets in whoever holds it, for 24 hours.</p>
            <Typography.Paragraph copyable code>
              {made.link}
            </Typography.Paragraph>
          </>
        ) : (
          <p>
            {made.proposal
              ? "A second administrator has to approve this under Approvals. "
              : "The account is ready. "}
            Their link is then made by the operator: <code>finer user link</code>.
          </p>
        )}
      </Modal>
    );
  }
  return (
    <Modal
      open
      title="Invite a person"
      okText="Invite"
      onCancel={onClose}
      onOk={() => void submit()}
      confirmLoading={busy}
      okButtonProps={{
        disabled: !name.trim() || !email.trim() || (role === "administrator" && !reason.trim()),
      }}
    >
      <div className="people-form">
        <label htmlFor="invite-name">Name</label>
        <Input
          id="invite-name"
          autoFocus
          maxLength={120}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <label htmlFor="invite-email">E-mail address</label>
        <Input
          id="invite-email"
          type="email"
          maxLength={254}
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
        <label htmlFor="invite-role">Role</label>
        <Select<Role>
          id="invite-role"
          value={role}
          onChange={setRole}
          options={ROLES.map((value) => ({ value, label: roleText(value) }))}
        />
        {role === "administrator" ? (
          <>
            <label htmlFor="invite-reason">Why (for whoever approves)</label>
            <Input
              id="invite-reason"
              maxLength={1000}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            />
            <Alert type="info" showIcon title="A second administrator has to approve." />
          </>
        ) : null}
      </div>
      {problem ? (
        <p role="alert" className="problem">
          {problem}
        </p>
      ) : null}
    </Modal>
  );
}
