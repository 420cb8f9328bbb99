import type { Alert } from "./filter";

const CHANNELS: Record<string, string> = {
  pos: "Card terminal",
  web: "Web",
  app: "App",
  atm: "Cash machine",
  branch: "Branch",
  transfer: "Transfer",
};

export function channelWord(channel: string | null): string {
  return channel === null ? "–" : (CHANNELS[channel] ?? channel);
}

/** "**** 1234": never more of a card than its last four digits. */
export function cardText(last4: string | null): string {
  return last4 === null ? "–" : `**** ${last4}`;
}

/** A model's score as the reasons of an alert tell it: with two digits where one decimal would show nothing. */
export function scoreText(score: number): string {
  const percent = score * 100;
  return `${score < 0.001 ? Number(percent.toPrecision(2)) : Math.round(percent * 10) / 10} %`;
}

/** "Jollibee SM North, Quezon City, PH" */
export function placeText(
  of: Pick<Alert, "merchant_name" | "merchant_country"> & { merchant_city?: string | null },
) {
  return (
    [of.merchant_name, of.merchant_city, of.merchant_country].filter(Boolean).join(", ") || "No merchant"
  );
}

/** The first reason, and how many more there are. */
export function whyText(alert: Alert): string {
  const [first, ...more] = alert.reasons.length > 0 ? alert.reasons : alert.rules.map((rule) => rule.title);
  if (first === undefined) return "No reason was given.";
  return more.length > 0 ? `${first} (+${more.length})` : first;
}

/** An id short enough for a title: its kind and its last eight digits. */
export function shortId(id: string): string {
  return id.length > 14 ? `${id.slice(0, 4)}…${id.slice(-8)}` : id;
}
