import type { HitState, ScreeningList } from "./queries";

export const STATES: Record<HitState, { word: string; tone: string }> = {
  open: { word: "Open", tone: "review" },
  unsure: { word: "Unsure", tone: "review" },
  waiting: { word: "Second person", tone: "plain" },
  match: { word: "Match", tone: "block" },
  no_match: { word: "No match", tone: "approve" },
  gone: { word: "Gone", tone: "quiet" },
};

export const KINDS: Record<ScreeningList["kind"], string> = {
  sanctions: "Sanctions",
  pep: "Exposed persons",
  watchlist: "Watchlist",
};

/** "0.94" */
export const score = (value: number): string => value.toFixed(2);
