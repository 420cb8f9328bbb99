import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button } from "antd";
import { useMemo, useState } from "react";
import { isProblem } from "../../../api/problem";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { ConditionField, wordsOf } from "../../../shared/ui/ConditionField";
import { Overtaken } from "../../../shared/ui/Overtaken";
import { reasonOf } from "../../../shared/ui/states";
import { useDraft } from "../../../shared/useDraft";
import { useSettled } from "../../../shared/useSettled";
import {
  assessmentQuery,
  beginDraft,
  type RuleDetail,
  type RuleText,
  type RuleVersion,
  saveDraft,
  vocabularyQuery,
} from "./queries";
import { RuleFields } from "./RuleFields";
import { brakeText, RuleAction } from "./words";

const says = ({ version, state, text }: RuleVersion) => ({
  Version: `${version}, ${state}`,
  Title: text.title,
  Condition: text.condition,
  Action: text.action,
  Severity: text.severity,
  Reason: text.reason,
  Owner: text.owner,
  Brake: brakeText(text.brake),
});

/** What a person writes of a rule, over what is saved of it. */
export function useRuleDraft(newest: RuleVersion) {
  return useDraft({
    newest,
    fields: (of) => of.text,
    version: (of) => `${of.id} ${of.state} ${of.revision}`,
  });
}

/** What a rule says: read by all, changed as long as it is a draft. */
export function RuleEditor({ editing }: { editing: ReturnType<typeof useRuleDraft> }) {
  const { may } = useSession();
  const { message } = App.useApp();
  const client = useQueryClient();
  const { draft: text, dirty, held: version, write } = editing;
  // Where the draft has gone meanwhile, what was written goes on as one of the next version.
  const writes = (dirty || version.state === "draft") && may(permission.writeRules);
  const [busy, setBusy] = useState(false);
  const settled = useSettled(JSON.stringify(text), 300);
  const { data: found } = useQuery({
    ...assessmentQuery(JSON.parse(settled) as RuleText),
    placeholderData: (before) => before,
  });
  const words = useWords();
  const save = async () => {
    setBusy(true);
    try {
      const saved =
        version.state === "draft"
          ? await saveDraft(version, text, version.note)
          : await beginDraft(version.rule, text, version.note);
      editing.settle(text, saved);
      await client.invalidateQueries({ queryKey: ["rules"] });
      message.success("The draft is saved. Price it before it is tried.");
    } catch (error) {
      // What somebody else made of it is shown beside what stands here, which says more than that they did.
      if (isProblem(error, 409) || isProblem(error, 404)) {
        await client.invalidateQueries({ queryKey: ["rules"] });
        const versions = client.getQueryData<RuleDetail>(["rules", version.rule])?.versions;
        const known = versions?.find((one) => one.id === version.id);
        if (versions && (known?.revision !== version.revision || known.state !== version.state)) return;
      }
      message.error(reasonOf(error), 8);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Overtaken editing={editing} what="rule" says={says} />
      <ConditionField
        id={`${version.rule} ${editing.begun}`}
        text={text.condition}
        hint="is_spending and amount_usd > 800"
        words={words}
        found={found}
        says="Holds when"
        readOnly={!writes}
        onChange={(condition) => write({ condition })}
        height={150}
      />
      {writes ? (
        <RuleFields text={text} example={found?.example ?? ""} onChange={write} />
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
          type={dirty ? "primary" : "default"}
          disabled={!dirty || busy || !found?.usable}
          onClick={() => void save()}
        >
          Save the draft
        </Button>
      ) : null}
    </>
  );
}

function useWords() {
  const { data } = useQuery(vocabularyQuery);
  return useMemo(() => {
    const lists = (data?.lists ?? []).flatMap((one) =>
      one.columns.map((column) => ({
        label: `in_list(${column}, '${one.name}')`,
        detail: "list",
        info: `Whether the ${one.kind} is on the list ${one.name}`,
      })),
    );
    return wordsOf(data?.columns, data?.functions, lists);
  }, [data]);
}
