import { Form, Input, Modal } from "antd";
import { useState } from "react";
import { reasonOf } from "../../shared/ui/states";

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
  const [form] = Form.useForm<{ reason: string }>();
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async ({ reason }: { reason: string }) => {
    setProblem(null);
    try {
      await onReason(reason);
      onClose();
    } catch (error) {
      setProblem(reasonOf(error));
    }
  };
  return (
    <Modal
      open
      title={title}
      okText={okText}
      okButtonProps={{ danger }}
      onOk={form.submit}
      onCancel={onClose}
      destroyOnHidden
    >
      <p>{text}</p>
      <Form form={form} layout="vertical" onFinish={(fields) => void submit(fields)}>
        <Form.Item
          name="reason"
          label="Why"
          rules={[
            { required: true, min: 3, whitespace: true, message: "Say why: the audit trail keeps it." },
          ]}
        >
          <Input.TextArea rows={3} maxLength={1000} />
        </Form.Item>
      </Form>
      {problem ? (
        <p role="alert" className="problem">
          {problem}
        </p>
      ) : null}
    </Modal>
  );
}
