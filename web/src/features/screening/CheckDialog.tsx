import { useQueryClient } from "@tanstack/react-query";
import { App, Form, Input, Select } from "antd";
import { counted } from "../../shared/numbers";
import { FormDialog } from "../../shared/ui/FormDialog";
import { check, SCREENING } from "./queries";

interface Fields {
  kind: "payee" | "customer";
  reference: string;
  name: string;
  born?: string;
  country?: string;
  document?: string;
}

/** Screens somebody at once. */
export function CheckDialog({ onClose }: { onClose(): void }) {
  const { message } = App.useApp();
  const client = useQueryClient();
  const some = (value: string | undefined) => (value?.trim() ? [value.trim()] : []);
  const submit = async ({ kind, reference, name, born, country, document }: Fields) => {
    const found = await check({
      kind,
      reference,
      names: [name],
      birth_dates: some(born),
      countries: some(country),
      identifiers: some(document),
    });
    await client.invalidateQueries({ queryKey: [SCREENING, "hits"] });
    if (found.clear) message.success("Nothing stands against them.");
    else
      message.warning(`They are like ${counted(found.hits.length, "entry", "entries")}; see the queue.`, 8);
  };
  return (
    <FormDialog<Fields>
      title="Screen somebody"
      okText="Screen"
      initialValues={{ kind: "payee" }}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item name="kind" label="Who">
        <Select
          options={[
            { value: "payee", label: "Payee" },
            { value: "customer", label: "Customer" },
          ]}
        />
      </Form.Item>
      <Form.Item
        name="reference"
        label="Number or account"
        rules={[{ required: true, whitespace: true, message: "How does your firm call them?" }]}
      >
        <Input maxLength={128} />
      </Form.Item>
      <Form.Item name="name" label="Name" rules={[{ required: true, whitespace: true, message: "Whom?" }]}>
        <Input maxLength={300} />
      </Form.Item>
      <Form.Item name="born" label="Born (1970-03-21, 1970-03 or 1970)">
        <Input maxLength={10} />
      </Form.Item>
      <Form.Item name="country" label="Country (two letters)">
        <Input maxLength={2} />
      </Form.Item>
      <Form.Item name="document" label="Passport or register number">
        <Input maxLength={100} />
      </Form.Item>
    </FormDialog>
  );
}
