import { createContext, useContext } from "react";
import type { Alert } from "./filter";
import type { Verdict } from "./queries";

/** What the list lends to the alert that is open beside it. */
export interface Triage {
  /** Asks for a note and records the verdict. */
  judge(alerts: readonly Alert[], verdict: Verdict): void;
  /** Opens the next (1) or the one before (-1). */
  step(by: 1 | -1): void;
  close(): void;
}

export const TriageContext = createContext<Triage | null>(null);

export function useTriage(): Triage {
  const triage = useContext(TriageContext);
  if (triage === null) throw new Error("useTriage needs a TriageContext above it.");
  return triage;
}
