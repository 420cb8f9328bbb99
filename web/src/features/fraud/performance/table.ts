import { type Cell, csv } from "../../../shared/csv";
import type { Outcome, Performance } from "./queries";

export type Interval = Outcome["precision"];

/** "62.5 %" */
export function percent(value: number | null | undefined): string {
  if (value == null) return "not known";
  const digits = value !== 0 && Math.abs(value) < 0.01 ? 2 : 3;
  return `${(100 * value).toLocaleString("en", { maximumSignificantDigits: digits })} %`;
}

/** "55 to 69 %", the bounds within which the truth lies in 19 of 20 cases. */
export function bounds(found: Interval): string {
  if (found.low == null || found.high == null) return "nothing judged yet";
  const text = (value: number) => (100 * value).toLocaleString("en", { maximumSignificantDigits: 2 });
  return `${text(found.low)} to ${text(found.high)} %`;
}

// biome-ignore format: by theme.
const OUTCOME_HEADER: readonly string[] = [
  "source", "name", "title", "hits", "blocks", "fraud", "legitimate", "precision", "precision_low", "precision_high",
  "recall", "recall_low", "recall_high", "false_positive_rate", "false_positive_rate_low", "false_positive_rate_high",
  "protected_usd", "since", "until", "as_of",
];

/** How each rule and model did, for a spreadsheet. */
export function outcomesCsv(data: Performance): string {
  return csv(
    OUTCOME_HEADER,
    data.sources.map((one): Cell[] => [
      one.source,
      one.name,
      one.title,
      one.hits,
      one.blocks,
      one.fraud,
      one.legitimate,
      ...cells(one.precision),
      ...cells(one.recall),
      ...cells(one.false_positives),
      one.protected_usd_minor / 100,
      data.since,
      data.until,
      data.as_of,
    ]),
  );
}

function cells(found: Interval): Cell[] {
  return [found.value, found.low, found.high];
}
