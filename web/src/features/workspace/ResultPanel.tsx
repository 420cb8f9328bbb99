import { DownloadOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Button } from "antd";
import { useState } from "react";
import { counted, duration } from "../../shared/numbers";
import { BlockSkeleton, EmptyState, FailureState } from "../../shared/ui/states";
import { proposeChart } from "./chartOptions";
import { ExportDialog } from "./ExportDialog";
import { type Chart, type Run, rowsQuery } from "./queries";
import { ResultChart } from "./ResultChart";
import { ResultTable } from "./ResultTable";
import "./result.css";

interface ResultPanelProps {
  run: Run | undefined;
  failure: string | null;
  chart: Chart | null;
  onChart(chart: Chart | null): void;
}

/** What a question was answered with: its cost, its rows, and their chart. */
export function ResultPanel({ run, failure, chart, onChart }: ResultPanelProps) {
  if (failure) return <Problem text={failure} />;
  if (!run)
    return (
      <EmptyState title="Nothing asked yet">
        Write a SELECT over the tables listed here and run it. Only you see its result.
      </EmptyState>
    );
  if (run.state === "queued" || run.state === "running")
    return (
      <BlockSkeleton height={160} label={run.state === "queued" ? "Waiting for room" : "The query runs"} />
    );
  if (run.state === "cancelled")
    return (
      <p role="status" className="state-text sql-none">
        {run.error || "The query was cancelled."}
      </p>
    );
  if (run.state !== "done") return <Problem text={run.error || "The query failed."} />;
  return <Answer run={run} chart={chart} onChart={onChart} />;
}

function Problem({ text }: { text: string }) {
  return (
    <div role="alert" className="sql-problem">
      {text}
    </div>
  );
}

function Answer({
  run,
  chart,
  onChart,
}: {
  run: Run;
  chart: Chart | null;
  onChart(chart: Chart | null): void;
}) {
  const query = useQuery(rowsQuery(run.id, 0));
  const [drawn, setDrawn] = useState(chart !== null && chart.kind !== "table");
  if (query.error)
    return <FailureState what="The result" error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <BlockSkeleton height={160} label="Loading the result" />;
  const shown = chart ?? proposeChart(run.columns, run.rows ?? 0);
  const mode = (asChart: boolean, label: string) => (
    <Button
      size="small"
      type={drawn === asChart ? "primary" : "text"}
      ghost={drawn === asChart}
      aria-pressed={drawn === asChart}
      onClick={() => setDrawn(asChart)}
    >
      {label}
    </Button>
  );
  return (
    <section className="sql-answer" aria-label="Result">
      <div className="sql-answer-head">
        {mode(false, "Table")}
        {mode(true, "Chart")}
        <CostLine run={run} />
        <Export run={run} />
      </div>
      {drawn ? (
        <ResultChart run={run} first={query.data} chart={shown} onChart={onChart} />
      ) : (
        <ResultTable run={run} first={query.data} />
      )}
    </section>
  );
}

function CostLine({ run }: { run: Run }) {
  const { cost } = run;
  return (
    <p className="sql-cost" aria-live="polite">
      <strong>{counted(run.rows ?? 0, "row")}</strong>
      {run.truncated ? " (there are more)" : ""}
      {" · "}
      {cost.rows_read === null || cost.rows_read === undefined
        ? ""
        : `took ${counted(cost.rows_read, "row")} from the tables, `}
      {`read ${bytes(cost.bytes_read)} in ${duration(cost.seconds)} (${duration(cost.cpu_s)} of processors)`}
      {run.cached ? " · answered from a moment ago" : ""}
      {run.as_of ? " · as it was" : ""}
    </p>
  );
}

function bytes(value: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let left = value;
  let unit = 0;
  while (left >= 1024 && unit < units.length - 1) {
    left /= 1024;
    unit += 1;
  }
  return `${left >= 10 || unit === 0 ? Math.round(left) : Math.round(left * 10) / 10} ${units[unit]}`;
}

function Export({ run }: { run: Run }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button size="small" icon={<DownloadOutlined aria-hidden />} onClick={() => setOpen(true)}>
        Export
      </Button>
      {open ? <ExportDialog run={run} onClose={() => setOpen(false)} /> : null}
    </>
  );
}
