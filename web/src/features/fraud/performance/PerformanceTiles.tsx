import type { ReactNode } from "react";
import { usd } from "../../../shared/money";
import { count, duration } from "../../../shared/numbers";
import { Tile } from "../../../shared/ui/Tile";
import { Worth } from "../../../shared/ui/Worth";
import { NumberLink } from "./NumberLink";
import type { Performance, View } from "./queries";
import { bounds, percent } from "./table";

interface TilesProps {
  data: Performance;
  view: View;
  /** Absent for people who see numbers and no rows. */
  open?: (view: View) => void;
}

/** What decides as a whole: how right it was, what it saved, and what it cost people. */
export function PerformanceTiles({ data, view, open }: TilesProps) {
  const whole = data.sources.find((one) => one.source === "all");
  if (!whole) return null;
  const common = { loading: false, error: null, onRetry: () => undefined };
  const rows = (outcome: View["outcome"], text: ReactNode) => (
    <NumberLink view={{ ...view, source: "all", outcome }} open={open}>
      {text}
    </NumberLink>
  );
  const time = data.decision_time;
  return (
    <div className="tiles performance-tiles">
      <Tile
        {...common}
        title="Precision"
        meaning="Fraud among the alerts that somebody has judged."
        value={rows("fraud", percent(whole.precision.value))}
        note={bounds(whole.precision)}
      />
      <Tile
        {...common}
        title="Recall"
        meaning="Known fraud that was reviewed or blocked, among all fraud that is known."
        value={rows("missed", percent(whole.recall.value))}
        note={`${bounds(whole.recall)}, ${count(data.fraud_known - whole.fraud)} missed`}
      />
      <Tile
        {...common}
        title="False positives"
        meaning="Payments that were reviewed or blocked and judged good, among all that are not known as fraud."
        value={rows("legitimate", percent(whole.false_positives.value))}
        note={bounds(whole.false_positives)}
      />
      <Tile
        {...common}
        title="Protected"
        meaning="The worth of known fraud that was blocked. What was tried again within a day counts once."
        value={rows("protected", <Worth usd={usd(data.protected_usd_minor)} />)}
        note={
          <>
            <Worth usd={usd(data.missed_usd_minor)} /> of fraud not blocked
          </>
        }
      />
      <Tile
        {...common}
        title="Alert to decision"
        meaning="Half of the judged alerts were judged faster than this, from the arrival of the payment."
        value={time.p50_s === null ? "–" : duration(time.p50_s)}
        note={time.p90_s === null ? "nothing judged yet" : `9 of 10 within ${duration(time.p90_s)}`}
      />
      <Tile
        {...common}
        title="Capacity used"
        meaning="Alerts of a day as a share of what the team can work on."
        value={rows("unjudged", percent(data.capacity_used))}
        note={`${data.alerts_per_day.toLocaleString("en", { maximumFractionDigits: 1 })} a day, ${count(data.waiting)} wait`}
      />
    </div>
  );
}
