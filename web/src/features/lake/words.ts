import { measure } from "../../shared/numbers";
import { momentText } from "../../shared/time";
import type { LakeExport } from "./queries";

export const STATES: Record<
  LakeExport["state"],
  { word: string; tone: "approve" | "review" | "block" | "quiet" }
> = {
  waiting: { word: "Waiting", tone: "quiet" },
  running: { word: "Under way", tone: "quiet" },
  ready: { word: "Ready", tone: "approve" },
  failed: { word: "Failed", tone: "block" },
  cancelled: { word: "Cancelled", tone: "quiet" },
  expired: { word: "Gone", tone: "quiet" },
};

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** Bytes as people say them: 1.4 MB. */
export function size(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${measure(Math.round(value * 10) / 10)} ${UNITS[unit]}`;
}

/** What an export holds: its format, its range by the clock of `zone`, and as of which snapshot. */
export function range(one: LakeExport, zone: string): string {
  const parts = [
    one.format === "csv" ? "CSV" : "Parquet",
    one.from ? `from ${momentText(one.from, zone)}` : "",
    one.to ? `until ${momentText(one.to, zone)}` : "",
    one.snapshot === null ? "" : `as of snapshot ${one.snapshot}`,
  ];
  return parts.filter(Boolean).join(", ");
}
