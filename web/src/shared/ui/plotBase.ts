import { dayText } from "../time";
import type { Theme } from "./Plotted";

/** Okabe and Ito's colours, told apart with any colour vision; each line also has a pattern of its own. */
export const SERIES_COLOURS = {
  light: ["#0072b2", "#b35900", "#007a5a", "#aa4499", "#6b5b00", "#556171"],
  dark: ["#56b4e9", "#e69f00", "#2fc79b", "#e59ac3", "#f0e442", "#9aa7b5"],
};
export const SERIES_DASHES = ["solid", "dashed", "dotted", [10, 3, 2, 3], [3, 6], [14, 4]];

/** What every chart over time has, and the colours of its lines and words. */
export function common({ dark, timeText }: Theme) {
  const line = dark ? "#2a3542" : "#dce1e7";
  const muted = dark ? "#9aa7b5" : "#556171";
  return {
    animation: false,
    textStyle: { fontFamily: "inherit" },
    grid: { left: 8, right: 16, top: 16, bottom: 8, containLabel: true },
    tooltip: {
      trigger: "axis",
      confine: true,
      // Drawn on the canvas: a tooltip of HTML would need inline styles, which the policy of the page forbids.
      renderMode: "richText",
      backgroundColor: dark ? "#1c2530" : "#ffffff",
      borderColor: line,
      textStyle: { color: dark ? "#e3e9ef" : "#17202b", fontSize: 12 },
      axisPointer: { label: { formatter: (each: { value: unknown }) => timeText(Number(each.value)) } },
    },
    xAxis: {
      type: "time",
      splitNumber: 5,
      axisLine: { lineStyle: { color: line } },
      axisTick: { show: false },
      axisLabel: { color: muted, fontSize: 11, hideOverlap: true, formatter: (at: number) => timeText(at) },
    },
    muted,
    line,
  };
}

/** What a chart of days has: each day, an instant of it in UTC, stands above its date, and none between two of them. */
export function daily(theme: Theme) {
  const { xAxis, ...rest } = common({ ...theme, timeText: dayText });
  // A time axis puts its dates at the midnights of the browser's own zone, unless it is told otherwise.
  return { ...rest, useUTC: true, xAxis: { ...xAxis, minInterval: DAY_MS } };
}

const DAY_MS = 86_400_000;

/**
 * The value axis of shares of one: never below nothing or above all. Shares near all begin where they differ, so that they
 * are no line at the top; where none differs there is nothing to come near to.
 */
export function shareAxis(values: readonly (number | null)[]) {
  const known = values.filter((value) => value !== null);
  const low = Math.min(...known);
  const high = Math.max(...known);
  if (known.length === 0 || low === 1 || (low <= 0.5 && high > 0.5)) return { min: 0, max: 1 };
  if (low > 0.5) return { scale: true, max: 1 };
  return high === 0 ? { min: 0, max: 0.01 } : { min: 0 };
}
