import { App, Checkbox, Input } from "antd";
import { useState } from "react";
import { counted } from "../../../shared/numbers";
import { Dialog } from "../../../shared/ui/Dialog";
import { reasonOf } from "../../../shared/ui/states";
import { blocks, type FirmList, putFile } from "./queries";

const BYTES_MAX = 16_000_000;

/** Puts a CSV file on a list, all of it or nothing. */
export function LoadDialog({
  list,
  onClose,
  onDone,
}: {
  list: FirmList;
  onClose(): void;
  onDone(): Promise<void>;
}) {
  const { message } = App.useApp();
  const [file, setFile] = useState<File | null>(null);
  const [reason, setReason] = useState("");
  const [replace, setReplace] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async () => {
    if (!file) return;
    setProblem(null);
    setBusy(true);
    try {
      const after = await putFile(list.name, await file.text(), reason, replace);
      await onDone();
      message.success(`The list now has ${counted(after.entries, "entry", "entries")}.`);
      onClose();
    } catch (error) {
      setProblem(reasonOf(error));
    } finally {
      setBusy(false);
    }
  };
  const tooLarge = file !== null && file.size > BYTES_MAX;
  return (
    <Dialog
      title={`Add a file to ${list.name}`}
      okText="Add"
      confirmLoading={busy}
      okButtonProps={{ disabled: !file || tooLarge || reason.trim().length < 3 }}
      onOk={() => void submit()}
      onCancel={onClose}
      destroyOnHidden
    >
      <div className="lists-file">
        <p>
          A CSV file with the column <code>value</code>, and <code>expires_at</code>, <code>reason</code> and{" "}
          <code>source</code> if it has them; at most 100,000 lines.
        </p>
        <input
          type="file"
          aria-label="CSV file"
          accept=".csv,text/csv"
          onChange={(event) => setFile(event.target.files?.[0] ?? null)}
        />
        <label htmlFor="file-reason">Why, for lines without a reason</label>
        <Input
          id="file-reason"
          value={reason}
          maxLength={500}
          onChange={(event) => setReason(event.target.value)}
        />
        {blocks(list) ? null : (
          <Checkbox checked={replace} onChange={(event) => setReplace(event.target.checked)}>
            Take off the list what the file does not have
          </Checkbox>
        )}
        {tooLarge ? <p role="alert">The file is larger than 16 MB.</p> : null}
        {problem ? (
          <p role="alert" className="problem">
            {problem}
          </p>
        ) : null}
      </div>
    </Dialog>
  );
}
