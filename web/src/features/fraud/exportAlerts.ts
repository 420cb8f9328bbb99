import { type Cell, csv } from "../../shared/csv";
import { amountText, type Money } from "../../shared/money";
import type { Alert, Filter } from "./filter";
import { fetchAlerts } from "./queries";

/** The most rows of one export. More belong in a query over the lake. */
export const EXPORT_LIMIT = 10_000;
const EXPORT_PAGE = 200;

// biome-ignore format: by theme.
const HEADER: readonly string[] = [
  "id", "state", "action", "raised_at", "occurred_at", "event_id", "account_id", "customer_id", "card_last4",
  "amount", "currency", "amount_usd", "merchant", "city", "country", "channel", "rules", "reasons", "explained",
  "would_pass", "score",
  "resolved_by", "resolved_at", "note",
];

/** All alerts of a filter as CSV, at most EXPORT_LIMIT. `onRows` is told how many are there so far. */
export async function exportAlerts(
  filter: Filter,
  zone: string,
  signal: AbortSignal,
  onRows: (rows: number) => void,
) {
  const rows: Cell[][] = [];
  let before: string | null = null;
  do {
    const page = await fetchAlerts(filter, zone, EXPORT_PAGE, before, signal);
    rows.push(...page.items.map(rowOf));
    before = page.next;
    onRows(rows.length);
  } while (before !== null && rows.length < EXPORT_LIMIT);
  const cut = rows.slice(0, EXPORT_LIMIT);
  return {
    text: csv(HEADER, cut),
    rows: cut.length,
    complete: before === null && rows.length <= EXPORT_LIMIT,
  };
}

function rowOf(alert: Alert): Cell[] {
  // biome-ignore format: in the order of the header.
  return [
    alert.id, alert.state, alert.action, alert.raised_at, alert.occurred_at, alert.event_id, alert.account_id,
    alert.customer_id, alert.card_last4, plain(alert.amount), alert.amount.currency, plain(alert.amount_usd),
    alert.merchant_name, alert.merchant_city, alert.merchant_country, alert.channel,
    alert.rules.map((rule) => rule.id).join(" "), alert.reasons.join(" "),
    (alert.explained ?? []).join(" "), alert.would_pass, alert.score,
    alert.resolution?.by, alert.resolution?.at, alert.resolution?.note,
  ];
}

/** A spreadsheet should see a number. */
function plain(money: Money | null): number | null {
  return money && Number(amountText(money).replaceAll(",", ""));
}
