import { useQueryClient } from "@tanstack/react-query";
import { App, Checkbox, Form } from "antd";
import { useState } from "react";
import { counted } from "../../shared/numbers";
import { FormDialog } from "../../shared/ui/FormDialog";
import { loadFile, SCREENING, type ScreeningList } from "./queries";

const BYTES_MAX = 31_000_000;

/** A file becomes the next version of a list. */
export function LoadDialog({ list, onClose }: { list: ScreeningList; onClose(): void }) {
  const { message } = App.useApp();
  const client = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const submit = async ({ confirmed }: { confirmed?: boolean }) => {
    if (!file) return;
    const done = await loadFile(list.name, await file.text(), file.name, confirmed ?? false);
    await client.invalidateQueries({ queryKey: [SCREENING] });
    message.success(
      `${list.name} now has ${counted(done.entries, "entry", "entries")}, ${done.added} of them new.`,
    );
  };
  const check = () => {
    if (!file) return Promise.reject(new Error("Choose a file."));
    return file.size > BYTES_MAX ? Promise.reject(new Error("It is larger than 31 MB.")) : Promise.resolve();
  };
  return (
    <FormDialog<{ confirmed?: boolean }>
      title={`Load a file into ${list.name}`}
      okText="Load"
      onSubmit={submit}
      onClose={onClose}
    >
      <p>
        <code>targets.simple.csv</code> of OpenSanctions, entities of FollowTheMoney line by line, or a CSV
        file with the column <code>name</code>. It takes the place of what is on the list.
      </p>
      <Form.Item name="file" label="File" rules={[{ validator: check }]}>
        <input
          type="file"
          accept=".csv,.json,.ndjson,.jsonl,text/csv"
          onChange={(event) => setFile(event.target.files?.[0] ?? null)}
        />
      </Form.Item>
      <Form.Item name="confirmed" valuePropName="checked">
        <Checkbox>The file is whole, also if it takes more than half of the entries off</Checkbox>
      </Form.Item>
    </FormDialog>
  );
}
