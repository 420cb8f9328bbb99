import { Input, InputNumber, Select, Switch } from "antd";
import type { Parameter, Value, Values } from "./queries";
import "./parameters.css";

interface ParameterFieldsProps {
  parameters: readonly Parameter[];
  values: Values;
  onParameters(parameters: Parameter[]): void;
  onValues(values: Values): void;
}

const KINDS: Parameter["kind"][] = ["text", "number", "date", "timestamp", "boolean"];

/** A field for each `:name` of the statement. Values are bound, never written into the statement. */
export function ParameterFields({ parameters, values, onParameters, onValues }: ParameterFieldsProps) {
  if (parameters.length === 0) return null;
  const kindOf = (name: string, kind: Parameter["kind"]) => {
    onParameters(parameters.map((one) => (one.name === name ? { ...one, kind, default: null } : one)));
    onValues({ ...values, [name]: null });
  };
  return (
    <fieldset className="sql-parameters">
      <legend>Parameters</legend>
      {parameters.map((one) => (
        <div key={one.name} className="sql-parameter">
          <label htmlFor={`parameter-${one.name}`}>{one.label || one.name}</label>
          <ValueField
            parameter={one}
            value={values[one.name] ?? null}
            onChange={(value) => onValues({ ...values, [one.name]: value })}
          />
          <Select
            aria-label={`Kind of ${one.name}`}
            value={one.kind}
            options={KINDS.map((kind) => ({ value: kind, label: kind }))}
            onChange={(kind) => kindOf(one.name, kind)}
          />
        </div>
      ))}
    </fieldset>
  );
}

export function ValueField({
  parameter,
  value,
  onChange,
}: {
  parameter: Parameter;
  value: Value;
  onChange(value: Value): void;
}) {
  const id = `parameter-${parameter.name}`;
  switch (parameter.kind) {
    case "number":
      return <InputNumber id={id} value={value as number | null} onChange={(next) => onChange(next)} />;
    case "boolean":
      return <Switch id={id} checked={value === true} onChange={onChange} />;
    case "date":
    case "timestamp":
      return (
        <Input
          id={id}
          type={parameter.kind === "date" ? "date" : "datetime-local"}
          value={typeof value === "string" ? value.replace("Z", "") : ""}
          onChange={(event) => onChange(momentOf(parameter.kind, event.target.value))}
        />
      );
    default:
      return (
        <Input
          id={id}
          value={typeof value === "string" ? value : ""}
          onChange={(event) => onChange(event.target.value)}
        />
      );
  }
}

function momentOf(kind: Parameter["kind"], text: string): Value {
  if (text === "") return null;
  return kind === "date" ? text : `${text}Z`;
}
