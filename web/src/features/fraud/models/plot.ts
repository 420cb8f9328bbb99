import type { Theme } from "../../../shared/ui/Plotted";
import type { ModelCard } from "./queries";

function common({ dark }: Theme) {
  const line = dark ? "#2a3542" : "#dce1e7";
  const muted = dark ? "#9aa7b5" : "#556171";
  const axis = (name: string) => ({
    type: "value",
    name,
    nameLocation: "middle",
    nameGap: 26,
    nameTextStyle: { color: muted, fontSize: 11 },
    splitLine: { lineStyle: { color: line } },
    axisLine: { lineStyle: { color: line } },
    axisLabel: { color: muted, fontSize: 11, hideOverlap: true },
  });
  return {
    base: {
      animation: false,
      textStyle: { fontFamily: "inherit" },
      grid: { left: 28, right: 18, top: 16, bottom: 26, containLabel: true },
      tooltip: {
        trigger: "item",
        confine: true,
        // Drawn on the canvas: a tooltip of HTML would need inline styles, which the policy of the page forbids.
        renderMode: "richText",
        backgroundColor: dark ? "#1c2530" : "#ffffff",
        borderColor: line,
        textStyle: { color: dark ? "#e3e9ef" : "#17202b", fontSize: 12 },
      },
    },
    axis,
    muted,
    line,
  };
}

const share = (value: number) => `${(value * 100).toLocaleString("en", { maximumSignificantDigits: 3 })} %`;
const shares = { formatter: (value: number) => share(value) };

/** Precision by recall; the point of the threshold is marked. */
export function curveOption(card: ModelCard, threshold: number, theme: Theme) {
  const { base, axis, muted } = common(theme);
  const points = [...card.curve].sort((a, b) => a.recall - b.recall);
  const at = (name: string) => card.measures.find((one) => one.name === name)?.value;
  const [recall, precision] = [at("recall"), at("precision")];
  const said = (one: (typeof points)[number]) =>
    `threshold ${one.threshold.toPrecision(3)}\nprecision ${share(one.precision)}\nrecall ${share(one.recall)}\nfalse positives ${share(one.false_positive_rate)}`;
  return {
    ...base,
    xAxis: { ...axis("recall"), min: 0, max: 1, axisLabel: { color: muted, fontSize: 11, ...shares } },
    yAxis: { ...axis(""), min: 0, max: 1, axisLabel: { color: muted, fontSize: 11, ...shares } },
    series: [
      {
        type: "line",
        symbolSize: 5,
        lineStyle: { width: 1.5, color: theme.primary },
        itemStyle: { color: theme.primary },
        data: points.map((one) => ({
          value: [one.recall, one.precision],
          tooltip: { formatter: said(one) },
        })),
      },
      {
        type: "scatter",
        symbolSize: 13,
        itemStyle: { color: theme.dark ? "#f0b95e" : "#8a5200" },
        data:
          recall != null && precision != null
            ? [
                {
                  value: [recall, precision],
                  tooltip: {
                    formatter: `At the threshold ${threshold.toPrecision(3)}\nprecision ${share(precision)}\nrecall ${share(recall)}`,
                  },
                },
              ]
            : [],
      },
    ],
  };
}

const FLOOR = 1e-5;

/** The share of fraud by score, both on scales of tens; on the line they are the same. */
export function calibrationOption(card: ModelCard, theme: Theme) {
  const { base, axis, muted } = common(theme);
  const scale = {
    type: "log",
    min: FLOOR,
    max: 1,
    axisLabel: { color: muted, fontSize: 11, hideOverlap: true, ...shares },
  };
  const floor = (value: number) => Math.max(value, FLOOR);
  return {
    ...base,
    xAxis: { ...axis("mean score"), ...scale },
    yAxis: { ...axis(""), ...scale },
    series: [
      {
        type: "line",
        silent: true,
        showSymbol: false,
        lineStyle: { width: 1, type: "dashed", color: muted },
        data: [
          [FLOOR, FLOOR],
          [1, 1],
        ],
      },
      ...card.calibration.map((one) => ({
        type: "line",
        silent: true,
        showSymbol: false,
        lineStyle: { width: 1, color: theme.primary, opacity: 0.6 },
        data: [
          [floor(one.predicted), floor(one.low)],
          [floor(one.predicted), floor(one.high)],
        ],
      })),
      {
        type: "scatter",
        symbolSize: 8,
        itemStyle: { color: theme.primary },
        data: card.calibration.map((one) => ({
          value: [floor(one.predicted), floor(one.observed)],
          tooltip: {
            formatter: `${one.rows.toLocaleString("en")} payments\nmean score ${share(one.predicted)}\nfraud ${share(one.observed)} (${share(one.low)} to ${share(one.high)})`,
          },
        })),
      },
    ],
  };
}

/** Log-odds as a probability. */
function probability(odds: number): number {
  return 1 / (1 + Math.exp(-odds));
}

/** The share of payments by score, in the bins that the monitors compare with. */
export function spreadOption(card: ModelCard, theme: Theme) {
  const { base, axis, muted, line } = common(theme);
  const { edges, shares: found } = card.score;
  const text = (at: number | undefined) => (at === undefined ? "" : share(probability(at)));
  const names = found.map((_, at) => {
    if (at === 0) return `up to ${text(edges[0])}`;
    if (at === edges.length) return `above ${text(edges[at - 1])}`;
    return `to ${text(edges[at])}`;
  });
  return {
    ...base,
    xAxis: {
      type: "category",
      data: names,
      axisLine: { lineStyle: { color: line } },
      axisTick: { show: false },
      axisLabel: { color: muted, fontSize: 11, hideOverlap: true },
    },
    yAxis: { ...axis(""), min: 0, axisLabel: { color: muted, fontSize: 11, ...shares } },
    series: [
      {
        type: "bar",
        itemStyle: { color: theme.primary },
        data: found.map((value, at) => ({
          value,
          tooltip: { formatter: `score ${names[at]}\n${share(value)} of payments` },
        })),
      },
    ],
  };
}
