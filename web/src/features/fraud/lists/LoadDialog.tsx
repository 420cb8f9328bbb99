import { App, Checkbox, Form, Input } from "antd";
import { useState } from "react";
import { counted } from "../../../shared/numbers";
import { FormDialog } from "../../../shared/ui/FormDialog";
import { blocks, type FirmList, putFile } from "./queries";

const BYTES_MAX = 16_000_000;

interface Asked {
  reason: string;
  replace?: boolean;
}

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
  const submit = async ({ reason, replace = false }: Asked) => {
    if (!file) return;
    const after = await putFile(list.name, await file.text(), reason, replace);
    await onDone();
    message.success(`The list now has ${counted(after.entries, "entry", "entries")}.`);
  };
  const check = () => {
    if (!file) return Promise.reject(new Error("Choose a file."));
    return file.size > BYTES_MAX ? Promise.reject(new Error("It is larger than 16 MB.")) : Promise.resolve();
  };
  return (
    <FormDialog<Asked> title={`Add a file to ${list.name}`} okText="Add" onSubmit={submit} onClose={onClose}>
      <p>
        A CSV file with the column <code>value</code>, and <code>expires_at</code>, <code>reason</code> and{" "}
        <code>source</code> if it has them; at most 100,000 lines.
      </p>
      <Form.Item name="file" label="CSV file" rules={[{ validator: check }]}>
        <input
          type="file"
          accept=".csv,text/csv"
          onChange={(event) => setFile(event.target.files?.[0] ?? null)}
        />
      </Form.Item>
      <Form.Item
        name="reason"
        label="Why, for lines without a reason"
        rules={[{ required: true, min: 3, whitespace: true, message: "Say why: others read it." }]}
      >
        <Input maxLength={500} />
      </Form.Item>
      {blocks(list) ? null : (
        <Form.Item name="replace" valuePropName="checked">
          <Checkbox>Take off the list what the file does not have</Checkbox>
        </Form.Item>
      )}
    </FormDialog>
  );
}
