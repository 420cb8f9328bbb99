import type { Theme } from "../../shared/ui/Plotted";
import { common, daily, SERIES_COLOURS, SERIES_DASHES } from "../../shared/ui/plotBase";
import { figureText, inUnits } from "./figures";
import type { Note, Tile, TileData } from "./queries";

const SERIES_MAX = 12;
const DAY_MS = 86_400_000;
type Point = [string | number, number | null];

/** Why a tile cannot be drawn from its result; null when it can. */
export function drawProblem(tile: Tile, data: TileData): string | null {
  const { x, ys, by } = columnsOf(tile, data);
  const wanted = tile.query ? [tile.query.x, ...(tile.query.y ?? []), tile.query.series] : [];
  const missing = wanted.find((name) => name && !data.columns.some((one) => one.name === name));
  if (missing) return `The result has no column ${missing} any more. Edit the tile and choose another.`;
  if (x < 0 || ys.length === 0 || by === -2) return "Edit the tile and choose what to draw over what.";
  return null;
}

/** An ECharts option for a tile: its lines or bars, its thresholds, and the notes on the dashboard. */
export function tileOption(tile: Tile, data: TileData, notes: readonly Note[], theme: Theme) {
  const { x, ys, by } = columnsOf(tile, data);
  const time = ["date", "timestamp"].includes(data.columns[x]?.type ?? "");
  const series = seriesOf(data, x, ys, by, time);
  const days = time && data.rows.every((row) => Date.parse(String(row[x])) % DAY_MS === 0);
  const base = days ? daily(theme) : common(theme);
  const text = (value: number) => figureText(value, data);
  const categories = time ? undefined : [...new Set(data.rows.map((row) => label(row[x])))];
  const legend = series.length > 1;
  const colours = theme.dark ? SERIES_COLOURS.dark : SERIES_COLOURS.light;
  return {
    ...base,
    color: colours,
    legend: legend
      ? { type: "scroll", top: 0, itemWidth: 28, textStyle: { color: base.muted, fontSize: 12 } }
      : { show: false },
    grid: { left: 8, right: 16, top: legend ? 30 : 14, bottom: 4, containLabel: true },
    tooltip: {
      ...base.tooltip,
      valueFormatter: (value: unknown) => (typeof value === "number" ? text(value) : "–"),
      axisPointer: time ? base.tooltip.axisPointer : undefined,
    },
    xAxis: time
      ? base.xAxis
      : { ...base.xAxis, type: "category", data: categories, axisLabel: { color: base.muted, fontSize: 11 } },
    yAxis: {
      type: "value",
      splitNumber: 4,
      splitLine: { lineStyle: { color: base.line } },
      axisLabel: { color: base.muted, fontSize: 11, formatter: text },
    },
    series: series.map((one, at) => ({
      type: tile.kind === "bar" ? "bar" : "line",
      name: one.name,
      showSymbol: one.points.length < 2,
      barMaxWidth: 40,
      lineStyle: { width: 2, type: SERIES_DASHES[at % SERIES_DASHES.length] },
      data: categories
        ? categories.map((name) => one.points.find((point) => point[0] === name)?.[1] ?? null)
        : one.points,
      markLine: at === 0 ? marks(tile, data, time ? notes : [], theme) : undefined,
    })),
  };
}

/** Lines across a chart: thresholds, and moments of which somebody noted something. */
function marks(tile: Tile, data: TileData, notes: readonly Note[], { dark }: Theme) {
  const bad = dark ? "#ff9c92" : "#b3261e";
  const warn = dark ? "#f0b95e" : "#8a5200";
  const quiet = dark ? "#9aa7b5" : "#556171";
  const times = data.rows.map((row) => Date.parse(String(row[0])));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  // The last bucket of a metric goes on until now: what was noted in it stands at its beginning.
  const until = tile.metric && data.as_of ? Math.max(last, Date.parse(data.as_of)) : last;
  return {
    symbol: "none",
    silent: true,
    animation: false,
    label: { fontSize: 11, position: "insideEndTop" },
    data: [
      ...(tile.thresholds ?? []).map((one) => {
        const color = one.severity === "critical" ? bad : warn;
        const said = one.label || `${one.side} ${figureText(one.value, data)}`;
        return { yAxis: one.value, lineStyle: { color, type: "dashed" }, label: { formatter: said, color } };
      }),
      ...notes
        .map((note) => ({ at: Date.parse(note.at), text: note.text }))
        .filter(({ at }) => at >= first && at <= until)
        .map(({ at, text }) => ({
          xAxis: Math.min(at, last),
          lineStyle: { color: quiet, type: "solid", width: 1 },
          label: { formatter: text.length > 24 ? `${text.slice(0, 23)}…` : text, color: quiet },
        })),
    ],
  };
}

/** The places of the columns that are drawn: over what, what, and one line for each what. */
function columnsOf(tile: Tile, data: TileData): { x: number; ys: number[]; by: number } {
  const place = (name: string | undefined) => data.columns.findIndex((one) => one.name === name);
  if (tile.metric) return { x: 0, ys: [1], by: -1 };
  const numbers = data.columns.flatMap((one, at) => (one.type === "number" ? [at] : []));
  const x = tile.query?.x ? place(tile.query.x) : data.columns.findIndex((one) => one.type !== "number");
  const ys = tile.query?.y?.length
    ? tile.query.y.map(place).filter((at) => at >= 0)
    : numbers.filter((at) => at !== x).slice(0, 1);
  return { x, ys, by: tile.query?.series ? place(tile.query.series) : -1 };
}

function seriesOf(data: TileData, x: number, ys: number[], by: number, time: boolean) {
  const at = (row: readonly unknown[]) => (time ? Date.parse(String(row[x])) : label(row[x]));
  if (by < 0) {
    return ys.map((y) => ({
      name: data.columns[y]?.name ?? "",
      points: data.rows.map((row): Point => [at(row), inUnits(row[y], data)]),
    }));
  }
  const found = new Map<string, Point[]>();
  for (const row of data.rows) {
    const name = label(row[by]);
    const points = found.get(name) ?? [];
    points.push([at(row), inUnits(row[ys[0] ?? -1], data)]);
    found.set(name, points);
  }
  return [...found].slice(0, SERIES_MAX).map(([name, points]) => ({ name, points }));
}

function label(value: unknown): string {
  if (value === null || value === undefined || value === "") return "Not given";
  return value === "(other)" ? "All others" : String(value);
}
