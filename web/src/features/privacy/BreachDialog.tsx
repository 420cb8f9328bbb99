import { useQueryClient } from "@tanstack/react-query";
import { Checkbox, Form, Input } from "antd";
import { useSession } from "../../shared/session";
import { dayOf, instantOf } from "../../shared/time";
import { FormDialog } from "../../shared/ui/FormDialog";
import { type Law, openBreach } from "./queries";
import { LAWS } from "./words";

interface Fields {
  title: string;
  aware: string;
  laws: Law[];
  description: string;
}

/** Writes a breach down, as soon as the firm knows of it. */
export function BreachDialog({ onClose }: { onClose(): void }) {
  const client = useQueryClient();
  const { timeZone } = useSession();
  const submit = async ({ title, aware, laws, description }: Fields) => {
    await openBreach({ title, laws, description, aware_at: instantOf(aware, timeZone).toISOString() });
    await client.invalidateQueries({ queryKey: ["privacy", "breaches"] });
  };
  return (
    <FormDialog
      title="Write a breach down"
      okText="Write it down"
      width={520}
      initialValues={{ laws: ["gdpr"], aware: `${dayOf(new Date(), timeZone)}T00:00`, description: "" }}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item
        name="title"
        label="What happened"
        rules={[{ required: true, whitespace: true, message: "Say what happened." }]}
      >
        <Input maxLength={200} />
      </Form.Item>
      <Form.Item
        name="aware"
        label={`Since when the firm knows (${timeZone})`}
        rules={[{ required: true, message: "The clocks run from here." }]}
      >
        <Input type="datetime-local" />
      </Form.Item>
      <Form.Item
        name="laws"
        label="Laws that apply"
        rules={[{ required: true, message: "Choose at least one." }]}
      >
        <Checkbox.Group options={Object.entries(LAWS).map(([value, label]) => ({ value, label }))} />
      </Form.Item>
      <Form.Item name="description" label="Whose data, which, how, and what was done (optional)">
        <Input.TextArea rows={4} maxLength={10_000} />
      </Form.Item>
    </FormDialog>
  );
}
