import type { Summary } from "./queries";

const MINUTES = 60;

/** Alerts in each of the last 60 minutes, oldest first; minutes that the server left out had none. */
export function lastHour({ per_minute, as_of }: Pick<Summary, "per_minute" | "as_of">): number[] {
  const now = Math.floor(Date.parse(as_of) / 60_000);
  const counts = new Array<number>(MINUTES).fill(0);
  for (const each of per_minute) {
    const at = MINUTES - 1 - (now - Math.floor(Date.parse(each.minute) / 60_000));
    if (at >= 0 && at < MINUTES) counts[at] = (counts[at] ?? 0) + each.alerts;
  }
  return counts;
}
