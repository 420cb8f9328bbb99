import { FireFilled, HourglassOutlined } from "@ant-design/icons";
import type { Schema } from "../../api/client";
import { duration } from "../../shared/numbers";
import { useSession } from "../../shared/session";
import { fullTime } from "../../shared/time";
import { Tag } from "../../shared/ui/tags";
import { useNow, When } from "../../shared/ui/values";
import type { Case } from "./filter";

export const TYPOLOGIES: Record<Case["typology"], string> = {
  account_takeover: "Account takeover",
  card: "Card misuse",
  laundering: "Money laundering",
  scam: "Scam",
  general: "General",
};

export const PRIORITIES: Record<Case["priority"], string> = {
  urgent: "Urgent",
  high: "High",
  normal: "Normal",
};

const STATES: Record<Case["state"], { word: string; tone: string }> = {
  open: { word: "Untouched", tone: "plain" },
  investigating: { word: "In work", tone: "approve" },
  waiting: { word: "Waiting", tone: "review" },
  closed: { word: "Closed", tone: "quiet" },
};

export const OUTCOMES: Record<NonNullable<Case["outcome"]>, { word: string; tone: string }> = {
  confirmed_fraud: { word: "Fraud", tone: "block" },
  genuine: { word: "Genuine", tone: "approve" },
  undetermined: { word: "Undetermined", tone: "quiet" },
  mixed: { word: "Part fraud", tone: "review" },
};

export type Verdict = Schema<"ClosingBody">["verdict"];
export const VERDICTS: Record<Verdict, string> = {
  confirmed_fraud: "Fraud",
  dismissed: "Genuine",
  undetermined: "Undetermined",
};

export type Source = NonNullable<Schema<"ClosingBody">["source"]>;
export const SOURCES: Record<Source, string> = {
  analyst: "Own investigation",
  customer: "The customer",
  chargeback: "Chargeback",
  issuer: "The card issuer",
  law_enforcement: "Police or court",
};

export type ActionKind = Schema<"ActionBody">["kind"];
export const ACTIONS: Record<ActionKind, { ask: string; about: string }> = {
  block_card: {
    ask: "Block the card",
    about: "Every payment with this card is blocked from the next one on.",
  },
  block_account: {
    ask: "Block the account",
    about: "Every payment from or to this account is blocked from the next one on.",
  },
  hold_payment: {
    ask: "Hold the payment",
    about: "Your core system is asked to hold it until it hears more.",
  },
  release_payment: {
    ask: "Release the payment",
    about: "Your core system is asked to let it go. A large one waits for a second person.",
  },
  contact_customer: { ask: "Have the customer called", about: "Your contact centre is asked to reach them." },
};

export const ACTION_STATES: Record<Schema<"CaseActionView">["state"], { word: string; tone: string }> = {
  proposed: { word: "Waits for approval", tone: "review" },
  asked: { word: "Asked", tone: "plain" },
  done: { word: "Done", tone: "approve" },
  failed: { word: "Not done", tone: "block" },
  undone: { word: "Undone", tone: "quiet" },
  expired: { word: "Not approved in time", tone: "quiet" },
};

const STEPS: Record<string, string> = {
  expired: "nobody decided on it in time",
  undo_expired: "nobody decided in time on undoing it",
  undo_failed: "undoing it was not approved",
};

/** A step of an action in the history of its case. */
export function stepWord(step: string): string {
  return STEPS[step] ?? step;
}

export function PriorityTag({ priority }: { priority: Case["priority"] }) {
  const tone = { urgent: "block", high: "review", normal: "plain" }[priority];
  const icon = priority === "urgent" ? <FireFilled aria-hidden /> : undefined;
  return <Tag icon={icon} word={PRIORITIES[priority]} tone={tone} />;
}

/** How far the work is; of a closed case, what it turned out to be. */
export function CaseStateTag({ of }: { of: Pick<Case, "state" | "outcome"> }) {
  return <Tag {...(of.outcome && of.state === "closed" ? OUTCOMES[of.outcome] : STATES[of.state])} />;
}

/** The time that is left, or since when it is over. */
export function Due({ of }: { of: Pick<Case, "due_at" | "closed_at"> }) {
  const now = useNow(15_000);
  const { timeZone } = useSession();
  if (of.closed_at) return <When at={of.closed_at} />;
  const left = (Date.parse(of.due_at) - now) / 1000;
  return (
    <span className={left < 0 ? "case-late num" : "num"} title={fullTime(of.due_at, timeZone)}>
      {left < 0 ? <HourglassOutlined aria-hidden /> : null} {duration(Math.abs(left))}{" "}
      {left < 0 ? "late" : "left"}
    </span>
  );
}
