import { Form, Input } from "antd";
import { FormDialog } from "./FormDialog";

interface ReasonDialogProps {
  title: string;
  text: string;
  okText: string;
  danger?: boolean;
  onClose(): void;
  onReason(reason: string): Promise<void>;
}

/** Asks why, then does it; what goes wrong is told in the dialog. */
export function ReasonDialog({ title, text, okText, danger, onClose, onReason }: ReasonDialogProps) {
  const submit = async ({ reason }: { reason: string }) => {
    await onReason(reason);
  };
  return (
    <FormDialog title={title} okText={okText} danger={danger} onSubmit={submit} onClose={onClose}>
      <p>{text}</p>
      <Form.Item
        name="reason"
        label="Why"
        rules={[{ required: true, min: 3, whitespace: true, message: "Say why: the audit trail keeps it." }]}
      >
        <Input.TextArea rows={3} maxLength={1000} />
      </Form.Item>
    </FormDialog>
  );
}
