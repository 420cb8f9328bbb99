import { useState } from "react";
import { isProblem } from "../../api/problem";
import { STEP_UP } from "../../api/stepUp";
import { reasonOf } from "../../shared/ui/states";

/** Runs what a dialog or a form asks for: busy while it runs, and the server's sentence when it fails. */
export function useSubmit(): {
  busy: boolean;
  problem: string | null;
  /** With a sentence that says what lacks, that is told and nothing runs: no button is shut without a word. */
  run(act: () => Promise<void>, lacks?: string): Promise<void>;
} {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const run = async (act: () => Promise<void>, lacks = "") => {
    if (lacks) {
      setProblem(lacks);
      return;
    }
    setBusy(true);
    setProblem(null);
    try {
      await act();
    } catch (error) {
      // Whoever closed the dialog that asks who they are knows why nothing happened.
      if (!(isProblem(error, 403) && error.type === STEP_UP)) setProblem(reasonOf(error));
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, run };
}
