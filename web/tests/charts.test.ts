import { init, setPlatformAPI } from "echarts";
import { describe, expect, it } from "vitest";
import { goalOption } from "../src/features/operations/boards/goals";
import type { Goal } from "../src/features/operations/boards/queries";

// jsdom has no canvas to measure letters with; the library then reckons their widths.
setPlatformAPI({ createCanvas: () => null as unknown as HTMLCanvasElement });

const theme = { dark: false, primary: "#0f5c5c", timeText: (at: number) => new Date(at).toISOString() };

/** A chart as it is drawn: where its words stand, and where a value would be. */
function drawn(option: Record<string, unknown>) {
  const chart = init(null, null, { renderer: "svg", ssr: true, width: 600, height: 220 });
  chart.setOption(option);
  const svg = new DOMParser().parseFromString(chart.renderToSVGString(), "image/svg+xml");
  const words = [...svg.querySelectorAll("text")].map((text) => {
    const moved = /translate\(([\d.-]+) ([\d.-]+)\)/.exec(text.getAttribute("transform") ?? "");
    return { text: text.textContent, x: Number(moved?.[1] ?? text.getAttribute("x")) };
  });
  const x = (at: number) => Number(chart.convertToPixel({ xAxisIndex: 0 }, at));
  return { words, x };
}

const goal = (values: (number | null)[], target: Goal["target"]): Goal => ({
  name: "coverage",
  target,
  value: values.at(-1) ?? null,
  before: null,
  holds: true,
  series: values.map((value, at) => ({ day: `2026-11-0${at + 1}`, value })),
  parts: {},
});
const share = { unit: "share", value: 0.95, at_most: false } as const;
const shareText = (value: number | null) => `${(value ?? 0) * 100} %`;
const percents = (option: Record<string, unknown>) =>
  drawn(option)
    .words.map(({ text }) => /^([\d.-]+) %$/.exec(text ?? "")?.[1])
    .filter((text) => text !== undefined)
    .map(Number);

describe("a chart of days", () => {
  it("has each day above its date, and each date once", () => {
    const { words, x } = drawn(goalOption(goal([0.9, 0.8, 0.95], share), theme, shareText));
    const dates = words.filter(({ text }) => / Nov$/.test(text ?? ""));
    expect(dates.map(({ text }) => text)).toEqual(["1 Nov", "2 Nov", "3 Nov"]);
    for (const [at, date] of dates.entries()) {
      expect(Math.abs(date.x - x(Date.UTC(2026, 10, at + 1)))).toBeLessThan(1);
    }
  });
});

describe("a scale of shares", () => {
  it("ends at all of it where all was reached", () => {
    const shown = percents(goalOption(goal([1, 1, 1], { ...share, value: 1 }), theme, shareText));
    expect([Math.min(...shown), Math.max(...shown)]).toEqual([0, 100]);
  });

  it("begins near what was reached where that was nearly all", () => {
    const shown = percents(goalOption(goal([0.999, 1, 0.998], { ...share, value: 0.99 }), theme, shareText));
    expect(Math.min(...shown)).toBeGreaterThan(90);
    expect(Math.max(...shown)).toBe(100);
  });

  it("begins at nothing where little was", () => {
    const shown = percents(
      goalOption(goal([0.001, 0.002, null], { ...share, value: 0.01 }), theme, shareText),
    );
    expect(Math.min(...shown)).toBe(0);
    expect(Math.max(...shown)).toBeLessThanOrEqual(2);
  });

  it("shows all of it where it went from one end to the other", () => {
    const shown = percents(goalOption(goal([0, 1, 0.4], share), theme, shareText));
    expect([Math.min(...shown), Math.max(...shown)]).toEqual([0, 100]);
  });
});
