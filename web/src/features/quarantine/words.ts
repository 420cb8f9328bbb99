import { count, counted } from "../../shared/numbers";
import type { Act } from "./queries";

export const DONE: Record<Act["kind"], string> = {
  edit: "changed",
  undo: "put back",
  release: "released",
  discard: "discarded",
};

const KINDS: Record<Act["kind"], string> = {
  edit: "Change",
  undo: "Put back",
  release: "Release",
  discard: "Discard",
};

export const STATES: Record<string, { word: string; tone: string }> = {
  open: { word: "As sent", tone: "plain" },
  edited: { word: "Changed", tone: "review" },
  released: { word: "Released", tone: "approve" },
  discarded: { word: "Discarded", tone: "quiet" },
};

export const ACT_STATES: Record<Act["state"], { word: string; tone: string }> = {
  running: { word: "Under way", tone: "review" },
  done: { word: "Done", tone: "approve" },
  cancelled: { word: "Stopped", tone: "quiet" },
  failed: { word: "Failed", tone: "block" },
};

/** "Change of 1,200 order records" */
export function actTitle(act: Act): string {
  return `${KINDS[act.kind]} of ${counted(act.matched, act.contract ? `${act.contract} record` : "record")}`;
}

/** "1,180 changed, 20 still break their contract"; and how many somebody else had dealt with before. */
export function actOutcome(act: Act): string {
  const left = act.failed.reduce((sum, one) => sum + one.records, 0);
  const rest = left > 0 ? `, ${count(left)} still ${left === 1 ? "breaks its" : "break their"} contract` : "";
  const others = act.state === "done" ? act.matched - act.done : 0;
  const gone = others > 0 ? `, ${count(others)} did not wait any more` : "";
  return `${count(act.changed)} ${DONE[act.kind]}${rest}${gone}`;
}

/** Which part of an act is behind it, in whole percent. */
export function percentOf(act: Act): number {
  return Math.floor((100 * act.done) / Math.max(1, act.matched));
}
