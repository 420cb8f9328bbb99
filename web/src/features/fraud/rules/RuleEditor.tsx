import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Input, InputNumber, Select } from "antd";
import { type ReactNode, useMemo, useState } from "react";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { CodeField } from "../../../shared/ui/CodeField";
import { reasonOf } from "../../../shared/ui/states";
import { useSettled } from "../../../shared/useSettled";
import {
  type Assessment,
  assessmentQuery,
  type RuleText,
  type RuleVersion,
  saveDraft,
  vocabularyQuery,
} from "./queries";
import { brakeText, RuleAction } from "./words";

/** What a rule says: read by all, changed as long as it is a draft. */
export function RuleEditor({ version }: { version: RuleVersion }) {
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const writes = version.state === "draft" && may(permission.writeRules);
  const [text, setText] = useState<RuleText>(version.text);
  const [busy, setBusy] = useState(false);
  const settled = useSettled(text, 300);
  const { data: found } = useQuery({ ...assessmentQuery(settled), placeholderData: (before) => before });
  const words = useWords();
  const change = (fields: Partial<RuleText>) => setText((now) => ({ ...now, ...fields }));
  const changed = JSON.stringify(text) !== JSON.stringify(version.text);
  const problem = useMemo(
    () =>
      found && !found.usable && found.position != null
        ? { position: found.position, message: [found.problem, found.hint].filter(Boolean).join(". ") }
        : null,
    [found],
  );
  const save = async () => {
    setBusy(true);
    try {
      await saveDraft(version, text, version.note);
      await client.invalidateQueries({ queryKey: ["rules"] });
      message.success("The draft is saved. Price it before it is tried.");
    } catch (error) {
      message.error(reasonOf(error), 8);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <CodeField
        id={version.id}
        text={version.text.condition}
        language="sql"
        label="Condition"
        hint="is_spending and amount_usd > 800"
        words={words}
        problem={problem}
        readOnly={!writes}
        onChange={(condition) => change({ condition })}
        height={150}
      />
      <Reading found={found} />
      {writes ? (
        <Fields text={text} onChange={change} />
      ) : (
        <dl className="rules-facts">
          <dt>Asks for</dt>
          <dd>
            <RuleAction action={version.text.action} />
          </dd>
          <dt>Reason</dt>
          <dd>{version.text.reason}</dd>
          <dt>Severity</dt>
          <dd>{version.text.severity}</dd>
          <dt>Brake</dt>
          <dd>{brakeText(version.text.brake)}</dd>
          <dt>Owner</dt>
          <dd>{version.text.owner || "–"}</dd>
        </dl>
      )}
      {writes ? (
        <Button
          type={changed ? "primary" : "default"}
          disabled={!changed || busy || !found?.usable}
          onClick={() => void save()}
        >
          Save the draft
        </Button>
      ) : null}
    </>
  );
}

function Reading({ found }: { found: Assessment | undefined }) {
  if (!found) return <p className="muted rules-reading">Reading the condition …</p>;
  if (!found.usable)
    return (
      <p role="alert" className="problem rules-reading">
        {found.line ? `Line ${found.line}, column ${found.column}: ` : ""}
        {found.problem}
        {found.hint ? `. ${found.hint}` : ""}
      </p>
    );
  return (
    <p className="rules-reading">
      Holds when {found.reading}.{" "}
      <span className="muted">
        {found.steps} of {found.steps_max} steps.
      </span>
    </p>
  );
}

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
const SEVERITIES = (["low", "medium", "high", "critical"] as const).map((value) => ({ value, label: value }));

function Fields({ text, onChange }: { text: RuleText; onChange(fields: Partial<RuleText>): void }) {
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
          options={SEVERITIES}
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

function useWords() {
  const { data } = useQuery(vocabularyQuery);
  return useMemo(
    () => ({
      tables: [],
      parameters: [],
      functions: [
        ...(data?.columns ?? []).map((one) => ({ label: one.name, detail: one.type, info: one.description })),
        ...(data?.functions ?? []).map((label) => ({ label, detail: "function" })),
        ...(data?.lists ?? []).flatMap((one) =>
          one.columns.map((column) => ({
            label: `in_list(${column}, '${one.name}')`,
            detail: "list",
            info: `Whether the ${one.kind} is on the list ${one.name}`,
          })),
        ),
      ],
    }),
    [data],
  );
}
