import { Input, InputNumber, Select } from "antd";
import type { Values } from "./form";
import type { Kind } from "./queries";
import { FIELDS, type FieldSpec } from "./words";

interface FieldsProps {
  id: string;
  kind: Kind;
  values: Values;
  /** Whether credentials are stored, so that empty ones mean "as they are". */
  stored: boolean;
  onChange(values: Values): void;
}

/** The settings and credentials of one kind of source. */
export function SettingsFields({ id, kind, values, stored, onChange }: FieldsProps) {
  return FIELDS[kind].map((field) => (
    <div key={field.name} className="source-field">
      <label htmlFor={`${id}-${field.name}`}>
        {field.label}
        {field.optional ? <span className="muted"> (optional)</span> : null}
      </label>
      <Entry
        id={`${id}-${field.name}`}
        field={field}
        stored={stored}
        value={values[field.name] ?? ""}
        onChange={(value) => onChange({ ...values, [field.name]: value })}
      />
      {field.hint ? <p className="hint">{field.hint}</p> : null}
    </div>
  ));
}

interface EntryProps {
  id: string;
  field: FieldSpec;
  value: string;
  stored: boolean;
  onChange(value: string): void;
}

function Entry({ id, field, value, stored, onChange }: EntryProps) {
  const placeholder = field.secret && stored ? "Stored; leave empty to keep it" : field.placeholder;
  if (field.choices)
    return (
      <Select
        id={id}
        value={value}
        onChange={onChange}
        options={field.choices.map((choice) => ({ value: choice, label: choice }))}
      />
    );
  if (field.type === "number")
    return (
      <InputNumber id={id} min={0} value={Number(value)} onChange={(found) => onChange(String(found ?? 0))} />
    );
  if (field.type === "lines")
    return (
      <Input.TextArea
        id={id}
        rows={3}
        className="mono"
        autoComplete="off"
        value={value}
        placeholder={placeholder}
        onChange={(event) => onChange(event.target.value)}
      />
    );
  const shared = {
    id,
    value,
    placeholder,
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  };
  return field.secret && field.name !== "user" ? (
    <Input.Password {...shared} autoComplete="new-password" />
  ) : (
    <Input {...shared} autoComplete="off" />
  );
}
