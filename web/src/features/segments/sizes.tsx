import { count, counted } from "../../shared/numbers";
import { Plotted, type Theme } from "../../shared/ui/Plotted";
import { daily } from "../../shared/ui/plotBase";
import type { SegmentDetail, Size } from "./queries";

/** "about 1,240": who may see people sees how many they are, all others see tens, and of few that they are few. */
export function sizeText(size: Size): string {
  if (size.few) return "fewer than 10";
  if (size.people === null) return "not known";
  return size.exact ? count(size.people) : `about ${count(size.people)}`;
}

/** "12 %" of all customers; a dash where nobody may say. */
export function percentText({ people, customers }: Size): string {
  if (people === null || !customers) return "–";
  return `${((100 * people) / customers).toLocaleString("en", { maximumSignificantDigits: 2 })} %`;
}

/** "12 % of 8,000 customers" */
export function shareText(size: Size): string {
  if (size.customers === null) return "";
  // In tens, a handful of customers is none.
  if (size.customers === 0 && !size.exact) return "of fewer than 10 customers";
  const of = `of ${size.exact ? "" : "about "}${counted(size.customers, "customer")}`;
  return size.people === null || size.customers === 0 ? of : `${percentText(size)} ${of}`;
}

/** How many were in a segment day by day; where its condition changed, a line stands. */
export function SizeChart({ days }: { days: SegmentDetail["days"] }) {
  return (
    <Plotted
      label={`How many were in the segment on ${counted(days.length, "day")}`}
      height={200}
      className="segments-chart"
      option={(theme) => sizeOption(days, theme)}
    />
  );
}

const at = (day: string) => Date.parse(`${day}T00:00:00Z`);

function sizeOption(days: SegmentDetail["days"], theme: Theme) {
  const { muted, line, ...base } = daily(theme);
  const changed = days.filter((one, i) => i > 0 && days[i - 1]?.size.version !== one.size.version);
  const text = (value: unknown) => (value === null ? "fewer than 10" : count(Number(value)));
  return {
    ...base,
    tooltip: { ...base.tooltip, valueFormatter: text },
    yAxis: {
      type: "value",
      min: 0,
      minInterval: 1,
      splitNumber: 3,
      splitLine: { lineStyle: { color: line } },
      axisLabel: { color: muted, fontSize: 11, formatter: (value: number) => count(value) },
    },
    series: [
      {
        name: "People",
        type: "line",
        symbolSize: 5,
        showSymbol: days.length < 32,
        lineStyle: { width: 1.5, color: theme.primary },
        itemStyle: { color: theme.primary },
        areaStyle: { color: theme.primary, opacity: 0.1 },
        data: days.map(({ day, size }) => [at(day), size.people]),
        markLine: {
          symbol: "none",
          silent: true,
          lineStyle: { color: muted, type: "dashed" },
          label: { formatter: "changed", color: muted, fontSize: 11 },
          data: changed.map(({ day }) => ({ xAxis: at(day) })),
        },
      },
    ],
  };
}
