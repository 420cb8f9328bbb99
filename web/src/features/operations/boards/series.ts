import type { Theme } from "../../../shared/ui/Plotted";
import { SERIES_COLOURS, SERIES_DASHES } from "../../../shared/ui/plotBase";
import type { Moment } from "./queries";

export const UNDER_WAY = "under way";

export interface Line {
  name: string;
  title: string;
}

/**
 * Lines over time of what a board has in each bucket; `value` turns a number into what is drawn. What is missing is a gap.
 * The last bucket is under way, so that it has less than those before: the way to it is marked.
 */
export function seriesOption(
  moments: readonly Moment[],
  lines: readonly Line[],
  theme: Theme,
  value: (raw: number) => number,
  text: (drawn: number) => string,
) {
  const { dark, timeText } = theme;
  const rule = dark ? "#2a3542" : "#dce1e7";
  const muted = dark ? "#9aa7b5" : "#556171";
  const colours = dark ? SERIES_COLOURS.dark : SERIES_COLOURS.light;
  return {
    animation: false,
    color: colours,
    textStyle: { fontFamily: "inherit" },
    legend: { type: "scroll", top: 0, itemWidth: 28, textStyle: { color: muted, fontSize: 12 } },
    grid: { left: 8, right: 16, top: 36, bottom: 8, containLabel: true },
    tooltip: {
      trigger: "axis",
      confine: true,
      // Drawn on the canvas: a tooltip of HTML would need inline styles, which the policy of the page forbids.
      renderMode: "richText",
      backgroundColor: dark ? "#1c2530" : "#ffffff",
      borderColor: rule,
      textStyle: { color: dark ? "#e3e9ef" : "#17202b", fontSize: 12 },
      valueFormatter: (drawn: unknown) => (typeof drawn === "number" ? text(drawn) : "–"),
      axisPointer: { label: { formatter: (each: { value: unknown }) => timeText(Number(each.value)) } },
    },
    xAxis: {
      type: "time",
      splitNumber: 4,
      axisLine: { lineStyle: { color: rule } },
      axisTick: { show: false },
      axisLabel: {
        color: muted,
        fontSize: 11,
        hideOverlap: true,
        formatter: (at: number) => withoutSeconds(timeText(at)),
      },
    },
    yAxis: {
      type: "value",
      splitNumber: 4,
      splitLine: { lineStyle: { color: rule } },
      axisLabel: { color: muted, fontSize: 11, formatter: text },
    },
    series: lines.map(({ name, title }, at) => ({
      markArea: at === 0 ? underWay(moments, rule, muted) : undefined,
      type: "line",
      name: title,
      // A point alone between two gaps would not show as a line.
      showSymbol: moments.some((moment) => moment.values[name] === undefined),
      symbolSize: 4,
      lineStyle: { width: 2, type: SERIES_DASHES[at % SERIES_DASHES.length] },
      data: moments.map((moment) => {
        const raw = moment.values[name];
        return [Date.parse(moment.at), raw === undefined ? null : value(raw)];
      }),
    })),
  };
}

/** Steps of a board are whole minutes: seconds on an axis would be nothing but zeros. */
function withoutSeconds(text: string): string {
  return text.replace(/(\d\d:\d\d):\d\d$/, "$1");
}

function underWay(moments: readonly Moment[], color: string, muted: string) {
  const [from, to] = moments.slice(-2).map((moment) => Date.parse(moment.at));
  if (to === undefined) return undefined;
  const label = { show: true, position: "insideTopRight", color: muted, fontSize: 11 };
  return {
    silent: true,
    itemStyle: { color },
    label,
    data: [[{ name: UNDER_WAY, xAxis: from }, { xAxis: to }]],
  };
}
