import { Button } from "antd";
import { useRef } from "react";

interface YamlEditorProps {
  value: string;
  onChange(value: string): void;
  /** The line of a mistake, from 1. */
  line: number | null;
  readOnly: boolean;
}

/** As in contracts.css. */
const LINE_HEIGHT = 20;

/** A text with the numbers of its lines; the line of a mistake is marked. */
export function YamlEditor({ value, onChange, line, readOnly }: YamlEditorProps) {
  const numbers = useRef<HTMLOListElement>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const lines = value.split("\n").length;
  const follow = () => {
    if (numbers.current && area.current) numbers.current.scrollTop = area.current.scrollTop;
  };
  const go = () => {
    if (!area.current || line === null) return;
    const start = value.split("\n", line - 1).join("\n").length + (line > 1 ? 1 : 0);
    area.current.focus();
    area.current.setSelectionRange(start, start);
    area.current.scrollTop = Math.max(0, (line - 4) * LINE_HEIGHT);
    follow();
  };
  return (
    <div className="yaml-editor">
      {line === null ? null : (
        <Button size="small" className="yaml-go" onClick={go}>
          Go to line {line}
        </Button>
      )}
      <ol ref={numbers} aria-hidden className="yaml-lines">
        {Array.from({ length: lines }, (_, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line is known by its number.
          <li key={at} aria-current={at + 1 === line ? "true" : undefined}>
            {at + 1}
          </li>
        ))}
      </ol>
      <textarea
        ref={area}
        aria-label="Text of the contract (YAML)"
        aria-invalid={line !== null}
        spellCheck={false}
        wrap="off"
        readOnly={readOnly}
        value={value}
        onScroll={follow}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}
