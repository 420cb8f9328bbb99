import { type Cell, csv } from "../../../shared/csv";
import { type Entry, entriesPage } from "./queries";

/** The most rows of one file; a list has at most ten times as many. */
export const EXPORT_LIMIT = 10_000;

const HEADER: readonly string[] = ["value", "reason", "source", "added_by", "added_at", "expires_at"];

/** What is on a list as CSV, values as the reader may see them, in which no spreadsheet finds a formula. */
export async function exportEntries(name: string): Promise<{ text: string; complete: boolean }> {
  const rows: Cell[][] = [];
  let before: string | null = null;
  do {
    const page = await entriesPage(name, before);
    rows.push(...page.items.map(rowOf));
    before = page.next;
  } while (before !== null && rows.length < EXPORT_LIMIT);
  return { text: csv(HEADER, rows), complete: before === null };
}

function rowOf(one: Entry): Cell[] {
  return [one.value ?? "hidden", one.reason, one.source, one.added_by, one.added_at, one.expires_at];
}
