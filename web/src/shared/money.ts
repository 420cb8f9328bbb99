import type { Schema } from "../api/client";

export type Money = Schema<"Money">;

const formats = new Map<number, Intl.NumberFormat>();

/** "12,345.60": the amount without its currency. How many digits a currency has is read off the server's text. */
export function amountText(money: Money): string {
  const digits = digitsOf(money);
  return format(digits).format(money.minor / 10 ** digits);
}

/** "12,345.60 PHP" */
export function moneyText(money: Money): string {
  return `${amountText(money)} ${money.currency}`;
}

/** An amount of minor units, of which `digits` stand behind the point. */
export function amountOf(minor: number, currency: string, digits: number): Money {
  return { minor, currency, text: `${(minor / 10 ** digits).toFixed(digits)} ${currency}` };
}

/** US cents, as sums over several currencies are told. */
export function usd(cents: number): Money {
  return amountOf(cents, "USD", 2);
}

/** In major units: 12345.6 */
export function inMajor(money: Money): number {
  return money.minor / 10 ** digitsOf(money);
}

/** "1.2M USD", for tiles; small amounts stay whole. */
export function shortMoney(money: Money): string {
  const value = inMajor(money);
  if (Math.abs(value) < 100_000) return moneyText(money);
  const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 }).format(
    value,
  );
  return `${short} ${money.currency}`;
}

function digitsOf(money: Money): number {
  return /\.(\d+)/.exec(money.text)?.[1]?.length ?? 0;
}

function format(digits: number): Intl.NumberFormat {
  let found = formats.get(digits);
  if (!found) {
    found = new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(digits, found);
  }
  return found;
}
