import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Checkbox, Form, Input, InputNumber, Select } from "antd";
import { FormDialog } from "../../shared/ui/FormDialog";
import { alertsQuery, hooksQuery, type MetricAlert, type MetricAlertBody, saveAlert } from "./alertQueries";
import { metricsQuery, type Tile } from "./queries";

type Kind = "threshold" | "change" | "anomaly" | "own";

interface Fields {
  name: string;
  metric: string;
  span: "1h" | "6h" | "24h" | "7d";
  region: string;
  channel: string;
  kind: Kind;
  side: "above" | "below";
  line: number;
  settles_at: number | null;
  percent: number;
  condition: string;
  settles: string;
  sensitivity: MetricAlertBody["sensitivity"];
  severity: string;
  pending_minutes: number;
  cooldown_minutes: number;
  group: string;
  mail: boolean;
  hook: string;
}

const KINDS = [
  { value: "threshold", label: "it crosses a line" },
  { value: "change", label: "it changes against the time before" },
  { value: "anomaly", label: "the last hour is not as usual" },
  { value: "own", label: "a condition of my own holds" },
];
const SPANS = [
  { value: "1h", label: "Hour" },
  { value: "6h", label: "6 hours" },
  { value: "24h", label: "24 hours" },
  { value: "7d", label: "7 days" },
];
const USUAL = "value < low or value > high";

interface AlertDialogProps {
  alert?: MetricAlert;
  /** The tile that a new alert is made from. */
  tile?: Tile;
  onClose(): void;
  onSaved?(): void;
}

/** When this person is told of a metric, and how. */
export function AlertDialog({ alert, tile, onClose, onSaved }: AlertDialogProps) {
  const client = useQueryClient();
  const metrics = useQuery(metricsQuery).data;
  const hooks = useQuery(hooksQuery).data ?? [];
  const [form] = Form.useForm<Fields>();
  const kind = Form.useWatch("kind", form);
  const submit = async (fields: Fields) => {
    const { name, metric, span, severity, pending_minutes, cooldown_minutes, group, mail } = fields;
    await saveAlert(
      {
        name,
        watched: { metric, span, region: fields.region ?? "", channel: fields.channel ?? "" },
        ...conditionsOf(fields),
        sensitivity: fields.sensitivity ?? "normal",
        severity,
        pending_minutes,
        cooldown_minutes,
        group: group ?? "",
        mail,
        hook: fields.hook || null,
        active: true,
        version: alert?.version ?? 0,
      },
      alert?.id,
    );
    await client.invalidateQueries({ queryKey: alertsQuery.queryKey });
    onSaved?.();
  };
  return (
    <FormDialog<Fields>
      title={alert ? `Change ${alert.name}` : "New alert on a metric"}
      okText={alert ? "Change" : "Watch it"}
      width={580}
      form={form}
      initialValues={valuesOf(alert, tile)}
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
      <div className="dash-pair">
        <Form.Item name="metric" label="Metric" rules={[{ required: true, message: "Choose a metric." }]}>
          <Select
            showSearch={{ optionFilterProp: "label" }}
            options={(metrics?.items ?? []).map((one) => ({ value: one.name, label: one.title }))}
          />
        </Form.Item>
        {kind === "anomaly" ? null : (
          <Form.Item name="span" label="Of the last">
            <Select options={SPANS} />
          </Form.Item>
        )}
        <Form.Item name="region" label="Region">
          <Select
            allowClear
            showSearch
            placeholder="Any"
            options={(metrics?.regions ?? []).map((value) => ({ value, label: value }))}
          />
        </Form.Item>
        <Form.Item name="channel" label="Channel">
          <Select
            allowClear
            showSearch
            placeholder="Any"
            options={(metrics?.channels ?? []).map((value) => ({ value, label: value }))}
          />
        </Form.Item>
      </div>
      <Form.Item name="kind" label="Tell me when">
        <Select options={KINDS} />
      </Form.Item>
      <ConditionFields kind={kind} />
      <div className="dash-pair">
        <Form.Item name="severity" label="How serious">
          <Select options={["info", "warning", "critical"].map((value) => ({ value, label: value }))} />
        </Form.Item>
        <Form.Item name="pending_minutes" label="Once it has held for (minutes)">
          <InputNumber min={0} max={10_080} />
        </Form.Item>
        <Form.Item name="cooldown_minutes" label="Remind after (minutes, 0 never)">
          <InputNumber min={0} max={10_080} />
        </Form.Item>
        <Form.Item name="group" label="Group" extra="Alerts of a group are told together">
          <Input maxLength={64} autoComplete="off" />
        </Form.Item>
      </div>
      <div className="dash-pair">
        <Form.Item name="mail" valuePropName="checked">
          <Checkbox>By e-mail too</Checkbox>
        </Form.Item>
        <Form.Item name="hook" label="By webhook too">
          <Select
            allowClear
            placeholder={hooks.length ? "None" : "An administrator adds webhooks"}
            options={hooks.map((one) => ({ value: one.id, label: one.name }))}
          />
        </Form.Item>
      </div>
    </FormDialog>
  );
}

