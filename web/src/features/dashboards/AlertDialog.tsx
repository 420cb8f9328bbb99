import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Checkbox, Form, Input, InputNumber, Select } from "antd";
import { FormDialog } from "../../shared/ui/FormDialog";
import { currencyQuery } from "../../shared/ui/Worth";
import { hooksQuery } from "../../shared/webhooks";
import { bodyOfFields, type Fields, SPANS, valuesOf } from "./alertFields";
import { alertsQuery, type MetricAlert, saveAlert } from "./alertQueries";
import { ConditionFields } from "./ConditionFields";
import { metricsQuery, type Tile } from "./queries";
import type { BoardFilters } from "./view";

const KINDS = [
  { value: "threshold", label: "it crosses a line" },
  { value: "change", label: "it changes against the time before" },
  { value: "anomaly", label: "the last hour is not as usual" },
  { value: "own", label: "a condition of my own holds" },
];
const SEVERITIES = [
  { value: "info", label: "Notice" },
  { value: "warning", label: "Warning" },
  { value: "critical", label: "Critical" },
];

interface AlertDialogProps {
  alert?: MetricAlert;
  /** The tile that a new alert is made from. */
  tile?: Tile;
  /** How the page of that tile is narrowed down. */
  filters?: BoardFilters;
  onClose(): void;
  onSaved?(): void;
}

/** When this person is told of a metric, and how. */
export function AlertDialog({ alert, tile, filters, onClose, onSaved }: AlertDialogProps) {
  const client = useQueryClient();
  const [form] = Form.useForm<Fields>();
  const kind = Form.useWatch("kind", form);
  const metric = Form.useWatch("metric", form);
  const { data: metrics } = useQuery(metricsQuery);
  const { data: firm } = useQuery(currencyQuery);
  const money = metrics?.items.find(({ name }) => name === metric)?.money;
  const submit = async () => {
    // Fields that are not on the page keep what they were.
    await saveAlert(bodyOfFields(form.getFieldsValue(true), alert), alert?.id);
    await client.invalidateQueries({ queryKey: alertsQuery.queryKey });
    onSaved?.();
  };
  return (
    <FormDialog<Fields>
      title={alert ? `Change ${alert.name}` : "New alert on a metric"}
      okText={alert ? "Change" : "Watch it"}
      width={600}
      form={form}
      initialValues={valuesOf(alert, tile, filters)}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item
        name="name"
        label="Name"
        rules={[{ required: true, whitespace: true, message: "Give it a name." }]}
      >
        <Input maxLength={120} autoComplete="off" />
      </Form.Item>
      <MetricFields whole={kind === "anomaly"} />
      <Form.Item name="kind" label="Tell me when">
        <Select options={KINDS} />
      </Form.Item>
      <ConditionFields kind={kind} unit={money ? firm?.currency : undefined} />
      <TellingFields gone={alert?.hook ?? null} />
    </FormDialog>
  );
}

/** What is looked at; `whole`: hours as a whole, whatever the span. */
function MetricFields({ whole }: { whole: boolean }) {
  const metrics = useQuery(metricsQuery);
  const choices = (values: readonly string[] | undefined) =>
    (values ?? []).map((value) => ({ value, label: value }));
  return (
    <div className="dash-pair">
      <Form.Item name="metric" label="Metric" rules={[{ required: true, message: "Choose a metric." }]}>
        <Select
          showSearch={{ optionFilterProp: "label" }}
          loading={metrics.isPending}
          options={(metrics.data?.items ?? []).map((one) => ({ value: one.name, label: one.title }))}
        />
      </Form.Item>
      {whole ? null : (
        <Form.Item name="span" label="Of the last">
          <Select options={SPANS} />
        </Form.Item>
      )}
      <Form.Item name="region" label="Region">
        <Select allowClear showSearch placeholder="Any" options={choices(metrics.data?.regions)} />
      </Form.Item>
      <Form.Item name="channel" label="Channel">
        <Select allowClear showSearch placeholder="Any" options={choices(metrics.data?.channels)} />
      </Form.Item>
    </div>
  );
}

/** How loud, how often and by which way; `gone`: the webhook that it goes to, which may not be there any more. */
function TellingFields({ gone }: { gone: string | null }) {
  const hooks = useQuery(hooksQuery).data;
  const options = (hooks ?? []).map((one) => ({ value: one.id, label: one.name }));
  if (hooks && gone && !hooks.some((one) => one.id === gone))
    options.push({ value: gone, label: "One that was taken away" });
  return (
    <div className="dash-pair">
      <Form.Item name="severity" label="How serious">
        <Select options={SEVERITIES} />
      </Form.Item>
      <Form.Item name="group" label="Group" extra="Alerts of a group are told together">
        <Input maxLength={64} autoComplete="off" />
      </Form.Item>
      <Form.Item name="pending_minutes" label="Only after it held for" extra="0: at once">
        <InputNumber min={0} max={10_080} precision={0} suffix="minutes" className="dash-wide" />
      </Form.Item>
      <Form.Item name="cooldown_minutes" label="Remind me after" extra="0: never">
        <InputNumber min={0} max={10_080} precision={0} suffix="minutes" className="dash-wide" />
      </Form.Item>
      <Form.Item name="mail" label="In the bell, and" valuePropName="checked">
        <Checkbox>by e-mail</Checkbox>
      </Form.Item>
      <Form.Item name="hook" label="By webhook">
        <Select
          allowClear
          placeholder={options.length ? "None" : "An administrator adds webhooks"}
          options={options}
        />
      </Form.Item>
    </div>
  );
}
