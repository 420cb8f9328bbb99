import { useQueryClient } from "@tanstack/react-query";
import { App, Form, Input, InputNumber, Select } from "antd";
import type { Schema } from "../../api/client";
import { roleText } from "../../shared/grants";
import { FormDialog } from "../../shared/ui/FormDialog";
import { askForExtract, extractsQuery } from "./queries";

interface ExtractDialogProps {
  tables: string[];
  roles: Schema<"ExtractPage">["roles"];
  onClose(): void;
}

/** Proposes that BI tools may read tables. */
export function ExtractDialog({ tables, roles, onClose }: ExtractDialogProps) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const submit = async (body: Schema<"ExtractBody">) => {
    const { proposal } = await askForExtract({ ...body, days: body.days ?? null });
    await client.invalidateQueries({ queryKey: extractsQuery.queryKey });
    message.info(
      proposal
        ? "Somebody else has to approve it, under Approvals. Then its tables are copied."
        : "Its tables are being copied.",
      10,
    );
  };
  return (
    <FormDialog
      title="Open to a BI tool"
      okText="Propose it"
      width={480}
      initialValues={{ tables: [], shown_as: "executive", every_hours: 24, reason: "" }}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item
        name="name"
        label="Name"
        extra="Small letters, digits and underscores."
        rules={[
          {
            required: true,
            pattern: /^[a-z][a-z0-9_]{1,39}$/,
            message: "2 to 40 small letters, digits and underscores, a letter first.",
          },
        ]}
      >
        <Input placeholder="sales_dashboard" maxLength={40} autoComplete="off" />
      </Form.Item>
      <Form.Item
        name="tables"
        label="Tables"
        rules={[{ required: true, type: "array", min: 1, message: "Choose at least one table." }]}
      >
        <Select mode="multiple" options={tables.map((value) => ({ value, label: value }))} />
      </Form.Item>
      <Form.Item name="days" label="Rows of the last days (all of them when empty)">
        <InputNumber min={1} max={3660} />
      </Form.Item>
      <Form.Item
        name="shown_as"
        label="Masked as this role sees it"
        extra="Whoever looks with the BI tool sees the same; it may not be more than you see."
      >
        <Select options={roles.map((value) => ({ value, label: roleText(value) }))} />
      </Form.Item>
      <Form.Item name="every_hours" label="Copied again every so many hours">
        <InputNumber min={1} max={168} />
      </Form.Item>
      <Form.Item
        name="reason"
        label="Why (for whoever approves it)"
        rules={[{ required: true, whitespace: true, message: "Say why." }]}
      >
        <Input maxLength={1000} autoComplete="off" />
      </Form.Item>
    </FormDialog>
  );
}
