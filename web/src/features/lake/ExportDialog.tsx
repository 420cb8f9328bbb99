import { useQueryClient } from "@tanstack/react-query";
import { App, Form, Input, Radio, Select } from "antd";
import { useSession } from "../../shared/session";
import { instantOf } from "../../shared/time";
import { EXPORT_WAITS } from "../../shared/ui/exportWaits";
import { FormDialog } from "../../shared/ui/FormDialog";
import { askForExport, exportsQuery } from "./queries";

interface Asked {
  table: string;
  format: "parquet" | "csv";
  from?: string;
  to?: string;
  reason?: string;
}

interface ExportDialogProps {
  table: string;
  tables: string[];
  onClose(): void;
}

/** Asks for a file of a table. Times are in the firm's time zone. */
export function ExportDialog({ table, tables, onClose }: ExportDialogProps) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const { timeZone } = useSession();
  const submit = async (asked: Asked) => {
    const moment = (local?: string) => (local ? instantOf(local, timeZone).toISOString() : undefined);
    const found = await askForExport({
      table: asked.table,
      format: asked.format,
      from: moment(asked.from),
      to: moment(asked.to),
      reason: asked.reason ?? "",
    });
    if ("proposal" in found) message.info(EXPORT_WAITS, 10);
    await client.invalidateQueries({ queryKey: exportsQuery.queryKey });
  };
  return (
    <FormDialog
      title="Export a table"
      okText="Export"
      width={480}
      initialValues={{ table, format: "parquet" }}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item name="table" label="Table">
        <Select options={tables.map((value) => ({ value, label: value }))} />
      </Form.Item>
      <Form.Item name="format" label="Kind of file">
        <Radio.Group
          options={[
            { value: "parquet", label: "Parquet (exact, small)" },
            { value: "csv", label: "CSV (for spreadsheets)" },
          ]}
        />
      </Form.Item>
      <Form.Item name="from" label={`From (optional, ${timeZone})`}>
        <Input type="datetime-local" />
      </Form.Item>
      <Form.Item name="to" label={`Until, not included (optional, ${timeZone})`}>
        <Input type="datetime-local" />
      </Form.Item>
      <Form.Item name="reason" label="Why (for whoever approves a large export)">
        <Input maxLength={1000} autoComplete="off" />
      </Form.Item>
    </FormDialog>
  );
}
