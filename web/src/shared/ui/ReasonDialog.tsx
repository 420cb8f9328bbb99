import { Form, Input } from "antd";
import type { ReactNode } from "react";
import { FormDialog } from "./FormDialog";

interface ReasonDialogProps {
  title: string;
  text: ReactNode;
  okText: string;
  danger?: boolean;
  label?: string;
  hint?: string;
  /** How many letters a reason has at least. */
  least?: number;
  onClose(): void;
  onReason(reason: string): Promise<unknown>;
}

/** Asks why, then does it; what goes wrong is told in the dialog. */
export function ReasonDialog({
  text,
  label = "Why",
  hint,
  least = 3,
  onReason,
  ...dialog
}: ReasonDialogProps) {
  return (
    <FormDialog<{ reason: string }> {...dialog} onSubmit={({ reason }) => onReason(reason)}>
      <p>{text}</p>
      <Form.Item
        name="reason"
        label={label}
        rules={[
          { required: true, min: least, whitespace: true, message: "Say why: the audit trail keeps it." },
        ]}
      >
        <Input.TextArea rows={3} maxLength={1000} placeholder={hint} />
      </Form.Item>
    </FormDialog>
  );
}
