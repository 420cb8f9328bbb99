import { DeleteOutlined } from "@ant-design/icons";
import { Button, Form, Input, InputNumber, Select } from "antd";

const SIDES = [
  { value: "above", label: "above" },
  { value: "below", label: "below" },
];
const SEVERITIES = [
  { value: "warning", label: "warning" },
  { value: "critical", label: "critical" },
];

/** Lines that a value should not cross: drawn on charts, and told beside a number. */
export function ThresholdFields() {
  return (
    <Form.List name="thresholds">
      {(fields, { add, remove }) => (
        <fieldset className="dash-thresholds">
          <legend>Thresholds</legend>
          {fields.map((field) => (
            <div key={field.key} className="dash-threshold">
              <Form.Item name={[field.name, "side"]} noStyle>
                <Select aria-label="Bad is" options={SIDES} />
              </Form.Item>
              <Form.Item
                name={[field.name, "value"]}
                rules={[{ required: true, message: "Give a number." }]}
                noStyle
              >
                <InputNumber aria-label="Value" />
              </Form.Item>
              <Form.Item name={[field.name, "severity"]} noStyle>
                <Select aria-label="How serious" options={SEVERITIES} />
              </Form.Item>
              <Form.Item name={[field.name, "label"]} noStyle>
                <Input aria-label="Name" placeholder="Name" maxLength={64} autoComplete="off" />
              </Form.Item>
              <Button
                type="text"
                danger
                icon={<DeleteOutlined aria-hidden />}
                aria-label="Take this threshold away"
                onClick={() => remove(field.name)}
              />
            </div>
          ))}
          {fields.length < 5 ? (
            <Button size="small" onClick={() => add({ side: "above", severity: "warning", label: "" })}>
              Add a threshold
            </Button>
          ) : null}
        </fieldset>
      )}
    </Form.List>
  );
}
