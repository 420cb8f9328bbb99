import { Form, Input } from "antd";
import type { ReactNode } from "react";
import { FormDialog } from "../../shared/ui/FormDialog";

interface AskDialogProps {
  title: string;
  /** What will happen, and that it cannot be undone when it cannot. */
  children?: ReactNode;
  label: string;
  action: string;
  danger?: boolean;
  required?: boolean;
  onSubmit(note: string): Promise<unknown>;
  onClose(): void;
}

/** Asks for the words that stay with an act, does it, and says why when it fails. */
export function AskDialog({ title, children, label, action, danger, required, ...props }: AskDialogProps) {
  const needed = {
    required: true,
    whitespace: true,
    message: "Say it in a few words: they stay with the act.",
  };
  return (
    <FormDialog<{ note?: string }>
      width={480}
      title={title}
      okText={action}
      danger={danger}
      onSubmit={({ note = "" }) => props.onSubmit(note.trim())}
      onClose={props.onClose}
    >
      {children}
      <Form.Item name="note" label={label} rules={required ? [needed] : []}>
        <Input.TextArea rows={3} maxLength={2000} />
      </Form.Item>
    </FormDialog>
  );
}
