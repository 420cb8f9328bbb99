import {
  autocompletion,
  type CompletionSource,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import {
  keywordCompletionSource,
  PostgreSQL,
  SQLDialect,
  schemaCompletionSource,
  sql,
} from "@codemirror/lang-sql";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension, Prec } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
  placeholder,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { pageNonce } from "../nonce";

export interface Suggestion {
  label: string;
  /** Beside the word: its type. */
  detail?: string;
  /** Below it: what it means. */
  info?: string;
}

/** What the editor completes: tables with their columns, functions, and parameters after a colon. */
export interface Vocabulary {
  tables: readonly (Suggestion & { columns: readonly Suggestion[] })[];
  functions: readonly Suggestion[];
  parameters: readonly string[];
}

export interface EditorOptions {
  language: "sql" | "yaml";
  label: string;
  hint?: string;
  readOnly?: boolean;
  onChange?(text: string): void;
  /** Ctrl-Enter: the chosen text, or all of it. */
  onRun?(text: string): void;
}

export interface CodeEditor {
  text(): string;
  /** The chosen text, or all of it. */
  chosen(): string;
  replace(text: string): void;
  insert(text: string): void;
  know(words: Vocabulary): void;
  /** Underlines the word at a place and says what is wrong with it; null takes the mark away. */
  mark(problem: { position: number; message: string } | null): void;
  focus(): void;
  dispose(): void;
}

const DuckDB = SQLDialect.define({
  ...PostgreSQL.spec,
  keywords: `${PostgreSQL.spec.keywords ?? ""} qualify exclude replace columns pivot unpivot summarize describe show asof positional anti semi`,
});

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: "var(--primary)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--approve)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--review)" },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--primary)" },
  { tag: [tags.typeName], color: "var(--review)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", backgroundColor: "var(--surface)", color: "var(--text)" },
  "&.cm-focused": { outline: "2px solid var(--primary)", outlineOffset: "-2px" },
  ".cm-content": { fontFamily: "var(--mono)", caretColor: "var(--text)", padding: "8px 0" },
  ".cm-scroller": { overflow: "auto", lineHeight: "1.55" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--muted)", border: "0" },
  ".cm-activeLine": { backgroundColor: "var(--here)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--primary) 30%, var(--surface))",
  },
  ".cm-placeholder": { color: "var(--muted)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", border: "1px solid var(--line)", color: "var(--text)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--primary)",
    color: "var(--on-primary)",
  },
  ".cm-completionDetail": { fontStyle: "normal", opacity: "0.75", marginLeft: "1em" },
  ".cm-diagnostic": { borderLeft: "3px solid var(--block)", padding: "4px 8px" },
});

/** A code editor in an element, under the page's strict policy: its styles carry the nonce. */
export function createCodeEditor(parent: HTMLElement, text: string, options: EditorOptions): CodeEditor {
  const language = new Compartment();
  let parameters: readonly string[] = [];
  const chosen = (view: EditorView): string => {
    const { from, to } = view.state.selection.main;
    return from === to ? view.state.doc.toString() : view.state.sliceDoc(from, to);
  };
  const run = (view: EditorView) => {
    options.onRun?.(chosen(view));
    return options.onRun !== undefined;
  };
  const afterColon: CompletionSource = (context) => {
    const word = context.matchBefore(/(?<![:\w]):\w*/);
    if (!word || parameters.length === 0) return null;
    return { from: word.from + 1, options: parameters.map((label) => ({ label, type: "variable" })) };
  };
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        pageNonce ? EditorView.cspNonce.of(pageNonce) : [],
        Prec.highest(keymap.of([{ key: "Mod-Enter", run }])),
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        lintGutter(),
        syntaxHighlighting(colours),
        keymap.of([
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...defaultKeymap,
          ...historyKeymap,
          ...searchKeymap,
        ]),
        // Tab indents; Escape, then Tab leaves the editor, as the hint says.
        keymap.of([indentWithTab]),
        EditorState.readOnly.of(options.readOnly ?? false),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": options.label }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.onChange?.(update.state.doc.toString());
        }),
        typeOver,
        placeholder(options.hint ?? ""),
        language.of(options.language === "yaml" ? [yaml(), autocompletion()] : sqlSupport([], afterColon)),
        look,
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    chosen: () => chosen(view),
    replace(next) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } });
    },
    insert(piece) {
      view.dispatch(view.state.replaceSelection(piece));
      view.focus();
    },
    know(words) {
      parameters = words.parameters;
      if (options.language === "sql")
        view.dispatch({ effects: language.reconfigure(sqlSupport(sourcesOf(words), afterColon)) });
    },
    mark(problem) {
      view.dispatch(setDiagnostics(view.state, problem ? [diagnostic(view.state, problem)] : []));
    },
    focus: () => view.focus(),
    dispose: () => view.destroy(),
  };
}

/**
 * Typing over chosen text is done here: the browser would carry the look of what it replaces along as an inline style,
 * which the policy of the page forbids.
 */
const typeOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to } = view.state.selection.main;
    const text = event.data;
    if (event.inputType !== "insertText" || text === null || from === to || view.composing) return false;
    event.preventDefault();
    const insert = () => view.state.update(view.state.replaceSelection(text), { userEvent: "input.type" });
    const handlers = view.state.facet(EditorView.inputHandler);
    if (!handlers.some((handle) => handle(view, from, to, text, insert))) view.dispatch(insert());
    return true;
  },
});

function sqlSupport(sources: readonly CompletionSource[], afterColon: CompletionSource): Extension {
  return [
    sql({ dialect: DuckDB, upperCaseKeywords: false }),
    autocompletion({ override: [afterColon, ...sources, keywordCompletionSource(DuckDB)] }),
  ];
}

function sourcesOf(words: Vocabulary): CompletionSource[] {
  const tables = words.tables.map((table) => ({
    self: { label: table.label, type: "class", detail: table.detail, info: table.info },
    children: table.columns.map((column) => ({ ...column, type: "property" })),
  }));
  const schema = Object.fromEntries(tables.map((table) => [table.self.label, table]));
  const everything = [
    ...words.tables.flatMap((table) => table.columns.map((column) => ({ ...column, type: "property" }))),
    ...words.functions.map((one) => ({ ...one, type: "function" })),
  ];
  const seen = new Set<string>();
  const unique = everything.filter((one) => !seen.has(one.label) && seen.add(one.label));
  return [
    schemaCompletionSource({ dialect: DuckDB, schema }),
    (context) => {
      const word = context.matchBefore(/(?<![.:\w])\w+/);
      return word ? { from: word.from, options: unique, validFor: /^\w*$/ } : null;
    },
  ];
}

function diagnostic(state: EditorState, problem: { position: number; message: string }): Diagnostic {
  const from = Math.min(problem.position, Math.max(0, state.doc.length - 1));
  const word = /^[\w."]+/.exec(state.sliceDoc(from, from + 80));
  const to = Math.min(state.doc.length, from + (word ? word[0].length : 1));
  return { from, to, severity: "error", message: problem.message };
}
