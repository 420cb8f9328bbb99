import { Alert, Form, Input, Select, Typography } from "antd";
import { useState } from "react";
import type { Schema } from "../../../api/client";
import { roleText } from "../../../shared/grants";
import { Dialog } from "../../../shared/ui/Dialog";
import { FormDialog } from "../../../shared/ui/FormDialog";
import { invite, type Role } from "./queries";
import { ROLES } from "./roles";

interface Asked {
  name: string;
  email: string;
  role: Role;
  reason?: string;
}

/** Adds a person, and shows the link that lets them in: once. */
export function InviteDialog({ onClose, onDone }: { onClose(): void; onDone(): void }) {
  const [form] = Form.useForm<Asked>();
  const role = Form.useWatch("role", form);
  const [made, setMade] = useState<Schema<"Invitation"> | null>(null);
  const submit = async ({ reason = "", ...asked }: Asked) => {
    setMade(await invite({ ...asked, reason }));
    onDone();
    return false;
  };
  if (made) {
    return (
      <Dialog
        title={`${made.user.name} is invited`}
        onCancel={onClose}
        onOk={onClose}
        cancelButtonProps={{ hidden: true }}
        // A slip beside it must not lose the link.
        closable={!made.link}
        keyboard={!made.link}
        mask={{ closable: !made.link }}
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
      </Dialog>
    );
  }
  return (
    <FormDialog<Asked>
      title="Invite a person"
      okText="Invite"
      form={form}
      initialValues={{ role: "risk_analyst" }}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item
        name="name"
        label="Name"
        rules={[{ required: true, whitespace: true, message: "Say who it is." }]}
      >
        <Input maxLength={120} />
      </Form.Item>
      <Form.Item
        name="email"
        label="E-mail address"
        rules={[
          {
            required: true,
            type: "email",
            message: "Say the address that they sign in with, like ana@bank.example.",
          },
        ]}
      >
        <Input type="email" maxLength={254} />
      </Form.Item>
      <Form.Item name="role" label="Role">
        <Select<Role> options={ROLES.map((value) => ({ value, label: roleText(value) }))} />
      </Form.Item>
      {role === "administrator" ? (
        <>
          <Form.Item
            name="reason"
            label="Why (for whoever approves)"
            rules={[{ required: true, whitespace: true, message: "Say why, for whoever approves it." }]}
          >
            <Input maxLength={1000} />
          </Form.Item>
          <Alert type="info" showIcon title="A second administrator has to approve." />
        </>
      ) : null}
    </FormDialog>
  );
}
