import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button } from "antd";
import { useMemo, useState } from "react";
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
import { RuleFields } from "./RuleFields";
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
        <RuleFields text={text} example={found?.example ?? ""} onChange={change} />
      ) : (
        <dl className="rules-facts">
          <dt>Asks for</dt>
          <dd>
            <RuleAction action={version.text.action} />
          </dd>
          <dt>Reason</dt>
          <dd>
            {found?.example || version.text.reason}
            {found?.example && found.example !== version.text.reason ? (
              <span className="muted"> (with example values)</span>
            ) : null}
          </dd>
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
