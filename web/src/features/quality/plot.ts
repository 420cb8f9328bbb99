import type { Theme } from "../../shared/ui/Plotted";
import { common, daily } from "../../shared/ui/plotBase";
import type { MonitorDetail } from "./queries";
import { valueText } from "./words";

/** A monitor's values over time in the band that was usual, unusual ones marked. */
export function historyOption(one: MonitorDetail, theme: Theme) {
  const { muted, line, ...rest } = common(theme);
  const twoSided = one.kind === "volume" || one.kind === "timeliness";
  const at = one.history.map((point) => Date.parse(point.at));
  const low = one.history.map((point) => (twoSided ? point.low : point.high === null ? null : 0));
  const band = { type: "line", stack: "band", symbol: "none", silent: true, lineStyle: { opacity: 0 } };
  const text = (value: unknown) => valueText(one.kind, typeof value === "number" ? value : null);
  return {
    ...rest,
    tooltip: { ...rest.tooltip, formatter: (shown: unknown) => tooltip(one, shown, theme) },
    yAxis: {
      type: "value",
      splitLine: { lineStyle: { color: line } },
      axisLabel: { color: muted, fontSize: 11, formatter: text },
    },
    series: [
      { ...band, name: "from", data: at.map((when, i) => [when, low[i]]) },
      {
        ...band,
        name: "to",
        areaStyle: { color: theme.primary, opacity: theme.dark ? 0.22 : 0.12 },
        data: one.history.map((point, i) => [
          at[i],
          point.high === null || low[i] === null ? null : point.high - (low[i] ?? 0),
        ]),
      },
      {
        type: "line",
        name: "value",
        symbol: "none",
        color: theme.primary,
        lineStyle: { width: 1.5 },
        data: one.history.map((point, i) => [at[i], point.value]),
      },
      {
        type: "scatter",
        name: "unusual",
        symbolSize: 6,
        color: theme.dark ? "#ff9c92" : "#b3261e",
        data: one.history.flatMap((point, i) => (point.unusual ? [[at[i], point.value]] : [])),
      },
    ],
  };
}

function tooltip(one: MonitorDetail, shown: unknown, { timeText }: Theme): string {
  const place = (shown as { dataIndex: number; seriesName: string }[]).find(
    (each) => each.seriesName === "value",
  );
  const point = place ? one.history[place.dataIndex] : undefined;
  if (!point) return "";
  const usual =
    point.high === null
      ? "nothing was known to be usual"
      : one.kind === "volume" || one.kind === "timeliness"
        ? `usual ${valueText(one.kind, point.low)} to ${valueText(one.kind, point.high)}`
        : `usual at most ${valueText(one.kind, point.high)}`;
  return `${timeText(Date.parse(point.at))}\n${valueText(one.kind, point.value)}\n${usual}`;
}

/** The share of records that passed, day by day. */
export function scoreOption(
  points: readonly { at: string; received: number; passed: number }[],
  theme: Theme,
) {
  const { muted, line, ...rest } = daily(theme);
  const percent = (value: number) => `${Number(value.toPrecision(4))} %`;
  return {
    ...rest,
    tooltip: { ...rest.tooltip, valueFormatter: (value: unknown) => percent(Number(value)) },
    yAxis: {
      type: "value",
      max: 100,
      scale: true,
      minInterval: 0.1,
      splitLine: { lineStyle: { color: line } },
      axisLabel: { color: muted, fontSize: 11, formatter: percent },
    },
    series: [
      {
        type: "line",
        name: "passed",
        color: theme.primary,
        symbolSize: 6,
        showSymbol: points.length < 40,
        data: points.map((point) => [
          Date.parse(point.at),
          point.received === 0 ? null : (100 * point.passed) / point.received,
        ]),
      },
    ],
  };
}
