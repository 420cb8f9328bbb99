import { answer, api } from "../../api/client";
import { newKey } from "../../api/keys";
import { isProblem } from "../../api/problem";
import { UNDER_WAY } from "../../api/underWay";
import type { Alert } from "./filter";
import { resolveAlert, type Verdict } from "./queries";

export interface Outcome {
  /** Every alert whose state is now known. */
  latest: Alert[];
  /** Those among them that somebody else had judged or changed first. */
  taken: Alert[];
  failed: unknown[];
}

const AT_ONCE = 4;

/**
 * Records one verdict on many alerts, a few at a time. `keys` holds one idempotency key per alert over all attempts,
 * so an answer that was lost on the way is not a second act.
 */
export async function resolveAll(
  alerts: readonly Alert[],
  verdict: Verdict,
  note: string,
  keys: Map<string, string>,
  onProgress: (done: number) => void,
): Promise<Outcome> {
  const outcome: Outcome = { latest: [], taken: [], failed: [] };
  const queue = [...alerts];
  let done = 0;
  const work = async () => {
    for (let alert = queue.shift(); alert; alert = queue.shift()) {
      const key = keys.get(alert.id) ?? newKey();
      keys.set(alert.id, key);
      try {
        outcome.latest.push(await resolveAlert(alert, verdict, note, key));
      } catch (error) {
        await afterFailure(alert, error, outcome);
      }
      done += 1;
      onProgress(done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, alerts.length) }, work));
  return outcome;
}

/** A conflict is an answer too: somebody was first, unless it was this very request. Who, the alert itself says. */
async function afterFailure(alert: Alert, error: unknown, outcome: Outcome): Promise<void> {
  if (!isProblem(error, 409) || error.type === UNDER_WAY) {
    outcome.failed.push(error);
    return;
  }
  try {
    const latest = await answer(
      api.GET("/api/v1/alerts/{alert_id}", { params: { path: { alert_id: alert.id } } }),
    );
    outcome.latest.push(latest);
    outcome.taken.push(latest);
  } catch (again) {
    outcome.failed.push(again);
  }
}
