import type { Law, Step, SubjectRequest } from "./queries";

export const KINDS: Record<SubjectRequest["kind"], string> = {
  access: "See their data",
  portability: "Take their data along",
  rectify: "Correct",
  restrict: "Restrict",
  erase: "Erase",
  object: "Object",
  human_review: "Review by a person",
};

export const STATES: Record<SubjectRequest["state"], { word: string; tone: string }> = {
  received: { word: "Received", tone: "plain" },
  verified: { word: "Identity checked", tone: "plain" },
  proposed: { word: "Waits for approval", tone: "review" },
  ready: { word: "Approved", tone: "approve" },
  running: { word: "Being erased", tone: "review" },
  done: { word: "Done", tone: "quiet" },
  refused: { word: "Refused", tone: "quiet" },
};

export const LAWS: Record<Law, string> = {
  gdpr: "GDPR",
  sg_pdpa: "Singapore PDPA",
  ph_dpa: "Philippines DPA",
  th_pdpa: "Thailand PDPA",
};

export const HOLDS: Record<string, string> = {
  legal: "Legal hold",
  aml: "Money laundering",
  restriction: "Restricted",
};

export const STEPS: Record<Step, string> = {
  receive: "Take in",
  verify: "Identity checked",
  propose: "Propose",
  approve: "Approve",
  send_back: "Send back",
  download: "Download",
  complete: "Close as done",
  restrict: "Restrict instead",
  refuse: "Refuse",
  extend: "Extend the term",
  erased: "Erase",
};

/** The same, when it was done. */
export const STEPS_DONE: Record<Step, string> = {
  receive: "Received",
  verify: "Identity checked",
  propose: "Proposed",
  approve: "Approved",
  send_back: "Sent back",
  download: "File taken out",
  complete: "Closed as done",
  restrict: "Restricted instead",
  refuse: "Refused",
  extend: "Term extended",
  erased: "Erased",
};

const DAY = 86_400_000;
const HOUR = 3_600_000;

/** "5 days left", "7 h left", "2 days late". */
export function timeLeft(due: string, now: number): { text: string; late: boolean; soon: boolean } {
  const left = Date.parse(due) - now;
  const size = Math.abs(left);
  const days = Math.floor(size / DAY);
  const text =
    size >= 2 * DAY
      ? `${days} days`
      : size >= HOUR
        ? `${Math.floor(size / HOUR)} h`
        : `${Math.ceil(size / 60_000)} min`;
  return { text: `${text} ${left < 0 ? "late" : "left"}`, late: left < 0, soon: left < 3 * DAY };
}
