import { openSheetsKey, recall, remember } from "../../shared/storage";
import type { Chart, Parameter, Values } from "./queries";

/** One tab of the editor, kept in this browser. */
export interface Sheet {
  id: string;
  title: string;
  statement: string;
  parameters: Parameter[];
  values: Values;
  chart: Chart | null;
  /** The saved query that it was opened from, and the version that was seen. */
  saved?: { id: string; version: number; mine: boolean };
  /** The lake is asked as it was at this time of the firm's clock, such as 2026-11-20T14:03; as it is when empty. */
  asOf?: string;
  runId?: string;
  /** Where the statement that was run begins. */
  runFrom?: number;
}

export interface Sheets {
  open: Sheet[];
  at: string;
}

const KEY = openSheetsKey;
const OPEN_MAX = 20;

export function newSheet(title: string, fields: Partial<Sheet> = {}): Sheet {
  const id = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
  return { id, title, statement: "", parameters: [], values: {}, chart: null, ...fields };
}

/** What this person had open in this browser; whose it is is part of the key. */
export function recallSheets(person: string): Sheets {
  const found = recall<Sheets | null>(`${KEY}:${person}`, null);
  if (found && Array.isArray(found.open) && found.open.length > 0) return found;
  const first = newSheet("Query 1");
  return { open: [first], at: first.id };
}

export function rememberSheets(person: string, sheets: Sheets): void {
  // Values of parameters may name people, and belong to no browser.
  const open = sheets.open.map((sheet) => ({ ...sheet, values: {} }));
  remember(`${KEY}:${person}`, { ...sheets, open });
}

export function opened(sheets: Sheets, sheet: Sheet): Sheets {
  const open = [...sheets.open, sheet].slice(-OPEN_MAX);
  return { open, at: sheet.id };
}

export function closed(sheets: Sheets, id: string): Sheets {
  const index = sheets.open.findIndex((one) => one.id === id);
  const open = sheets.open.filter((one) => one.id !== id);
  if (open.length === 0) {
    const first = newSheet("Query 1");
    return { open: [first], at: first.id };
  }
  const at = sheets.at === id ? (open[Math.max(0, index - 1)] ?? open[0])?.id : sheets.at;
  return { open, at: at ?? "" };
}

/** The parameters that a statement names, keeping what is known of them; `:name`, but not `::type` or text. */
export function parametersIn(statement: string, known: readonly Parameter[]): Parameter[] {
  const bare = statement
    .replace(/--[^\n]*/g, " ")
    .replace(/\/\*[\s\S]*?\*\//g, " ")
    .replace(/'(?:[^']|'')*'/g, "''");
  const names = [...bare.matchAll(/(?<![:\w\])'"]):([A-Za-z_]\w*)/g)].map((match) => match[1] as string);
  return [...new Set(names)].map(
    (name) => known.find((one) => one.name === name) ?? { name, kind: guess(name), label: "", default: null },
  );
}

function guess(name: string): Parameter["kind"] {
  if (/^(from|to|until|since|day|date|start|end)$|_(date|day|from|to)$/i.test(name)) return "date";
  return /^(n|limit|least|most|min|max|amount|threshold)|_(amount|count)$/i.test(name) ? "number" : "text";
}
