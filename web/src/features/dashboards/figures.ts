import { measure } from "../../shared/numbers";
import { momentText } from "../../shared/time";
import type { Threshold, Tile, TileData } from "./queries";

/** A number of a tile in the units that people read: major units of a currency, or as it is. */
export function inUnits(value: unknown, data: TileData): number | null {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) return null;
  return number / 10 ** data.exponent;
}

/** "1.2M USD", "12,345.60 USD", "1,234" */
export function figureText(value: number | null, data: TileData): string {
  if (value === null) return "–";
  if (!data.currency) return measure(value);
  const short = Math.abs(value) >= 100_000;
  const format = new Intl.NumberFormat("en", {
    minimumFractionDigits: short ? undefined : data.exponent,
    maximumFractionDigits: short ? undefined : data.exponent,
    ...(short ? { notation: "compact" as const, maximumSignificantDigits: 4 } : {}),
  });
  return `${format.format(value)} ${data.currency}`;
}

/** The one number of a tile: a metric's sum, or the first row of a result. */
export function numberOf(tile: Tile, data: TileData): number | null {
  if (tile.metric) return inUnits(data.value, data);
  const wanted = tile.query?.y?.[0];
  const place = data.columns.findIndex((one) => one.type === "number" && (!wanted || one.name === wanted));
  return inUnits(data.rows[0]?.[place < 0 ? 0 : place], data);
}

/** The gravest threshold that a value has crossed. */
export function crossed(value: number | null, thresholds: readonly Threshold[] = []): Threshold | null {
  if (value === null) return null;
  const found = thresholds.filter((one) => (one.side === "below" ? value < one.value : value > one.value));
  return found.find((one) => one.severity === "critical") ?? found[0] ?? null;
}

/** A cell of a table as people read it; moments by the clock of `zone`. */
export function cellText(value: unknown, type: string, data: TileData, zone: string): string {
  if (value === null || value === undefined) return "–";
  if (type === "timestamp" && typeof value === "string" && !Number.isNaN(Date.parse(value)))
    return momentText(value, zone);
  if (type === "number") {
    const number = inUnits(value, data);
    if (number !== null) return data.currency ? figureText(number, data) : measure(number);
  }
  if (value === "") return "Not given";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
