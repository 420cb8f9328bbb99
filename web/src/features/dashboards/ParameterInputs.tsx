import { Form, Input, InputNumber, Select } from "antd";
import type { Saved } from "./queries";

/** The values of a saved query's parameters; what is left empty takes its default. */
export function ParameterInputs({ parameters }: { parameters: Saved["parameters"] }) {
  return parameters.map((one) => (
    <Form.Item
      key={one.name}
      name={["parameters", one.name]}
      label={one.label || one.name}
      extra={one.default === null || one.default === undefined ? undefined : `Empty: ${one.default}`}
      rules={[
        {
          required: one.default === null || one.default === undefined,
          message: "Give a value, or a default in the query.",
        },
      ]}
      getValueFromEvent={(given: unknown) => {
        const value =
          given && typeof given === "object" && "target" in given
            ? (given.target as HTMLInputElement).value
            : given;
        return value === "" || value === null ? undefined : value;
      }}
    >
      {one.kind === "number" ? (
        <InputNumber className="dash-wide" />
      ) : one.kind === "boolean" ? (
        <Select
          allowClear
          options={[
            { value: true, label: "Yes" },
            { value: false, label: "No" },
          ]}
        />
      ) : (
        <Input
          maxLength={1000}
          autoComplete="off"
          placeholder={one.kind === "date" ? "2026-11-28" : undefined}
        />
      )}
    </Form.Item>
  ));
}
