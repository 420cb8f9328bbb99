import { Button } from "antd";
import { useMemo, useRef } from "react";
import { CodeField } from "../../shared/ui/CodeField";
import type { CodeEditor } from "../../shared/ui/codeEditor";

interface YamlEditorProps {
  /** A new one begins anew with `text`. */
  id: string;
  text: string;
  /** The text that was looked at last, its mistake, and the line of that, from 1. */
  judged: string;
  line: number | null;
  problem: string;
  readOnly: boolean;
  onChange(text: string): void;
}

/** A contract as YAML; a mistake is marked at its line. */
export function YamlEditor({ id, text, judged, line, problem, readOnly, onChange }: YamlEditorProps) {
  const editor = useRef<CodeEditor | null>(null);
  const mistake = useMemo(
    () => (line === null ? null : { position: startOf(judged, line), message: problem }),
    [judged, line, problem],
  );
  return (
    <div className="yaml-editor">
      {mistake === null ? null : (
        <Button size="small" className="yaml-go" onClick={() => editor.current?.reveal(mistake.position)}>
          Go to line {line}
        </Button>
      )}
      <CodeField
        id={id}
        text={text}
        language="yaml"
        label="Text of the contract (YAML)"
        readOnly={readOnly}
        problem={mistake}
        editor={editor}
        onChange={onChange}
        height="min(640px, 70dvh)"
      />
    </div>
  );
}

/** Where the first word of a line begins. */
export function startOf(text: string, line: number): number {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return Math.min(text.length, before + (/^\s*/.exec(lines[line - 1] ?? "")?.[0].length ?? 0));
}
