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
import { bracketMatching, ensureSyntaxTree, indentOnInput, syntaxHighlighting } from "@codemirror/language";
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
import { pageNonce } from "../nonce";
import { colours, look } from "./codeLook";

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
  /** Ctrl-Enter: the chosen text, or in SQL the statement at the cursor. */
  onRun?(piece: Piece): void;
}

/** A part of the text, and where it begins. */
export interface Piece {
  text: string;
  from: number;
}

export interface CodeEditor {
  text(): string;
  /** The chosen text, or in SQL the statement at the cursor. */
  chosen(): Piece;
  /** Brings a place into view, and the cursor to it. */
  reveal(position: number): void;
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

/** A code editor in an element, under the page's strict policy: its styles carry the nonce. */
export function createCodeEditor(parent: HTMLElement, text: string, options: EditorOptions): CodeEditor {
  const language = new Compartment();
  let parameters: readonly string[] = [];
  const chosen = (view: EditorView): Piece => {
    const { from, to } = view.state.selection.main;
    if (from !== to) return { text: view.state.sliceDoc(from, to), from };
    return options.language === "sql"
      ? statementAt(view.state, from)
      : { text: view.state.doc.toString(), from: 0 };
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
        language.of(
          options.language === "yaml" ? [yaml(), autocompletion()] : sqlSupport([KEYWORDS], afterColon),
        ),
        look,
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    chosen: () => chosen(view),
    reveal(position) {
      const anchor = Math.min(position, view.state.doc.length);
      view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
      view.focus();
    },
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
        view.dispatch({ effects: language.reconfigure(sqlSupport(completionsOf(words), afterColon)) });
    },
    mark(problem) {
      view.dispatch(setDiagnostics(view.state, problem ? [diagnostic(view.state, problem)] : []));
    },
    focus: () => view.focus(),
    dispose: () => view.destroy(),
  };
}

const PARSE_MS = 200;

/** The statement that holds a place, or the last one that begins before it; all of the text when there is but one. */
export function statementAt(state: EditorState, position: number): Piece {
  const found: { from: number; to: number }[] = [];
  const tree = ensureSyntaxTree(state, state.doc.length, PARSE_MS);
  for (let node = tree?.topNode.firstChild; node; node = node.nextSibling)
    if (node.name === "Statement") found.push({ from: node.from, to: node.to });
  if (found.length < 2) return { text: state.doc.toString(), from: 0 };
  const line = state.doc.lineAt(position);
  const here =
    found.find((one) => one.from <= position && position <= one.to) ??
    found.find((one) => one.from >= position && one.from <= line.to) ??
    found.findLast((one) => one.from <= position) ??
    (found[0] as { from: number; to: number });
  return { text: state.sliceDoc(here.from, here.to), from: here.from };
}

/**
 * Typing over chosen text is done here: the browser would carry the look of what it replaces along as an inline style,
 * which the policy of the page forbids.
 */
const typeOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to } = view.state.selection.main;
    const text = event.data;
    if (view.state.readOnly) return false;
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
    autocompletion({ override: [afterColon, ...sources] }),
  ];
}

const KEYWORDS = keywordCompletionSource(DuckDB);

/** What can be completed in SQL, each word once: many functions and some columns are keywords as well. */
export function completionsOf(words: Vocabulary): CompletionSource[] {
  const tables = words.tables.map((table) => ({
    self: { label: table.label, type: "class", detail: table.detail, info: table.info },
    children: table.columns.map((column) => ({ ...column, type: "property" })),
  }));
  const schema = Object.fromEntries(tables.map((table) => [table.self.label, table]));
  const everything = [
    ...words.tables.flatMap((table) => table.columns.map((column) => ({ ...column, type: "property" }))),
    ...words.functions.map((one) => ({ ...one, type: "function" })),
  ];
  const seen = new Set(words.tables.map((table) => table.label));
  const unique = everything.filter((one) => !seen.has(one.label) && seen.add(one.label));
  return [
    schemaCompletionSource({ dialect: DuckDB, schema }),
    (context) => {
      const word = context.matchBefore(/(?<![.:\w])\w+/);
      return word ? { from: word.from, options: unique, validFor: /^\w*$/ } : null;
    },
    async (context) => {
      const found = await KEYWORDS(context);
      return found && { ...found, options: found.options.filter((one) => !seen.has(one.label)) };
    },
  ];
}

function diagnostic(state: EditorState, problem: { position: number; message: string }): Diagnostic {
  const from = Math.min(problem.position, Math.max(0, state.doc.length - 1));
  const word = /^[\w."]+/.exec(state.sliceDoc(from, from + 80));
  const to = Math.min(state.doc.length, from + (word ? word[0].length : 1));
  return { from, to, severity: "error", message: problem.message };
}
