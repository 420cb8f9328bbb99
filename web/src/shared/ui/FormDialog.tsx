import { Form, type FormInstance, Modal } from "antd";
import { type ReactNode, useState } from "react";
import { isProblem } from "../../api/problem";
import { STEP_UP } from "../../api/stepUp";
import { reasonOf } from "./states";

interface FormDialogProps<Fields> {
  title: string;
  okText: string;
  danger?: boolean;
  width?: number;
  initialValues?: Partial<Fields>;
  /** The form, for who watches one of its fields. */
  form?: FormInstance<Fields>;
  children: ReactNode;
  onSubmit(fields: Fields): Promise<unknown>;
  onClose(): void;
}

/** A form in a dialog: sent once at a time, closed when that went well; why it did not is told in the dialog. */
export function FormDialog<Fields extends object>({
  title,
  okText,
  danger,
  width,
  initialValues,
  form,
  children,
  onSubmit,
  onClose,
}: FormDialogProps<Fields>) {
  const [used] = Form.useForm<Fields>(form);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (fields: Fields) => {
    setBusy(true);
    setProblem(null);
    try {
      await onSubmit(fields);
      onClose();
    } catch (error) {
      // Whoever did not want to prove who they are knows why nothing happened.
      if (!(isProblem(error, 403) && error.type === STEP_UP)) setProblem(reasonOf(error));
      setBusy(false);
    }
  };
  return (
    <Modal
      open
      width={width}
      title={title}
      okText={okText}
      okButtonProps={{ danger, loading: busy }}
      onOk={used.submit}
      onCancel={busy ? undefined : onClose}
      destroyOnHidden
    >
      <Form
        form={used}
        layout="vertical"
        initialValues={initialValues}
        onFinish={(fields) => void submit(fields)}
      >
        {children}
      </Form>
      {problem ? (
        <p role="alert" className="problem">
          {problem}
        </p>
      ) : null}
    </Modal>
  );
}
