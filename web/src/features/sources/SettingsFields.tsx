import { Form, Input, InputNumber, Select } from "antd";
import type { Kind } from "./queries";
import { FIELDS, type FieldSpec } from "./words";

interface FieldsProps {
  kind: Kind;
  /** Whether credentials are stored, so that empty ones mean "as they are". */
  stored: boolean;
}

/** The settings and credentials of one kind of source. */
export function SettingsFields({ kind, stored }: FieldsProps) {
  return FIELDS[kind].map((field) => {
    const needed = !field.optional && !(stored && field.secret);
    return (
      <Form.Item
        key={field.name}
        name={["values", field.name]}
        label={
          <>
            {field.label}
            {field.optional ? <span className="muted source-optional">(optional)</span> : null}
          </>
        }
        extra={field.hint}
        rules={needed ? [{ required: true, whitespace: true, message: `${field.label} is missing.` }] : []}
      >
        <Entry field={field} stored={stored} />
      </Form.Item>
    );
  });
}

interface EntryProps {
  field: FieldSpec;
  stored: boolean;
  /** What the form gives to its fields. */
  id?: string;
  value?: string;
  onChange?(value: string): void;
}

function Entry({ field, stored, value = "", onChange, ...given }: EntryProps) {
  const placeholder = field.secret && stored ? "Stored; leave empty to keep it" : field.placeholder;
  if (field.choices)
    return (
      <Select
        {...given}
        value={value}
        onChange={onChange}
        options={field.choices.map((choice) => ({ value: choice, label: choice }))}
      />
    );
  if (field.type === "number")
    return (
      <InputNumber
        {...given}
        min={0}
        value={Number(value)}
        onChange={(found) => onChange?.(String(found ?? 0))}
      />
    );
  const shared = {
    ...given,
    value,
    placeholder,
    onChange: (event: { target: { value: string } }) => onChange?.(event.target.value),
  };
  if (field.type === "lines")
    return <Input.TextArea {...shared} rows={3} className="mono" autoComplete="off" />;
  return field.secret && field.name !== "user" ? (
    <Input.Password {...shared} autoComplete="new-password" />
  ) : (
    <Input {...shared} autoComplete="off" />
  );
}
