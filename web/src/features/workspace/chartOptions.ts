import { measure } from "../../shared/numbers";
import type { Chart, ResultColumn } from "./queries";

type Row = readonly unknown[];
const SERIES_MAX = 20;
const PIE_MAX = 12;
const PALETTE = {
  light: ["#1d4f91", "#b4690e", "#1a6b3a", "#8a3ffc", "#b3261e", "#00838f", "#6b4f2a", "#556171"],
  dark: ["#86b0e8", "#f0b95e", "#7fd3a0", "#c4a0ff", "#ff9c92", "#5fd0da", "#d1b48c", "#9aa7b5"],
};

/** The chart that a result asks for by its shape, of one measure: a count and a sum have no axis in common. */
export function proposeChart(columns: readonly ResultColumn[], rows: number): Chart {
  const numbers = columns.filter((one) => one.type === "number").map((one) => one.name);
  const time = columns.find((one) => one.type === "date" || one.type === "timestamp");
  const texts = columns.filter((one) => one.type === "text" || one.type === "boolean");
  const base = { x: "", y: numbers.slice(0, 1), series: "", stacked: false };
  if (numbers.length === 0) return { ...base, kind: "table" };
  if (rows === 1 && columns.length <= 2) return { ...base, kind: "number" };
  if (time) return { ...base, kind: "line", x: time.name, series: texts[0]?.name ?? "" };
  if (texts[0]) return { ...base, kind: "bar", x: texts[0].name, series: texts[1]?.name ?? "" };
  if (numbers.length >= 2)
    return { ...base, kind: rows > 50 ? "scatter" : "bar", x: numbers[0] as string, y: numbers.slice(1, 2) };
  return { ...base, kind: "table" };
}

/** Why a chart cannot be drawn from this result; null when it can. */
export function chartProblem(chart: Chart, columns: readonly ResultColumn[]): string | null {
  if (chart.kind === "table") return null;
  const names = new Set(columns.map((one) => one.name));
  const wanted = [
    ...(chart.y ?? []),
    ...(chart.kind === "number" ? [] : [chart.x ?? ""]),
    chart.series ?? "",
  ];
  const missing = wanted.find((name) => name !== "" && !names.has(name));
  if (missing !== undefined) return `The result has no column ${missing}. Choose another.`;
  if ((chart.y ?? []).length === 0) return "Choose what to draw.";
  return chart.kind !== "number" && !chart.x ? "Choose what to draw it over." : null;
}

interface Theme {
  dark: boolean;
  primary: string;
}

/** An ECharts option for the rows of a result. */
export function chartOption(
  chart: Chart,
  columns: readonly ResultColumn[],
  rows: readonly Row[],
  theme: Theme,
) {
  const at = (name: string) => columns.findIndex((one) => one.name === name);
  const x = at(chart.x ?? "");
  const time = ["date", "timestamp"].includes(columns[x]?.type ?? "");
  const muted = theme.dark ? "#9aa7b5" : "#556171";
  const line = theme.dark ? "#2a3542" : "#dce1e7";
  const ink = theme.dark ? "#e3e9ef" : "#17202b";
  const colours = theme.dark ? PALETTE.dark : PALETTE.light;
  const common = {
    animation: false,
    color: [theme.primary, ...colours.slice(1)],
    textStyle: { fontFamily: "inherit" },
    tooltip: {
      trigger: chart.kind === "pie" || chart.kind === "scatter" ? "item" : "axis",
      confine: true,
      // Drawn on the canvas: a tooltip of HTML would need inline styles, which the policy of the page forbids.
      renderMode: "richText",
      backgroundColor: theme.dark ? "#1c2530" : "#ffffff",
      borderColor: line,
      textStyle: { color: ink, fontSize: 12 },
      valueFormatter: (value: unknown) => (typeof value === "number" ? measure(value) : String(value)),
    },
    legend: { type: "scroll", top: 0, textStyle: { color: muted, fontSize: 12 } },
  };
  if (chart.kind === "pie") {
    const y = at(chart.y?.[0] ?? "");
    const parts = rows.map((row) => ({ name: text(row[x]), value: number(row[y]) ?? 0 }));
    parts.sort((one, other) => other.value - one.value);
    const rest = parts.slice(PIE_MAX).reduce((sum, one) => sum + one.value, 0);
    const data = [...parts.slice(0, PIE_MAX), ...(rest > 0 ? [{ name: "All others", value: rest }] : [])];
    return {
      ...common,
      series: [
        {
          type: "pie",
          radius: ["35%", "68%"],
          data,
          label: { color: ink },
          labelLine: { lineStyle: { color: muted } },
        },
      ],
    };
  }
  const series = seriesOf(chart, columns, rows);
  const categories =
    time || chart.kind === "scatter" ? undefined : [...new Set(rows.map((row) => text(row[x])))];
  return {
    ...common,
    legend: series.length > 1 ? common.legend : { show: false },
    grid: { left: 8, right: 16, top: series.length > 1 ? 36 : 12, bottom: 8, containLabel: true },
    xAxis: {
      type: time ? "time" : chart.kind === "scatter" ? "value" : "category",
      data: categories,
      name: chart.kind === "scatter" ? chart.x : undefined,
      axisLine: { lineStyle: { color: line } },
      axisLabel: { color: muted, fontSize: 11, hideOverlap: true },
      splitLine: { show: false },
    },
    yAxis: {
      type: "value",
      scale: chart.kind === "scatter" || chart.kind === "line",
      splitLine: { lineStyle: { color: line } },
      axisLabel: { color: muted, fontSize: 11, formatter: (value: number) => measure(value) },
    },
    series: series.map((one) => ({
      name: one.name,
      type: chart.kind === "area" ? "line" : chart.kind,
      stack: chart.stacked && chart.kind !== "scatter" ? "all" : undefined,
      areaStyle: chart.kind === "area" ? { opacity: 0.25 } : undefined,
      showSymbol: one.points.length < 40,
      symbolSize: chart.kind === "scatter" ? 7 : 5,
      barMaxWidth: 48,
      data: categories
        ? categories.map((name) => one.points.find((point) => point[0] === name)?.[1] ?? null)
        : one.points,
    })),
  };
}

interface Series {
  name: string;
  points: [unknown, number | null][];
}

function seriesOf(chart: Chart, columns: readonly ResultColumn[], rows: readonly Row[]): Series[] {
  const at = (name: string) => columns.findIndex((one) => one.name === name);
  const x = at(chart.x ?? "");
  const time = ["date", "timestamp"].includes(columns[x]?.type ?? "");
  const place = (row: Row) =>
    time ? Date.parse(String(row[x])) : chart.kind === "scatter" ? number(row[x]) : text(row[x]);
  const by = chart.series ? at(chart.series) : -1;
  if (by < 0)
    return (chart.y ?? []).map((name) => ({
      name,
      points: rows.map((row) => [place(row), number(row[at(name)])]),
    }));
  const y = at(chart.y?.[0] ?? "");
  const found = new Map<string, [unknown, number | null][]>();
  for (const row of rows) {
    const name = text(row[by]);
    const points = found.get(name) ?? [];
    points.push([place(row), number(row[y])]);
    found.set(name, points);
  }
  return [...found].slice(0, SERIES_MAX).map(([name, points]) => ({ name, points }));
}

function number(value: unknown): number | null {
  const found = typeof value === "string" ? Number(value) : value;
  return typeof found === "number" && Number.isFinite(found) ? found : null;
}

function text(value: unknown): string {
  return value === null || value === undefined ? "(none)" : String(value);
}
