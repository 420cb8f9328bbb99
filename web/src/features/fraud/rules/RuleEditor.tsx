import { useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button } from "antd";
import { useEffect, useMemo, useState } from "react";
import { isProblem } from "../../../api/problem";
import { permission } from "../../../shared/permissions";
import { useSession } from "../../../shared/session";
import { ConditionField, wordsOf } from "../../../shared/ui/ConditionField";
import type { Editing } from "../../../shared/ui/Overtaken";
import { reasonOf } from "../../../shared/ui/states";
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

/** What a rule says: read by all, changed as long as it is a draft. */
export function RuleEditor({ held: version, over, onWriting, onSaved }: Editing<RuleVersion>) {
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
  useEffect(() => onWriting(changed), [changed, onWriting]);
  const save = async () => {
    setBusy(true);
    try {
      // Where the draft has gone meanwhile, what was written is one of the next version.
      const saved =
        over.state === "draft"
          ? await saveDraft(over, text, over.note)
          : await beginDraft(over.rule, text, over.note);
      setText((now) => (now === text ? saved.text : now));
      onSaved(saved);
      await client.invalidateQueries({ queryKey: ["rules"] });
      message.success("The draft is saved. Price it before it is tried.");
    } catch (error) {
      // What somebody else made of it is shown beside what stands here, which says more than that they did.
      if (isProblem(error, 409) || isProblem(error, 404)) {
        await client.invalidateQueries({ queryKey: ["rules"] });
        const versions = client.getQueryData<RuleDetail>(["rules", over.rule])?.versions;
        const known = versions?.find((one) => one.id === over.id);
        if (versions && (known?.revision !== over.revision || known.state !== over.state)) return;
      }
      message.error(reasonOf(error), 8);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <ConditionField
        id={version.rule}
        text={version.text.condition}
        hint="is_spending and amount_usd > 800"
        words={words}
        found={found}
        says="Holds when"
        readOnly={!writes}
        onChange={(condition) => change({ condition })}
        height={150}
      />
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
