import { useQueryClient } from "@tanstack/react-query";
import { App, Checkbox, Form, Input, InputNumber, Select } from "antd";
import { useState } from "react";
import { useSession } from "../../shared/session";
import { FormDialog } from "../../shared/ui/FormDialog";
import { ValueField } from "./ParameterFields";
import { type Saved, type Schedule, type ScheduleBody, saveSchedule, type Values } from "./queries";

const SEVERITIES = [
  { value: "info", label: "Notice" },
  { value: "warning", label: "Warning" },
  { value: "critical", label: "Critical" },
];

interface ScheduleDialogProps {
  saved: Saved;
  schedule?: Schedule;
  onClose(): void;
}

interface Fields {
  name: string;
  every: string;
  cron: string;
  timezone: string;
  watch: boolean;
  test: "any_row" | "all_rows" | "first_row" | "row_count";
  condition: string;
  severity: string;
  pending_minutes: number;
  cooldown_minutes: number;
}

const TIMES = [
  { value: "*/15 * * * *", label: "Every 15 minutes" },
  { value: "0 * * * *", label: "Every hour" },
  { value: "0 9 * * *", label: "Every day at 9:00" },
  { value: "0 9 * * 1-5", label: "On working days at 9:00" },
  { value: "0 9 * * 1", label: "On Mondays at 9:00" },
  { value: "own", label: "Another time (cron)" },
];

/** When a saved query runs by itself, with which values, and what it looks out for. */
export function ScheduleDialog({ saved, schedule, onClose }: ScheduleDialogProps) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const { timeZone } = useSession();
  const [form] = Form.useForm<Fields>();
  const [values, setValues] = useState<Values>(
    () =>
      schedule?.parameters ??
      Object.fromEntries(saved.parameters.map((one) => [one.name, one.default ?? null])),
  );
  const every = Form.useWatch("every", form);
  const watch = Form.useWatch("watch", form);
  const test = Form.useWatch("test", form);
  const submit = async (fields: Fields) => {
    const { pending_minutes, cooldown_minutes, condition, severity } = fields;
    const body: ScheduleBody = {
      saved: saved.id,
      name: fields.name,
      cron: fields.every === "own" ? fields.cron : fields.every,
      timezone: fields.timezone,
      parameters: Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)),
      alert: fields.watch
        ? { test: fields.test, condition, severity, pending_minutes, cooldown_minutes }
        : null,
      active: true,
      version: schedule?.version ?? 0,
    };
    await saveSchedule(body, schedule?.id);
    await client.invalidateQueries({ queryKey: ["sql", "schedules"] });
    message.success("The schedule is set. The bell tells you when it has run.");
  };
  const known = TIMES.some((one) => one.value === schedule?.cron);
  const alert = schedule?.alert;
  return (
    <FormDialog<Fields>
      title={schedule ? `Change ${schedule.name}` : `Schedule ${saved.name}`}
      okText={schedule ? "Change" : "Schedule"}
      form={form}
      initialValues={{
        name: schedule?.name ?? saved.name,
        every: schedule ? (known ? schedule.cron : "own") : "0 9 * * 1-5",
        cron: schedule?.cron ?? "0 9 * * 1-5",
        timezone: schedule?.timezone ?? timeZone,
        watch: Boolean(alert),
        test: alert?.test ?? "any_row",
        condition: alert?.condition ?? "",
        severity: alert?.severity ?? "warning",
        pending_minutes: alert?.pending_minutes ?? 0,
        cooldown_minutes: alert?.cooldown_minutes ?? 0,
      }}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item
        name="name"
        label="Name"
        rules={[{ required: true, whitespace: true, message: "Give it a name." }]}
      >
        <Input maxLength={200} autoComplete="off" />
      </Form.Item>
      <div className="sql-pair">
        <Form.Item name="every" label="When">
          <Select options={TIMES} />
        </Form.Item>
        <Form.Item
          name="timezone"
          label="Time zone"
          rules={[{ required: true, whitespace: true, message: "Say whose clock it goes by." }]}
        >
          <Input maxLength={60} autoComplete="off" />
        </Form.Item>
      </div>
      {every === "own" ? (
        <Form.Item
          name="cron"
          label="Cron"
          extra="Minute, hour, day of month, month, day of week"
          rules={[{ required: true, whitespace: true, message: "Say when it runs." }]}
        >
          <Input maxLength={100} autoComplete="off" className="mono" />
        </Form.Item>
      ) : null}
      {saved.parameters.map((one) => (
        <div key={one.name} className="sql-parameter">
          <label htmlFor={`parameter-${one.name}`}>{one.label || one.name}</label>
          <ValueField
            parameter={one}
            value={values[one.name] ?? null}
            onChange={(value) => setValues({ ...values, [one.name]: value })}
          />
        </div>
      ))}
      <Form.Item name="watch" valuePropName="checked">
        <Checkbox>Warn me about its result</Checkbox>
      </Form.Item>
      {watch ? (
        <>
          <div className="sql-pair">
            <Form.Item name="test" label="Warn when">
              <Select
                options={[
                  { value: "any_row", label: "any row meets" },
                  { value: "all_rows", label: "all rows meet" },
                  { value: "first_row", label: "the first row meets" },
                  { value: "row_count", label: "the number of rows meets" },
                ]}
              />
            </Form.Item>
            <Form.Item name="severity" label="How serious">
              <Select options={SEVERITIES} />
            </Form.Item>
          </div>
          <Form.Item
            name="condition"
            label="Condition"
            extra={
              test === "row_count"
                ? "Such as row_count > 0"
                : "Over the columns of the result, such as amount > 1000 and country = 'GB'"
            }
            rules={[{ required: true, whitespace: true, message: "Say what to look out for." }]}
          >
            <Input maxLength={4000} autoComplete="off" className="mono" />
          </Form.Item>
          <div className="sql-pair">
            <Form.Item name="pending_minutes" label="Once it has held for (minutes)">
              <InputNumber min={0} max={10_080} />
            </Form.Item>
            <Form.Item name="cooldown_minutes" label="Remind after (minutes, 0 never)">
              <InputNumber min={0} max={10_080} />
            </Form.Item>
          </div>
        </>
      ) : null}
    </FormDialog>
  );
}
