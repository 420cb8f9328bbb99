import type { MetricAlert, MetricAlertBody } from "./alertQueries";
import type { Tile } from "./queries";
import type { BoardFilters } from "./view";

export type Kind = "threshold" | "change" | "anomaly" | "own";

/** What the dialog asks; the API takes conditions instead of kind, side and numbers. */
export interface Fields {
  name: string;
  metric: string;
  span: MetricAlertBody["watched"]["span"];
  region?: string;
  channel?: string;
  kind: Kind;
  side: "above" | "below";
  line: number | null;
  settles_at: number | null;
  percent: number | null;
  condition: string;
  settles: string;
  sensitivity: MetricAlertBody["sensitivity"];
  severity: MetricAlertBody["severity"];
  pending_minutes: number | null;
  cooldown_minutes: number | null;
  group: string;
  mail: boolean;
  hook?: string;
}

export const SPANS = [
  { value: "1h", label: "hour" },
  { value: "6h", label: "6 hours" },
  { value: "24h", label: "24 hours" },
  { value: "7d", label: "7 days" },
];
const USUAL = "value < low or value > high";
const NUMBER = "(-?\\d+(?:\\.\\d+)?)";
const THRESHOLD = new RegExp(`^value ([<>]) ${NUMBER}$`);
const SETTLED = new RegExp(`^value [<>]= ${NUMBER}$`);
const CHANGE = new RegExp(`^change ([<>]) ${NUMBER}$`);

/** What is kept of the fields; `active` and `version` are those of the alert that is changed. */
export function bodyOfFields(fields: Fields, before?: MetricAlert): MetricAlertBody {
  return {
    name: fields.name,
    watched: {
      metric: fields.metric,
      span: fields.span,
      region: fields.region ?? "",
      channel: fields.channel ?? "",
    },
    ...conditionsOf(fields),
    sensitivity: fields.sensitivity,
    severity: fields.severity,
    pending_minutes: fields.pending_minutes ?? 0,
    cooldown_minutes: fields.cooldown_minutes ?? 0,
    group: fields.group,
    mail: fields.mail,
    hook: fields.hook ?? null,
    active: before?.active ?? true,
    version: before?.version ?? 0,
  };
}

/** The conditions that the fields stand for, in the language of all conditions. */
export function conditionsOf(fields: Pick<Fields, "kind"> & Partial<Fields>) {
  const [over, back] = fields.side === "below" ? ["<", ">="] : [">", "<="];
  switch (fields.kind) {
    case "anomaly":
      return { condition: USUAL, settles: "" };
    case "own":
      return { condition: fields.condition ?? "", settles: fields.settles ?? "" };
    case "change": {
      const share = plain((fields.percent ?? 0) / 100);
      return { condition: `change ${over} ${fields.side === "below" ? `-${share}` : share}`, settles: "" };
    }
    default: {
      const end = fields.settles_at;
      const settles = end === null || end === undefined ? "" : `value ${back} ${plain(end)}`;
      return { condition: `value ${over} ${plain(fields.line ?? 0)}`, settles };
    }
  }
}

/** What the dialog shows at first: an alert as it is kept, or a new one about what a tile shows. */
export function valuesOf(alert?: MetricAlert, tile?: Tile, filters?: BoardFilters): Partial<Fields> {
  const line = tile?.thresholds?.[0];
  const span = SPANS.find((one) => one.value === (filters?.span ?? tile?.metric?.span))?.value ?? "24h";
  const common: Partial<Fields> = { side: "above", line: null, settles_at: null, percent: null };
  if (!alert)
    return {
      ...common,
      name: tile?.title ?? "",
      metric: tile?.metric?.name,
      span: span as Fields["span"],
      region: filters?.values.region,
      channel: filters?.values.channel,
      kind: "threshold",
      side: line?.side ?? "above",
      line: line?.value ?? null,
      severity: (line?.severity ?? "warning") as Fields["severity"],
      sensitivity: "normal",
      pending_minutes: 0,
      cooldown_minutes: 0,
      condition: "",
      settles: "",
      group: "",
      mail: false,
    };
  return {
    ...common,
    name: alert.name,
    metric: alert.watched.metric,
    span: alert.watched.span,
    region: alert.watched.region || undefined,
    channel: alert.watched.channel || undefined,
    condition: alert.condition,
    settles: alert.settles,
    sensitivity: alert.sensitivity,
    severity: alert.severity,
    pending_minutes: alert.pending_minutes,
    cooldown_minutes: alert.cooldown_minutes,
    group: alert.group,
    mail: alert.mail,
    hook: alert.hook ?? undefined,
    ...kindOf(alert),
  };
}

/** Conditions as the dialog made them, read back; any other is somebody's own. */
function kindOf({ condition, settles }: MetricAlert): Partial<Fields> & { kind: Kind } {
  if (condition === USUAL && settles === "") return { kind: "anomaly" };
  const change = CHANGE.exec(condition);
  if (change && settles === "" && (change[1] === ">") === Number(change[2]) >= 0) {
    const percent = Number(plain(Math.abs(Number(change[2])) * 100));
    return { kind: "change", side: change[1] === ">" ? "above" : "below", percent };
  }
  const line = THRESHOLD.exec(condition);
  const end = SETTLED.exec(settles);
  if (line && (settles === "" || end))
    return {
      kind: "threshold",
      side: line[1] === ">" ? "above" : "below",
      line: Number(line[2]),
      settles_at: end ? Number(end[1]) : null,
    };
  return { kind: "own" };
}

/** A number as conditions take it: no exponent, and no more digits than it has. */
function plain(value: number): string {
  return value.toFixed(6).replace(/\.?0+$/, "");
}
