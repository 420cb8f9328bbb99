import type { Theme } from "../../../shared/ui/Plotted";
import { daily, SERIES_COLOURS, SERIES_DASHES, shareAxis } from "../../../shared/ui/plotBase";
import type { Goal } from "./queries";

/** A figure day by day, beside its goal; a day without a measurement is a gap. */
export function goalOption(goal: Goal, theme: Theme, text: (value: number | null) => string) {
  const { muted, line, ...base } = daily(theme);
  const points = goal.series.map(({ day, value }) => [Date.parse(day), value] as const);
  const lines = [
    // A point alone between two gaps would not show as a line.
    { name: "Figure", data: points, showSymbol: true, symbolSize: 4 },
    { name: "Goal", data: points.map(([at]) => [at, goal.target.value]), showSymbol: false },
  ];
  return {
    ...base,
    grid: { ...base.grid, top: 12 },
    color: theme.dark ? SERIES_COLOURS.dark : SERIES_COLOURS.light,
    tooltip: {
      ...base.tooltip,
      valueFormatter: (value: unknown) => text(typeof value === "number" ? value : null),
    },
    xAxis: { ...base.xAxis, splitNumber: 3 },
    yAxis: {
      type: "value",
      splitNumber: 2,
      ...(goal.target.unit === "share"
        ? shareAxis([goal.target.value, ...points.map(([, value]) => value)])
        : { scale: true }),
      splitLine: { lineStyle: { color: line } },
      axisLabel: { color: muted, fontSize: 11, formatter: (value: number) => text(value) },
    },
    series: lines.map((one, at) => ({
      ...one,
      type: "line",
      lineStyle: { width: at === 0 ? 2 : 1.5, type: SERIES_DASHES[at] },
    })),
  };
}
