import { useQueryClient } from "@tanstack/react-query";
import { Form, Input, Select } from "antd";
import { counted } from "../../shared/numbers";
import { useSession } from "../../shared/session";
import { instantOf } from "../../shared/time";
import { FormDialog } from "../../shared/ui/FormDialog";
import { CASES, relabel } from "./queries";
import { SOURCES, type Source, VERDICTS, type Verdict } from "./words";

interface LabelDialogProps {
  id: string;
  alerts: string[];
  onClose(): void;
  onDone(): void;
}

interface Fields {
  verdict: Verdict;
  source: Source;
  known?: string;
  reason: string;
}

/** Says what payments turned out to be, also against what was said before. */
export function LabelDialog({ id, alerts, onClose, onDone }: LabelDialogProps) {
  const client = useQueryClient();
  const { timeZone } = useSession();
  const submit = async ({ verdict, source, known, reason }: Fields) => {
    const known_at = known ? instantOf(known, timeZone).toISOString() : null;
    await relabel(id, { alerts, verdict, source, reason, known_at });
    void client.invalidateQueries({ queryKey: [CASES] });
    onDone();
  };
  return (
    <FormDialog<Fields>
      title={`Judge ${counted(alerts.length, "alert")}`}
      okText="Record"
      initialValues={{ verdict: "confirmed_fraud", source: "customer" }}
      onSubmit={submit}
      onClose={onClose}
    >
      <p className="muted">Earlier verdicts are kept. The one that is known latest decides.</p>
      <Form.Item name="verdict" label="They were">
        <Select<Verdict> options={Object.entries(VERDICTS).map(([value, label]) => ({ value, label }))} />
      </Form.Item>
      <Form.Item name="source" label="Known from">
        <Select<Source> options={Object.entries(SOURCES).map(([value, label]) => ({ value, label }))} />
      </Form.Item>
      <Form.Item name="known" label={`Known since (${timeZone}); now, if left empty`}>
        <Input type="datetime-local" />
      </Form.Item>
      <Form.Item
        name="reason"
        label="How it became known"
        rules={[{ required: true, whitespace: true, message: "Say how it became known." }]}
      >
        <Input.TextArea rows={3} maxLength={2000} />
      </Form.Item>
    </FormDialog>
  );
}
