import { useQueryClient } from "@tanstack/react-query";
import { Form, Input, Select } from "antd";
import { FormDialog } from "../../../shared/ui/FormDialog";
import { makeList, type NewList } from "./queries";

const KINDS = ["account", "card", "country", "customer", "device", "merchant"].map((value) => ({
  value,
  label: value,
}));
const EFFECTS = [
  { value: "none", label: "Nothing by itself: rules ask it" },
  { value: "block", label: "Blocks, unless something allows" },
  { value: "final_block", label: "Blocks, whatever allows" },
  { value: "allow", label: "Allows, whatever rules say" },
];

/** Makes a list without entries. */
export function NewListDialog({ onClose, onMade }: { onClose(): void; onMade(name: string): void }) {
  const client = useQueryClient();
  const submit = async (fields: NewList) => {
    const { name } = await makeList({ ...fields, description: fields.description ?? "" });
    await client.invalidateQueries({ queryKey: ["lists"] });
    onMade(name);
  };
  return (
    <FormDialog
      title="New list"
      okText="Make it"
      initialValues={{ kind: "merchant", effect: "none" }}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item
        name="name"
        label="Name"
        rules={[
          {
            required: true,
            pattern: /^[a-z][a-z0-9_]{1,39}$/,
            message: "2 to 40 lower-case letters, digits and underscores, beginning with a letter.",
          },
        ]}
      >
        <Input placeholder="risky_merchants" maxLength={40} autoComplete="off" />
      </Form.Item>
      <Form.Item name="kind" label="What is on it">
        <Select options={KINDS} />
      </Form.Item>
      <Form.Item name="effect" label="What it does">
        <Select options={EFFECTS} />
      </Form.Item>
      <Form.Item name="description" label="What it is for">
        <Input maxLength={500} autoComplete="off" />
      </Form.Item>
    </FormDialog>
  );
}
