import { App, Form, Input } from "antd";
import { useSession } from "../../../shared/session";
import { instantOf } from "../../../shared/time";
import { FormDialog } from "../../../shared/ui/FormDialog";
import { type FirmList, putEntry } from "./queries";

interface Fields {
  value: string;
  reason: string;
  source?: string;
  until?: string;
}

const EXAMPLES: Record<FirmList["kind"], string> = {
  account: "acc_000123",
  card: "acc_000123|4242",
  country: "PH",
  customer: "cus_000123",
  device: "dev_000123",
  merchant: "mer_000123",
};

/** Puts one value on a list, or proposes it where that takes two people. */
export function EntryDialog({
  list,
  onClose,
  onDone,
}: {
  list: FirmList;
  onClose(): void;
  onDone(): Promise<void>;
}) {
  const { message } = App.useApp();
  const { timeZone } = useSession();
  const allows = list.effect === "allow";
  const submit = async ({ value, reason, source, until }: Fields) => {
    await putEntry(list, {
      value,
      reason,
      source: source ?? "",
      expires_at: until ? instantOf(until, timeZone).toISOString() : null,
    });
    await onDone();
    message.success(allows ? "It is proposed. Somebody else approves it." : "It is on the list.");
  };
  return (
    <FormDialog
      title={`Add to ${list.name}`}
      okText={allows ? "Propose it" : "Add"}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item
        name="value"
        label={`The ${list.kind}`}
        rules={[{ required: true, whitespace: true, max: 128 }]}
      >
        <Input placeholder={EXAMPLES[list.kind]} autoComplete="off" />
      </Form.Item>
      <Form.Item
        name="reason"
        label="Why"
        rules={[{ required: true, min: 3, whitespace: true, message: "Say why: others read it." }]}
      >
        <Input maxLength={500} autoComplete="off" />
      </Form.Item>
      <Form.Item name="source" label="Source">
        <Input maxLength={100} placeholder="police report, chargeback, …" autoComplete="off" />
      </Form.Item>
      <Form.Item name="until" label={`Until (${timeZone}); without it, until somebody takes it off`}>
        <Input type="datetime-local" />
      </Form.Item>
    </FormDialog>
  );
}
