import { Tag } from "../../../shared/ui/tags";
import type { RuleText, RuleVersion } from "./queries";

const STATES = {
  live: { word: "Live", tone: "approve" },
  shadow: { word: "In shadow", tone: "review" },
  draft: { word: "Draft", tone: "plain" },
  retired: { word: "Retired", tone: "quiet" },
} as const;

/** How far a version of a rule has come. */
export function RuleState({ state }: { state: RuleVersion["state"] }) {
  return <Tag {...STATES[state]} />;
}

const ACTIONS = {
  block: { word: "Block", tone: "block" },
  review: { word: "Review", tone: "review" },
  allow: { word: "Allow", tone: "approve" },
} as const;

/** What a rule asks for. */
export function RuleAction({ action }: { action: RuleText["action"] }) {
  return <Tag {...ACTIONS[action]} />;
}

/** The cap of a rule in words. */
export function brakeText(brake: RuleText["brake"]): string {
  if (!brake) return "none";
  const caps = [];
  if (brake.most != null) caps.push(`${brake.most.toLocaleString("en")} blocks`);
  if (brake.share != null) caps.push(`${(brake.share * 100).toLocaleString("en")} % of payments`);
  return `${caps.join(" or ")} in ${brake.minutes ?? 60} min`;
}

/** A share with the bounds within which the truth lies in 19 of 20 cases. */
export function shareText(
  found: { value?: number | null; low?: number | null; high?: number | null } | null | undefined,
): string {
  if (found?.value == null || found.low == null || found.high == null) return "not known";
  const percent = (value: number) => (value * 100).toLocaleString("en", { maximumFractionDigits: 1 });
  return `${percent(found.value)} % (${percent(found.low)} to ${percent(found.high)})`;
}

/** US cents as dollars, without cents. */
export function dollars(minor: number): string {
  return `${Math.round(minor / 100).toLocaleString("en")} USD`;
}

export const NEW_RULE: RuleText = {
  title: "",
  condition: "is_spending and amount_usd > 1000",
  action: "review",
  reason: "The amount is {amount_usd:usd}.",
  severity: "medium",
  brake: null,
  owner: "",
};
