const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** "12,345" */
export function count(value: number): string {
  return whole.format(value);
}

/** "1 alert", "12 alerts" */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${whole.format(value)} ${value === 1 ? noun : plural}`;
}

/** A feature or rate with the digits that matter: 1,234 or 12.3 or 0.0123. */
export function measure(value: number): string {
  if (!Number.isFinite(value)) return "not a number";
  if (Number.isInteger(value)) return whole.format(value);
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  if (Math.abs(value) < 1) return new Intl.NumberFormat("en", { maximumSignificantDigits: 3 }).format(value);
  return new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format(value);
}

/** "12 ms", "1.24 s" */
export function milliseconds(value: number | null): string {
  if (value === null) return "–";
  return value < 1000 ? `${measure(Math.round(value * 10) / 10)} ms` : `${measure(value / 1000)} s`;
}

/** "0.4 s", "12 s", "3 min", "2.5 h", "4 d" */
export function duration(seconds: number | null): string {
  if (seconds === null) return "–";
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 360) / 10} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** "+12 %" against the time before, "× 922" where percents would say nothing any more; null without anything before. */
export function changeText(change: number | null | undefined): string | null {
  if (change === null || change === undefined) return null;
  if (change >= 9) return `× ${Math.round(1 + change).toLocaleString("en")}`;
  const percent = Math.abs(change) < 0.1 ? Math.round(change * 1000) / 10 : Math.round(change * 100);
  return `${percent > 0 ? "+" : percent < 0 ? "−" : "±"}${Math.abs(percent)} %`;
}
