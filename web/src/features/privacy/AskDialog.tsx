import { Input } from "antd";
import { type ReactNode, useState } from "react";
import { Dialog } from "../../shared/ui/Dialog";
import { reasonOf } from "../../shared/ui/states";

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
export function AskDialog(props: AskDialogProps) {
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await props.onSubmit(note.trim());
      props.onClose();
    } catch (error) {
      setProblem(reasonOf(error));
      setBusy(false);
    }
  };
  return (
    <Dialog
      width={480}
      title={props.title}
      onCancel={busy ? undefined : props.onClose}
      onOk={() => void submit()}
      okText={props.action}
      okButtonProps={{ danger: props.danger, loading: busy, disabled: props.required && note.trim() === "" }}
      destroyOnHidden
    >
      {props.children}
      <label htmlFor="privacy-note">{props.label}</label>
      <Input.TextArea
        id="privacy-note"
        autoFocus
        rows={3}
        maxLength={2000}
        value={note}
        onChange={(event) => setNote(event.target.value)}
      />
      {problem ? (
        <p role="alert" className="problem">
          {problem}
        </p>
      ) : null}
    </Dialog>
  );
}