function ConditionFields({ kind }: { kind: Kind | undefined }) {
  const needed = [{ required: true, message: "Give a number." }];
  if (kind === "anomaly")
    return (
      <Form.Item
        name="sensitivity"
        label="How far from usual"
        extra="Usual is this hour of earlier weeks, of earlier days in the first three weeks."
      >
        <Select
          options={[
            { value: "low", label: "only far" },
            { value: "normal", label: "clearly" },
            { value: "high", label: "a little" },
          ]}
        />
      </Form.Item>
    );
  if (kind === "own")
    return (
      <>
        <Form.Item
          name="condition"
          label="Condition"
          extra="About value, change (0.1 is a tenth more), low and high, such as value > 1000 and change > 0.2"
          rules={[{ required: true, whitespace: true, message: "Say what to look out for." }]}
        >
          <Input maxLength={1000} autoComplete="off" className="sql-mono" />
        </Form.Item>
        <Form.Item name="settles" label="It is over when" extra="Empty: when the condition does not hold">
          <Input maxLength={1000} autoComplete="off" className="sql-mono" />
        </Form.Item>
      </>
    );
  return (
    <div className="dash-pair">
      <Form.Item name="side" label="It is">
        <Select
          options={
            kind === "change"
              ? [
                  { value: "above", label: "more by" },
                  { value: "below", label: "less by" },
                ]
              : [
                  { value: "above", label: "above" },
                  { value: "below", label: "below" },
                ]
          }
        />
      </Form.Item>
      {kind === "change" ? (
        <Form.Item name="percent" label="Percent" rules={needed}>
          <InputNumber min={0} max={100_000} />
        </Form.Item>
      ) : (
        <>
          <Form.Item name="line" label="The line" rules={needed}>
            <InputNumber />
          </Form.Item>
          <Form.Item name="settles_at" label="It is over at" extra="Empty: at the line">
            <InputNumber />
          </Form.Item>
        </>
      )}
    </div>
  );
}

/** The conditions that the fields stand for, in the language of all conditions. */
export function conditionsOf(fields: Pick<Fields, "kind"> & Partial<Fields>) {
  const [over, under] = fields.side === "below" ? ["<", ">="] : [">", "<="];
  switch (fields.kind) {
    case "anomaly":
      return { condition: USUAL, settles: "" };
    case "own":
      return { condition: fields.condition ?? "", settles: fields.settles ?? "" };
    case "change": {
      const share = (fields.percent ?? 0) / 100;
      return { condition: `change ${over} ${fields.side === "below" ? -share : share}`, settles: "" };
    }
    default: {
      const back = fields.settles_at;
      const settles = back === null || back === undefined ? "" : `value ${under} ${back}`;
      return { condition: `value ${over} ${fields.line ?? 0}`, settles };
    }
  }
}

function valuesOf(alert: MetricAlert | undefined, tile: Tile | undefined): Partial<Fields> {
  const line = tile?.thresholds?.[0];
  const span = tile?.metric?.span;
  if (!alert)
    return {
      name: tile?.title ?? "",
      metric: tile?.metric?.name,
      span: SPANS.some((one) => one.value === span) ? (span as Fields["span"]) : "24h",
      kind: "threshold",
      side: line?.side ?? "above",
      line: line?.value,
      severity: line?.severity ?? "warning",
      sensitivity: "normal",
      pending_minutes: 0,
      cooldown_minutes: 0,
      mail: false,
    };
  const anomaly = alert.condition === USUAL;
  return {
    ...alert,
    metric: alert.watched.metric,
    span: alert.watched.span as Fields["span"],
    region: alert.watched.region || undefined,
    channel: alert.watched.channel || undefined,
    hook: alert.hook ?? undefined,
    kind: anomaly ? "anomaly" : "own",
  };
}
