import { useState } from "react";
import { isProblem } from "../../api/problem";
import { STEP_UP } from "../../api/stepUp";
import { reasonOf } from "../../shared/ui/states";

/** Runs one thing at a time: which one is under way, and the server's sentence when it fails. */
export function useWork(): {
  busy: string | null;
  problem: string | null;
  run(what: string, work: () => Promise<void>): Promise<void>;
  /** Takes back why it failed: what was asked for is another thing by now. */
  forget(): void;
} {
  const [busy, setBusy] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const run = async (what: string, work: () => Promise<void>) => {
    setBusy(what);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      // Whoever closed the dialog that asks who they are knows why nothing happened.
      if (!(isProblem(error, 403) && error.type === STEP_UP)) setProblem(reasonOf(error));
    } finally {
      setBusy(null);
    }
  };
  return { busy, problem, run, forget: () => setProblem(null) };
}
