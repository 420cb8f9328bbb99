import type { Schema } from "../../api/client";
import type { Case } from "./filter";
import type { Policy } from "./queries";

type Content = Policy["content"];
export type ListName = "common" | Case["typology"];
/** A step while it is written; `key` tells it from the others whatever it says. */
export type DraftStep = Schema<"PolicyStep"> & { key: string };

export interface Draft {
  priority_from_usd: Content["priority_from_usd"];
  due_minutes: Content["due_minutes"];
  common: DraftStep[];
  checklists: Record<Case["typology"], DraftStep[]>;
}

export const UNITS = { minutes: 1, hours: 60, days: 1440 } as const;

/** The largest unit in which a time is a whole number. */
export function unitOf(minutes: number): keyof typeof UNITS {
  if (minutes % UNITS.days === 0) return "days";
  return minutes % UNITS.hours === 0 ? "hours" : "minutes";
}

export function editable(content: Content): Draft {
  const keyed = (steps: readonly Schema<"PolicyStep">[]) =>
    steps.map((one) => ({ text: one.text, id: one.id ?? "", key: one.id ?? one.text }));
  return {
    priority_from_usd: content.priority_from_usd,
    due_minutes: content.due_minutes,
    common: keyed(content.common),
    checklists: Object.fromEntries(
      Object.entries(content.checklists).map(([kind, steps]) => [kind, keyed(steps)]),
    ) as Draft["checklists"],
  };
}

/** What a draft says, as it is sent. */
export function read(draft: Draft): Content {
  const plain = (steps: readonly DraftStep[]) => steps.map(({ text, id }) => ({ text, id }));
  return {
    priority_from_usd: draft.priority_from_usd,
    due_minutes: draft.due_minutes,
    common: plain(draft.common),
    checklists: Object.fromEntries(
      Object.entries(draft.checklists).map(([kind, steps]) => [kind, plain(steps)]),
    ),
  };
}

export function same(draft: Draft, content: Content): boolean {
  return JSON.stringify(read(draft)) === JSON.stringify(read(editable(content)));
}

export function withSteps(draft: Draft, list: ListName, steps: DraftStep[]): Partial<Draft> {
  if (list === "common") return { common: steps };
  return { checklists: { ...draft.checklists, [list]: steps } };
}

/** The steps with one of them a place up or down. */
export function moved(steps: readonly DraftStep[], place: number, by: 1 | -1): DraftStep[] {
  const next = [...steps];
  next.splice(place + by, 0, ...next.splice(place, 1));
  return next;
}
