import { measure } from "../../shared/numbers";
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

/** What an export holds: its format, its range, and as of which snapshot. */
export function range(one: LakeExport): string {
  const day = (at: string) => at.slice(0, 16).replace("T", " ");
  const parts = [
    one.format === "csv" ? "CSV" : "Parquet",
    one.from ? `from ${day(one.from)} UTC` : "",
    one.to ? `to ${day(one.to)} UTC` : "",
    one.snapshot === null ? "" : `as of snapshot ${one.snapshot}`,
  ];
  return parts.filter(Boolean).join(", ");
}
