import { measure } from "../../../shared/numbers";
import { Tag } from "../../../shared/ui/tags";
import type { Measure, ModelSummary } from "./queries";

const STATES = {
  champion: { word: "Champion", tone: "approve" },
  challenger: { word: "Challenger", tone: "review" },
  candidate: { word: "Candidate", tone: "plain" },
  retired: { word: "Retired", tone: "quiet" },
} as const;

/** How far a model has come. */
export function ModelState({ state }: { state: ModelSummary["state"] }) {
  return <Tag {...STATES[state]} />;
}

const WATCHES = {
  ok: { word: "As in the trial", tone: "approve" },
  warning: { word: "Moved", tone: "review" },
  alarm: { word: "Another world", tone: "block" },
  unknown: { word: "Not known yet", tone: "quiet" },
} as const;

/** What the monitors say of a model, or of one thing that it reads. */
export function WatchTag({ state }: { state: keyof typeof WATCHES }) {
  return <Tag {...WATCHES[state]} />;
}

/** A share of 1 in per cent, anything else as it is. */
export function valueText(one: Pick<Measure, "name">, value: number): string {
  if (one.name === "alerts per day") return measure(value);
  if (one.name === "average precision") return value.toFixed(3);
  if (one.name === "area under ROC") return value.toFixed(4);
  return percent(value);
}

export function percent(value: number): string {
  const shown = value * 100;
  return `${shown.toLocaleString("en", { maximumSignificantDigits: shown < 1 ? 2 : 3 })} %`;
}

/** A figure with the bounds within which it lies in 19 of 20 cases. */
export function MeasureText({ measure: one, signed }: { measure: Measure; signed?: boolean }) {
  if (one.value == null) return <span className="muted">not known</span>;
  const sign = signed && one.value > 0 ? "+" : "";
  return (
    <>
      {sign}
      {valueText(one, one.value)}
      {one.low != null && one.high != null ? (
        <span className="muted models-bounds">
          {valueText(one, one.low)} to {valueText(one, one.high)}
        </span>
      ) : null}
    </>
  );
}

const NAMES: Record<string, string> = {
  "average precision": "Average precision",
  "area under ROC": "Area under ROC",
  precision: "Precision at the threshold",
  recall: "Recall at the threshold",
  "false-positive rate": "False-positive rate",
  "alerts per day": "Alerts a day",
};

export function measureName(name: string): string {
  return NAMES[name] ?? name.charAt(0).toUpperCase() + name.slice(1);
}

export const BY: Record<string, string> = {
  channel: "Channel",
  merchant_country: "Country",
  type: "Type",
  age: "Age",
  gender: "Gender",
};
