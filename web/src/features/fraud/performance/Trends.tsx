import { inMajor, usd } from "../../../shared/money";
import { Plotted, type Theme } from "../../../shared/ui/Plotted";
import { daily } from "../../../shared/ui/plotBase";
import { useWorth } from "../../../shared/ui/Worth";
import type { Day, Performance } from "./queries";

/** The same numbers day by day; with fewer than two days there is nothing to draw. */
export function Trends({ data }: { data: Performance }) {
  const { days, capacity_per_day: capacity } = data;
  const worth = useWorth();
  if (days.length < 2 || worth === null) return null;
  return (
    <div className="performance-trends">
      <section className="part" aria-label="Precision and recall by day">
        <h2>
          Precision and recall <span className="muted">by the day of the payment</span>
        </h2>
        <Plotted
          label={`Precision and recall over ${days.length} days`}
          option={(theme) => shareOption(days, theme)}
        />
      </section>
      <section className="part" aria-label="Alerts by day">
        <h2>
          Alerts <span className="muted">and what the team can work on</span>
        </h2>
        <Plotted
          label={`Alerts a day over ${days.length} days, and the capacity of ${capacity}`}
          option={(theme) => alertOption(days, capacity, theme)}
        />
      </section>
      <section className="part" aria-label="Protected by day">
        <h2>
          Protected <span className="muted">blocked fraud in {worth(usd(0)).currency}</span>
        </h2>
        <Plotted
          label={`Worth of blocked fraud over ${days.length} days`}
          option={(theme) => moneyOption(days, (day) => inMajor(worth(usd(day.protected_usd_minor))), theme)}
        />
      </section>
    </div>
  );
}

const at = (day: Day) => Date.parse(day.day);
const share = (part: number, of: number) => (of === 0 ? null : (100 * part) / of);

function frame(theme: Theme, formatter: (value: number) => string, max?: number) {
  const { muted, line, ...rest } = daily(theme);
  return {
    ...rest,
    legend: { top: 0, right: 8, textStyle: { color: muted, fontSize: 11 }, itemWidth: 14 },
    grid: { ...rest.grid, top: 32 },
    tooltip: {
      ...rest.tooltip,
      valueFormatter: (value: unknown) => (typeof value === "number" ? formatter(value) : "–"),
    },
    yAxis: {
      type: "value",
      min: 0,
      max,
      // Whole numbers are written beside it, so that a finer step would write the same one twice.
      minInterval: 1,
      splitLine: { lineStyle: { color: line } },
      axisLabel: { color: muted, fontSize: 11, formatter },
    },
  };
}

const second = (theme: Theme) => (theme.dark ? "#e0b15e" : "#9a5b00");

function shareOption(days: readonly Day[], theme: Theme) {
  const plain = { type: "line", symbolSize: 5, showSymbol: days.length < 40, connectNulls: true };
  return {
    ...frame(theme, (value) => `${Math.round(value)} %`, 100),
    series: [
      {
        ...plain,
        name: "Precision",
        color: theme.primary,
        data: days.map((day) => [at(day), share(day.caught, day.caught + day.legitimate)]),
      },
      {
        ...plain,
        name: "Recall",
        color: second(theme),
        lineStyle: { type: "dashed" },
        data: days.map((day) => [at(day), share(day.caught, day.fraud)]),
      },
    ],
  };
}

function alertOption(days: readonly Day[], capacity: number, theme: Theme) {
  const bar = { type: "bar", stack: "alerts", barMaxWidth: 18 };
  return {
    ...frame(theme, (value) => Math.round(value).toLocaleString("en")),
    series: [
      { ...bar, name: "Judged", color: theme.primary, data: days.map((day) => [at(day), day.judged]) },
      {
        ...bar,
        name: "Waiting",
        color: theme.dark ? "#55657a" : "#b9c3ce",
        data: days.map((day) => [at(day), day.alerts - day.judged]),
      },
      {
        type: "line",
        name: "Capacity",
        symbol: "none",
        color: second(theme),
        lineStyle: { type: "dashed", width: 1.5 },
        data: days.map((day) => [at(day), capacity]),
      },
    ],
  };
}

function moneyOption(days: readonly Day[], worth: (day: Day) => number, theme: Theme) {
  return {
    ...frame(theme, (value) => Math.round(value).toLocaleString("en")),
    series: [
      {
        type: "bar",
        name: "Protected",
        barMaxWidth: 18,
        color: theme.primary,
        data: days.map((day) => [at(day), worth(day)]),
      },
    ],
  };
}
