import { Form, type FormInstance } from "antd";
import { type ReactNode, useId, useRef, useState } from "react";
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
  /** Stands before the buttons: what else can be done with what is filled in. */
  beside?: ReactNode;
  children: ReactNode;
  onEdit?(): void;
  /** Resolves to false when it did not go well and that was said elsewhere, or more is to be done: the dialog stays. */
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
  beside,
  children,
  onEdit,
  onSubmit,
  onClose,
}: FormDialogProps<Fields>) {
  const [used] = Form.useForm<Fields>(form);
  const id = useId();
  // The fields are checked before the button is drawn as busy: two keys at once would send twice.
  const sending = useRef(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  // What stands beside each field in sight is told to who hears the page.
  const [wrong, setWrong] = useState("");
  const submit = async (filled: Fields) => {
    if (sending.current) return;
    sending.current = true;
    setBusy(true);
    setProblem(null);
    setWrong("");
    try {
      if ((await onSubmit(filled)) === false) setBusy(false);
      else onClose();
    } catch (error) {
      // Whoever did not want to prove who they are knows why nothing happened.
      if (!(isProblem(error, 403) && error.type === STEP_UP)) setProblem(reasonOf(error));
      setBusy(false);
    } finally {
      sending.current = false;
    }
  };
  return (
    <Dialog
      width={width}
      title={title}
      okText={okText}
      // It belongs to the form although it stands outside, so that Enter in any field sends it.
      okButtonProps={{ danger, loading: busy, htmlType: "submit", form: id }}
      cancelButtonProps={{ disabled: busy }}
      onCancel={busy ? undefined : onClose}
      closable={!busy}
      // A slip beside it must not lose what was filled in.
      mask={{ closable: false }}
      footer={(buttons) => (
        <>
          {beside}
          {buttons}
        </>
      )}
    >
      <Form
        id={id}
        form={used}
        layout="vertical"
        initialValues={initialValues}
        onValuesChange={onEdit}
        onFinishFailed={({ errorFields }) => {
          setProblem(null);
          setWrong(`Not sent. ${errorFields.flatMap(({ errors }) => errors).join(" ")}`);
          if (errorFields[0]) used.focusField(errorFields[0].name);
        }}
        onFinish={(filled) => void submit(filled)}
      >
        {children}
      </Form>
      <p role="alert" className={problem ? "problem" : "sr-only"}>
        {problem ?? wrong}
      </p>
    </Dialog>
  );
}
