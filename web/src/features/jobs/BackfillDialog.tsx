import { useQueryClient } from "@tanstack/react-query";
import { App, Form, Input } from "antd";
import { counted } from "../../shared/numbers";
import { FormDialog } from "../../shared/ui/FormDialog";
import { backfill, JOBS, type Job } from "./queries";
import { jobWord } from "./words";

const DAY_MS = 86_400_000;
const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);

interface Days {
  first: string;
  last: string;
}

/** Asks for which past days a job should be done, and says how many runs that makes. */
export function BackfillDialog({ job, onClose }: { job: Job; onClose(): void }) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const today = dayOf(Date.now());
  const [form] = Form.useForm<Days>();
  const asked = Form.useWatch([], form);
  const days = asked ? Math.round((Date.parse(asked.last) - Date.parse(asked.first)) / DAY_MS) + 1 : 0;
  const submit = async ({ first, last }: Days) => {
    const { items } = await backfill(job.name, first, last);
    message.success(`${counted(items.length, "run")} asked for, the earliest day first.`);
    void client.invalidateQueries({ queryKey: [JOBS] });
  };
  const after = (_: unknown, last: string) =>
    last && last < form.getFieldValue("first")
      ? Promise.reject(new Error("This day is before the first one."))
      : Promise.resolve();
  return (
    <FormDialog<Days>
      width={440}
      title={`${jobWord(job.name)} for past days`}
      okText={days > 0 ? `Ask for ${counted(days, "run")}` : "Ask for runs"}
      form={form}
      initialValues={{ first: dayOf(Date.now() - 7 * DAY_MS), last: dayOf(Date.now() - DAY_MS) }}
      onSubmit={submit}
      onClose={onClose}
    >
      <div className="job-days">
        <Form.Item
          name="first"
          label="First day"
          rules={[{ required: true, message: "Say from which day on." }]}
        >
          <Input type="date" max={today} />
        </Form.Item>
        <Form.Item
          name="last"
          label="Last day"
          dependencies={["first"]}
          rules={[{ required: true, message: "Say until which day." }, { validator: after }]}
        >
          <Input type="date" max={today} />
        </Form.Item>
      </div>
      <p className="hint">Each day is a run of its own; they are done one after the other.</p>
    </FormDialog>
  );
}
