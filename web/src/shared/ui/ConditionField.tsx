import { useMemo } from "react";
import { CodeField } from "./CodeField";
import type { Suggestion, Vocabulary } from "./codeEditor";
import "./codeField.css";

/** What the server finds of a condition: how it reads and what it costs, or what is wrong with it and where. */
export interface Checked {
  usable: boolean;
  reading: string;
  problem: string;
  hint: string;
  position?: number | null;
  line?: number | null;
  column?: number | null;
}

interface ConditionFieldProps {
  id: string;
  text: string;
  hint: string;
  words: Vocabulary;
  found: Checked | undefined;
  /** How the reading begins, such as "Holds when". */
  says: string;
  /** What to do, where nothing is written yet. */
  empty?: string;
  readOnly: boolean;
  height: number;
  onChange: (condition: string) => void;
}

/** An editor for a condition, and below it how it reads or what is wrong. */
export function ConditionField({ found, says, empty, ...field }: ConditionFieldProps) {
  const problem = useMemo(
    () =>
      found && !found.usable && found.position != null
        ? { position: found.position, message: [found.problem, found.hint].filter(Boolean).join(". ") }
        : null,
    [found],
  );
  return (
    <>
      <CodeField {...field} language="sql" label="Condition" problem={problem} />
      <Reading found={found} says={says} empty={empty} />
    </>
  );
}

function Reading({ found, says, empty }: Pick<ConditionFieldProps, "found" | "says" | "empty">) {
  if (empty) return <p className="muted condition-reading">{empty}</p>;
  if (!found) return <p className="muted condition-reading">Reading the condition …</p>;
  if (!found.usable)
    return (
      <p role="alert" className="problem condition-reading">
        {found.line ? `Line ${found.line}, column ${found.column}: ` : ""}
        {found.problem}
        {found.hint ? `. ${found.hint}` : ""}
      </p>
    );
  return (
    <p className="condition-reading">
      {says} {found.reading}.
    </p>
  );
}

/** What the editor offers while a condition is written. */
export function wordsOf(
  columns: { name: string; type: string; description: string }[] = [],
  functions: string[] = [],
  more: Suggestion[] = [],
): Vocabulary {
  return {
    tables: [],
    parameters: [],
    functions: [
      ...columns.map((one) => ({ label: one.name, detail: one.type, info: one.description })),
      ...functions.map((label) => ({ label, detail: "function" })),
      ...more,
    ],
  };
}
