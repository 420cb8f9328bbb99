import { type RefObject, useEffect, useRef } from "react";
import type { CodeEditor, EditorOptions, Vocabulary } from "./codeEditor";
import { BlockSkeleton } from "./states";
import { usePromise } from "./usePromise";
import "./codeField.css";

interface CodeFieldProps extends EditorOptions {
  /** The text to begin with; a new `id` begins anew with it. */
  id: string;
  text: string;
  words?: Vocabulary;
  problem?: { position: number; message: string } | null;
  editor?: RefObject<CodeEditor | null>;
  height?: number | string;
}

const load = () => import("./codeEditor");

/** An editor for code. It comes when the first one is shown, so pages without one do not carry it. */
export function CodeField(props: CodeFieldProps) {
  const module = usePromise(load);
  const style = { height: props.height ?? 220 };
  if (module.error)
    return (
      <textarea
        key={props.id}
        className="code-plain"
        aria-label={props.label}
        defaultValue={props.text}
        readOnly={props.readOnly}
        onChange={(event) => props.onChange?.(event.target.value)}
        style={style}
      />
    );
  if (!module.value) return <BlockSkeleton height={220} label="Loading the editor" />;
  return <Loaded {...props} create={module.value.createCodeEditor} />;
}

type Create = (parent: HTMLElement, text: string, options: EditorOptions) => CodeEditor;

function Loaded({ create, ...props }: CodeFieldProps & { create: Create }) {
  const box = useRef<HTMLDivElement>(null);
  const made = useRef<CodeEditor | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const { id, words, problem, editor } = props;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new id is a new text; what else changes is read when needed.
  useEffect(() => {
    if (!box.current) return;
    const { language, label, hint, readOnly, text } = latest.current;
    const one = create(box.current, text, {
      language,
      label,
      hint,
      readOnly,
      onChange: (next) => latest.current.onChange?.(next),
      onRun: latest.current.onRun ? (next) => latest.current.onRun?.(next) : undefined,
    });
    made.current = one;
    if (editor) editor.current = one;
    if (latest.current.words) one.know(latest.current.words);
    return () => {
      made.current = null;
      if (editor) editor.current = null;
      one.dispose();
    };
  }, [create, id]);
  useEffect(() => {
    if (words) made.current?.know(words);
  }, [words]);
  useEffect(() => made.current?.mark(problem ?? null), [problem]);
  return <div ref={box} className="code-field" style={{ height: props.height ?? 220 }} />;
}
