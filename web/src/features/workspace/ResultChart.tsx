import { useQuery } from "@tanstack/react-query";
import { Button, Select, Switch } from "antd";
import { measure } from "../../shared/numbers";
import { Plotted } from "../../shared/ui/Plotted";
import { chartOption, chartProblem, proposeChart } from "./chartOptions";
import { type Chart, PAGE_ROWS, type Rows, type Run, rowsQuery } from "./queries";

const KINDS: { value: Chart["kind"]; label: string }[] = [
  { value: "line", label: "Line" },
  { value: "area", label: "Area" },
  { value: "bar", label: "Bar" },
  { value: "scatter", label: "Scatter" },
  { value: "pie", label: "Pie" },
  { value: "number", label: "Big number" },
];

interface ResultChartProps {
  run: Run;
  first: Rows;
  chart: Chart;
  onChart(chart: Chart | null): void;
}

/** A result as a chart; the table beside it holds the same numbers. */
export function ResultChart({ run, first, chart, onChart }: ResultChartProps) {
  const names = run.columns.map((one) => one.name);
  const options = names.map((name) => ({ value: name, label: name }));
  const more = useQuery({ ...rowsQuery(run.id, PAGE_ROWS), enabled: first.next !== null });
  const rows = more.data ? [...first.items, ...more.data.items] : first.items;
  const kind = chart.kind === "table" ? "bar" : chart.kind;
  const shown: Chart = { ...chart, kind };
  const problem = chartProblem(shown, run.columns);
  const change = (fields: Partial<Chart>) => onChart({ ...shown, ...fields });
  return (
    <div className="sql-chart">
      <div className="sql-chart-settings">
        <Select
          aria-label="Kind of chart"
          value={kind}
          options={KINDS}
          onChange={(next) => change({ kind: next })}
        />
        {kind === "number" ? null : (
          <Select
            aria-label="Over"
            placeholder="Over"
            value={chart.x || undefined}
            options={options}
            onChange={(x) => change({ x })}
          />
        )}
        <Select
          aria-label="Values"
          mode={kind === "number" || kind === "pie" ? undefined : "multiple"}
          placeholder="Values"
          value={kind === "number" || kind === "pie" ? (chart.y?.[0] as never) : ((chart.y ?? []) as never)}
          options={options}
          onChange={(y: string | string[]) => change({ y: Array.isArray(y) ? y : [y] })}
        />
        {kind === "number" || kind === "pie" ? null : (
          <>
            <Select
              aria-label="One line for each"
              allowClear
              placeholder="One for each"
              value={chart.series || undefined}
              options={options}
              onChange={(series) => change({ series: series ?? "" })}
            />
            <span className="sql-switch">
              <Switch
                size="small"
                aria-label="Stacked"
                checked={chart.stacked ?? false}
                onChange={(stacked) => change({ stacked })}
              />
              Stacked
            </span>
          </>
        )}
        <Button size="small" type="text" onClick={() => onChart(proposeChart(run.columns, run.rows ?? 0))}>
          Propose
        </Button>
      </div>
      {problem ? (
        <p className="state-text sql-none">{problem}</p>
      ) : kind === "number" ? (
        <BigNumber run={run} rows={rows} name={chart.y?.[0] ?? ""} />
      ) : (
        <Drawing run={run} rows={rows} chart={shown} />
      )}
      {first.total > 2 * PAGE_ROWS ? (
        <p className="muted sql-note">The first 2,000 rows are drawn. Aggregate in the query to draw all.</p>
      ) : null}
    </div>
  );
}

function BigNumber({ run, rows, name }: { run: Run; rows: readonly (readonly unknown[])[]; name: string }) {
  const value = rows[0]?.[run.columns.findIndex((one) => one.name === name)];
  return (
    <p className="sql-big">
      <span className="num">{typeof value === "number" ? measure(value) : String(value ?? "–")}</span>
      <span className="muted">{name}</span>
    </p>
  );
}

function Drawing({ run, rows, chart }: { run: Run; rows: readonly (readonly unknown[])[]; chart: Chart }) {
  return (
    <Plotted
      className="sql-plot"
      height={320}
      label={`${chart.kind} chart of ${(chart.y ?? []).join(", ")} over ${chart.x}. The table holds the same numbers.`}
      instead="The table holds the same numbers."
      option={(theme) => chartOption(chart, run.columns, rows, theme)}
    />
  );
}
