/** CSV that spreadsheets open without running anything that a merchant's name may hold. */
export type Cell = string | number | null | undefined;

/** How a text begins that a spreadsheet runs; src/finer/kit/spreadsheets.py has the same for files of the server. */
const FORMULA = /^[ \u00a0]*[=+@\-\t\r\n\uff1d\uff0b\uff0d\uff20]/;

export function csv(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return `${[header, ...rows].map((row) => row.map(field).join(",")).join("\r\n")}\r\n`;
}

function field(value: Cell): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Hands a text to the browser as a file. The mark at the start tells spreadsheets that it is UTF-8. */
export function download(name: string, text: string): void {
  saveFile(name, new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
}

/** Hands a file to the browser. */
export function saveFile(name: string, file: Blob): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
