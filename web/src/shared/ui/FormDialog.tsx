import { Form, type FormInstance } from "antd";
import { type ReactNode, useId, useState } from "react";
import { isProblem } from "../../api/problem";
import { STEP_UP } from "../../api/stepUp";
import { Dialog } from "./Dialog";
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
  /** Resolves to false when it did not go well and that was said elsewhere: the dialog stays. */
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
  const id = useId();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  // What stands beside each field in sight is told to who hears the page.
  const [wrong, setWrong] = useState("");
  const submit = async (filled: Fields) => {
    setBusy(true);
    setProblem(null);
    try {
      if ((await onSubmit(filled)) === false) setBusy(false);
      else onClose();
    } catch (error) {
      // Whoever did not want to prove who they are knows why nothing happened.
      if (!(isProblem(error, 403) && error.type === STEP_UP)) setProblem(reasonOf(error));
      setBusy(false);
    }
  };
  return (
    <Dialog
      width={width}
      title={title}
      okText={okText}
      // It belongs to the form although it stands outside, so that Enter in any field sends it.
      okButtonProps={{ danger, loading: busy, htmlType: "submit", form: id }}
      onCancel={busy ? undefined : onClose}
      destroyOnHidden
    >
      <Form
        id={id}
        form={used}
        layout="vertical"
        initialValues={initialValues}
        onFinishFailed={({ errorFields }) => {
          setWrong(`Not sent. ${errorFields.flatMap(({ errors }) => errors).join(" ")}`);
          if (errorFields[0]) used.focusField(errorFields[0].name);
        }}
        onFinish={(filled) => {
          setWrong("");
          void submit(filled);
        }}
      >
        {children}
      </Form>
      <p role="alert" className={problem ? "problem" : "sr-only"}>
        {problem ?? wrong}
      </p>
    </Dialog>
  );
}
