import { useQueryClient } from "@tanstack/react-query";
import { App, Form, Input, Select } from "antd";
import { useRef } from "react";
import { newKey } from "../../api/keys";
import { isProblem } from "../../api/problem";
import { counted } from "../../shared/numbers";
import { FormDialog } from "../../shared/ui/FormDialog";
import type { Case } from "./filter";
import { CASES, type CaseDocument, close } from "./queries";
import { SOURCES, type Source, VERDICTS, type Verdict } from "./words";

interface CloseDialogProps {
  cases: readonly (Case | CaseDocument)[];
  verdict: Verdict;
  onClose(): void;
  onDone?(): void;
}

interface Fields {
  verdict: Verdict;
  source: Source;
  note: string;
}

/** Says what one case or many turned out to be. Their payments are labelled with it. */
export function CloseDialog({ cases, verdict, onClose, onDone }: CloseDialogProps) {
  const client = useQueryClient();
  const { message } = App.useApp();
  const keys = useRef(new Map<string, string>()).current;
  const [first] = cases;
  const undone =
    cases.length === 1 && first && "checklist" in first
      ? first.checklist.filter((step) => step.done_at === null).length
      : null;
  const submit = async ({ verdict: chosen, source, note }: Fields) => {
    let done = 0;
    let problem: unknown;
    for (const each of cases) {
      const key = keys.get(each.id) ?? newKey();
      keys.set(each.id, key);
      try {
        await close(
          each,
          { version: each.version, verdict: chosen, source, note: note ?? "", otherwise: {} },
          key,
        );
        done += 1;
      } catch (error) {
        problem = error;
        // What somebody else has changed is looked at again; the others are closed.
        if (!isProblem(error, 409)) break;
        if (cases.length > 1) message.warning(`#${each.number}: ${error.message}`, 8);
      }
    }
    void client.invalidateQueries({ queryKey: [CASES] });
    if (done > 0) message.success(`${counted(done, "case")} closed as ${VERDICTS[chosen].toLowerCase()}.`);
    if (problem && !(cases.length > 1 && isProblem(problem, 409))) throw problem;
    onDone?.();
  };
  return (
    <FormDialog<Fields>
      title={
        cases.length === 1 && first ? `Close case #${first.number}` : `Close ${counted(cases.length, "case")}`
      }
      okText={cases.length === 1 ? "Close the case" : "Close the cases"}
      danger={verdict === "confirmed_fraud"}
      initialValues={{ verdict, source: "analyst" }}
      onSubmit={submit}
      onClose={onClose}
    >
      <Form.Item name="verdict" label="Its open alerts were">
        <Select<Verdict> options={Object.entries(VERDICTS).map(([value, label]) => ({ value, label }))} />
      </Form.Item>
      <Form.Item name="source" label="Known from">
        <Select<Source> options={Object.entries(SOURCES).map(([value, label]) => ({ value, label }))} />
      </Form.Item>
      <Form.Item
        name="note"
        label={undone ? `Note: why it is closed with ${counted(undone, "step")} undone` : "Note"}
        rules={[
          { required: undone !== 0, whitespace: true, message: "Steps are undone: say why it is closed." },
        ]}
      >
        <Input.TextArea rows={3} maxLength={2000} autoFocus />
      </Form.Item>
    </FormDialog>
  );
}
