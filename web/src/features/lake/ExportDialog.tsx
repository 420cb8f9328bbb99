import { useQueryClient } from "@tanstack/react-query";
import { App, Form, Input, Modal, Radio, Select } from "antd";
import { useState } from "react";
import { isProblem } from "../../api/problem";
import { STEP_UP } from "../../api/stepUp";
import { useSession } from "../../shared/session";
import { instantOf } from "../../shared/time";
import { reasonOf } from "../../shared/ui/states";
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
  const [form] = Form.useForm<Asked>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (asked: Asked) => {
    setBusy(true);
    setProblem(null);
    const moment = (local?: string) => (local ? instantOf(local, timeZone).toISOString() : undefined);
    try {
      const found = await askForExport({
        table: asked.table,
        format: asked.format,
        from: moment(asked.from),
        to: moment(asked.to),
        reason: asked.reason ?? "",
      });
      if ("proposal" in found)
        message.info(
          "These are many rows, so somebody else has to approve it, under Approvals. Then export the same once more.",
          10,
        );
      await client.invalidateQueries({ queryKey: exportsQuery.queryKey });
      onClose();
    } catch (error) {
      if (!(isProblem(error, 403) && error.type === STEP_UP)) setProblem(reasonOf(error));
      setBusy(false);
    }
  };
  return (
    <Modal
      open
      width={480}
      title="Export a table"
      okText="Export"
      onOk={form.submit}
      onCancel={busy ? undefined : onClose}
      okButtonProps={{ loading: busy }}
      destroyOnHidden
    >
      <Form
        form={form}
        layout="vertical"
        initialValues={{ table, format: "parquet" }}
        onFinish={(asked) => void submit(asked)}
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
      </Form>
      {problem ? (
        <p role="alert" className="problem">
          {problem}
        </p>
      ) : null}
    </Modal>
  );
}
