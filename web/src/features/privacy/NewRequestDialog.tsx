import { useQueryClient } from "@tanstack/react-query";
import { Form, Input, Select } from "antd";
import type { Schema } from "../../api/client";
import { FormDialog } from "../../shared/ui/FormDialog";
import { openRequest } from "./queries";
import { KINDS, LAWS } from "./words";

const options = (words: Record<string, string>) =>
  Object.entries(words).map(([value, label]) => ({ value, label }));

const NAMED_BY = { user: "E-mail address", customer: "Customer id", payee: "Id that payments name" } as const;

/** Takes in what a person asked, by letter, telephone or in the branch. */
export function NewRequestDialog({ onClose, onMade }: { onClose(): void; onMade(id: string): void }) {
  const client = useQueryClient();
  const [form] = Form.useForm<Schema<"RequestBody">>();
  const kind = Form.useWatch("subject_kind", form);
  const submit = async (body: Schema<"RequestBody">) => {
    const made = await openRequest(body);
    await client.invalidateQueries({ queryKey: ["privacy"] });
    onMade(made.request.id);
  };
  return (
    <FormDialog
      title="New request"
      okText="Take it in"
      width={520}
      initialValues={{ kind: "access", law: "gdpr", subject_kind: "customer", detail: "" }}
      form={form}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item name="kind" label="The person asks to">
        <Select options={options(KINDS)} />
      </Form.Item>
      <Form.Item name="law" label="Under">
        <Select options={options(LAWS)} />
      </Form.Item>
      <Form.Item name="subject_kind" label="The person is">
        <Select
          options={[
            { value: "customer", label: "A customer" },
            { value: "payee", label: "A payee who was screened" },
            { value: "user", label: "Somebody who signs in" },
          ]}
        />
      </Form.Item>
      <Form.Item
        name="subject"
        label={NAMED_BY[kind ?? "customer"]}
        rules={[{ required: true, whitespace: true, message: "Say who asks." }]}
      >
        <Input maxLength={254} autoComplete="off" />
      </Form.Item>
      <Form.Item name="detail" label="In their words (optional)">
        <Input.TextArea rows={3} maxLength={4000} />
      </Form.Item>
    </FormDialog>
  );
}
