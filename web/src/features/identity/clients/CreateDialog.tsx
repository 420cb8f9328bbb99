import { Checkbox, Form, Input, InputNumber, Radio } from "antd";
import { FormDialog } from "../../../shared/ui/FormDialog";
import { ReasonField } from "../../../shared/ui/ReasonField";
import { create, type Kind, type Secret } from "./machines";
import { KINDS, NAMED, readNetworks, SCOPES } from "./words";

interface CreateDialogProps {
  onClose(): void;
  onDone(secret: Secret): void;
  onStored(): void;
}

interface Asked {
  kind: Kind;
  name: string;
  scopes: string[];
  days: number;
  networks: string;
  reason: string;
}

/** Asks what a machine may do, from where and for how long. */
export function CreateDialog({ onClose, onDone, onStored }: CreateDialogProps) {
  const [form] = Form.useForm<Asked>();
  const kind = Form.useWatch("kind", form);
  const submit = async ({ kind, name, networks, ...asked }: Asked) => {
    const made = await create(kind, { ...asked, name: name.trim(), networks: readNetworks(networks) });
    onStored();
    onDone(made);
  };
  return (
    <FormDialog<Asked>
      title="New API client"
      okText="Create"
      width={520}
      form={form}
      initialValues={{ kind: "key", name: "", scopes: [], days: 365, networks: "", reason: "" }}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item
        name="kind"
        label="Kind"
        extra={
          kind === "client"
            ? "The client exchanges its secret for tokens of ten minutes (OAuth 2 client credentials)."
            : "The key goes with every request. Simple, and right for most systems."
        }
      >
        <Radio.Group>
          <Radio value="key">{KINDS.key}</Radio>
          <Radio value="client">{KINDS.client}</Radio>
        </Radio.Group>
      </Form.Item>
      <Form.Item name="name" label="Name" rules={NAMED}>
        <Input maxLength={120} placeholder="Which system uses it" />
      </Form.Item>
      <Form.Item
        name="scopes"
        label="May"
        rules={[{ required: true, type: "array", min: 1, message: "Choose what it may do." }]}
      >
        <Checkbox.Group className="dialog-scopes">
          {SCOPES.map(({ scope, about }) => (
            <Checkbox key={scope} value={scope}>
              {about} <code className="muted">{scope}</code>
            </Checkbox>
          ))}
        </Checkbox.Group>
      </Form.Item>
      <Form.Item
        name="days"
        label="Days until it ends"
        rules={[{ required: true, message: "Say for how many days." }]}
      >
        <InputNumber min={1} max={3650} precision={0} />
      </Form.Item>
      <Form.Item name="networks" label="From these networks only (optional)">
        <Input placeholder="203.0.113.0/24, 2001:db8::/48" />
      </Form.Item>
      <ReasonField needed="Say why, for whoever approves it." hint="For whoever approves it" rows={2} />
    </FormDialog>
  );
}
