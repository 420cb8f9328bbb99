import { Input, InputNumber, Select } from "antd";
import type { ReactNode } from "react";
import type { RuleText } from "./queries";

function Field({
  id,
  label,
  wide = false,
  children,
}: {
  id: string;
  label: string;
  wide?: boolean;
  children: ReactNode;
}) {
  return (
    <div className={wide ? "rules-field rules-wide" : "rules-field"}>
      <label htmlFor={id}>{label}</label>
      {children}
    </div>
  );
}

const ACTIONS = [
  { value: "review", label: "Review" },
  { value: "block", label: "Block" },
  { value: "allow", label: "Allow, whatever other rules say" },
] as const;
const SEVERITIES = [
  { value: "low", label: "Low" },
  { value: "medium", label: "Medium" },
  { value: "high", label: "High" },
  { value: "critical", label: "Critical" },
] as const;

/** What is written of a rule besides its condition. */
export function RuleFields({
  text,
  example,
  onChange,
}: {
  text: RuleText;
  /** The reason as people will read it, with values that fit; empty as long as something is wrong. */
  example: string;
  onChange(fields: Partial<RuleText>): void;
}) {
  return (
    <div className="rules-fields">
      <Field id="rule-title" label="Title">
        <Input
          id="rule-title"
          value={text.title}
          maxLength={120}
          onChange={(event) => onChange({ title: event.target.value })}
        />
      </Field>
      <Field id="rule-owner" label="Owner">
        <Input
          id="rule-owner"
          value={text.owner}
          maxLength={120}
          onChange={(event) => onChange({ owner: event.target.value })}
        />
      </Field>
      <Field id="rule-reason" label="Reason, as a sentence; a column stands in braces" wide>
        <Input.TextArea
          id="rule-reason"
          value={text.reason}
          rows={2}
          maxLength={500}
          onChange={(event) => onChange({ reason: event.target.value })}
        />
        {example && example !== text.reason ? <p className="muted">For example: {example}</p> : null}
      </Field>
      <Field id="rule-action" label="Asks for">
        <Select
          id="rule-action"
          value={text.action}
          options={[...ACTIONS]}
          onChange={(action) => onChange({ action, brake: action === "block" ? text.brake : null })}
        />
      </Field>
      <Field id="rule-severity" label="Severity">
        <Select
          id="rule-severity"
          value={text.severity}
          options={[...SEVERITIES]}
          onChange={(severity) => onChange({ severity })}
        />
      </Field>
      {text.action === "block" ? <BrakeFields brake={text.brake} onChange={onChange} /> : null}
    </div>
  );
}

function BrakeFields({
  brake,
  onChange,
}: {
  brake: RuleText["brake"];
  onChange(fields: Partial<RuleText>): void;
}) {
  return (
    <fieldset className="rules-wide rules-brake">
      <legend>Brake: beyond this it goes on in shadow</legend>
      <InputNumber
        aria-label="Most blocks"
        min={1}
        value={brake?.most ?? null}
        placeholder="no number"
        suffix="blocks"
        onChange={(most) => onChange({ brake: braked({ ...brake, most }) })}
      />
      <InputNumber
        aria-label="Most of all payments, in percent"
        min={0.01}
        max={100}
        value={brake?.share == null ? null : brake.share * 100}
        placeholder="no share"
        suffix="% of payments"
        onChange={(share) =>
          onChange({ brake: braked({ ...brake, share: share === null ? null : share / 100 }) })
        }
      />
      <InputNumber
        aria-label="Within minutes"
        min={1}
        max={1440}
        disabled={!brake}
        value={brake?.minutes ?? 60}
        suffix="minutes"
        onChange={(minutes) => onChange({ brake: braked({ ...brake, minutes: minutes ?? 60 }) })}
      />
    </fieldset>
  );
}

function braked(brake: { most?: number | null; share?: number | null; minutes?: number }): RuleText["brake"] {
  if (brake.most == null && brake.share == null) return null;
  return { most: brake.most ?? null, share: brake.share ?? null, minutes: brake.minutes ?? 60 };
}
