import { App, Form, Input, Radio } from "antd";
import { saveFile } from "../../shared/csv";
import { EXPORT_WAITS } from "../../shared/ui/exportWaits";
import { FormDialog } from "../../shared/ui/FormDialog";
import { type ExportFormat, exportResult, type Run } from "./queries";

interface Asked {
  format: ExportFormat;
  reason?: string;
}

/** Asks for a result as a file; a large one waits for somebody else first. */
export function ExportDialog({ run, onClose }: { run: Run; onClose(): void }) {
  const { message } = App.useApp();
  const submit = async ({ format, reason }: Asked) => {
    const file = await exportResult(run.id, format, reason ?? "");
    if (file === null) message.info(EXPORT_WAITS, 10);
    else saveFile(`${run.id}.${format}`, file);
  };
  return (
    <FormDialog<Asked>
      title="Export the result"
      okText="Export"
      width={480}
      initialValues={{ format: "csv" }}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item name="format" label="Kind of file">
        <Radio.Group
          options={[
            { value: "csv", label: "CSV (for spreadsheets)" },
            { value: "parquet", label: "Parquet (exact, small)" },
            { value: "arrow", label: "Arrow (for programs)" },
          ]}
        />
      </Form.Item>
      <Form.Item name="reason" label="Why (for whoever approves a large export)">
        <Input maxLength={1000} autoComplete="off" />
      </Form.Item>
    </FormDialog>
  );
}
