import { Form, Input, InputNumber, Select } from "antd";
import type { Kind } from "./alertFields";

const NEEDED = [{ required: true, message: "Give a number." }];

interface ConditionProps {
  kind: Kind | undefined;
  /** What the metric is counted in, where it has a unit. */
  unit: string | undefined;
}

/** What the dialog asks about when somebody is told, for each way of saying it. */
export function ConditionFields({ kind, unit }: ConditionProps) {
  if (kind === "anomaly") return <Anomaly />;
  if (kind === "own") return <OwnCondition />;
  const change = kind === "change";
  return (
    <div className="dash-pair">
      <Form.Item name="side" label="It is">
        <Select
          options={[
            { value: "above", label: change ? "more by" : "above" },
            { value: "below", label: change ? "less by" : "below" },
          ]}
        />
      </Form.Item>
      {change ? (
        <Form.Item name="percent" label="Percent" rules={NEEDED}>
          <InputNumber min={0} max={100_000} className="dash-wide" />
        </Form.Item>
      ) : (
        <>
          <Form.Item name="line" label="The line" rules={NEEDED}>
            <InputNumber className="dash-wide" suffix={unit} />
          </Form.Item>
          <Form.Item name="settles_at" label="It is over at" extra="Empty: at the line">
            <InputNumber className="dash-wide" suffix={unit} />
          </Form.Item>
        </>
      )}
    </div>
  );
}

function Anomaly() {
  return (
    <Form.Item
      name="sensitivity"
      label="How far from usual"
      extra="The last whole hour is compared with this hour of earlier weeks, of earlier days in the first three weeks."
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
}

function OwnCondition() {
  return (
    <>
      <Form.Item
        name="condition"
        label="Condition"
        extra="About value, change (0.1 is a tenth more), low and high, such as value > 1000 and change > 0.2"
        rules={[{ required: true, whitespace: true, message: "Say what to look out for." }]}
      >
        <Input maxLength={1000} autoComplete="off" className="mono" />
      </Form.Item>
      <Form.Item name="settles" label="It is over when" extra="Empty: when the condition does not hold">
        <Input maxLength={1000} autoComplete="off" className="mono" />
      </Form.Item>
    </>
  );
}
