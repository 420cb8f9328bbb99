import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, Select } from "antd";
import { useCallback, useMemo, useState } from "react";
import { dayText } from "../../shared/time";
import { DataGrid } from "../../shared/ui/DataGrid";
import type { Column } from "../../shared/ui/grid";
import { ListFoot } from "../../shared/ui/ListFoot";
import { EmptyState, FailureState, RowsSkeleton } from "../../shared/ui/states";
import { When } from "../../shared/ui/values";
import { useFailure } from "../../shared/useFailure";
import { type Job, type Run, runsQuery, STATES, type View } from "./queries";
import { CAUSES, jobWord, outcome, RunTag, stateWord, tookText } from "./words";

const columns: readonly Column<Run>[] = [
  { key: "asked", title: "Asked for", width: "110px", render: (run) => <When at={run.asked_at} /> },
  {
    key: "job",
    title: "Job",
    width: "minmax(130px, 1fr)",
    render: (run) => (run.day ? `${jobWord(run.job)} for ${dayText(Date.parse(run.day))}` : jobWord(run.job)),
  },
  { key: "state", title: "State", width: "110px", render: (run) => <RunTag run={run} /> },
  { key: "cause", title: "Why", width: "110px", from: 800, render: (run) => CAUSES[run.cause] },
  {
    key: "took",
    title: "Took",
    width: "80px",
    align: "right",
    from: 640,
    render: (run) => <span className="num">{tookText(run)}</span>,
  },
  {
    key: "outcome",
    title: "Outcome",
    width: "minmax(160px, 2fr)",
    from: 560,
    render: (run) => (
      <span className={run.error ? "cut problem" : "cut"} title={outcome(run)}>
        {outcome(run)}
      </span>
    ),
  },
];

interface RunListProps {
  view: View;
  jobs: readonly Job[];
  onChange(view: View): void;
}

/** The runs of the last 90 days, the last asked for first. */
export function RunList({ view, jobs, onChange }: RunListProps) {
  return (
    <>
      <div className="filters">
        <Select
          aria-label="Job"
          placeholder="Any job"
          allowClear
          className="filter-rule"
          popupMatchSelectWidth={false}
          value={view.job}
          onChange={(job) => onChange({ ...view, job })}
          options={jobs.map((job) => ({ value: job.name, label: jobWord(job.name) }))}
        />
        <Select
          aria-label="State"
          placeholder="Any state"
          allowClear
          className="filter-rule"
          value={view.state}
          onChange={(state) => onChange({ ...view, state })}
          options={STATES.map((state) => ({ value: state, label: stateWord(state) }))}
        />
        <Select
          aria-label="Why"
          placeholder="For any reason"
          allowClear
          className="filter-rule"
          value={view.cause}
          onChange={(cause) => onChange({ ...view, cause })}
          options={Object.entries(CAUSES).map(([value, label]) => ({ value, label }))}
        />
      </div>
      <Rows view={view} onChange={onChange} />
    </>
  );
}

function Rows({ view, onChange }: Omit<RunListProps, "jobs">) {
  const query = useInfiniteQuery(runsQuery(view));
  const failure = useFailure(query, runsQuery(view).queryKey);
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const [cursor, setCursor] = useState<string | null>(null);
  const more = useCallback(() => {
    if (query.hasNextPage && !query.isFetchingNextPage && !query.isFetchNextPageError)
      void query.fetchNextPage();
  }, [query.hasNextPage, query.isFetchingNextPage, query.isFetchNextPageError, query.fetchNextPage]);
  if (failure) return <FailureState what="The runs" error={failure} onRetry={() => void query.refetch()} />;
  if (!query.data) return <RowsSkeleton rows={6} height={36} label="Loading runs" />;
  if (rows.length === 0) {
    const filtered = Boolean(view.job || view.state || view.cause);
    return (
      <EmptyState
        title={filtered ? "No run fits" : "Nothing has run yet"}
        action={filtered ? <Button onClick={() => onChange({})}>Clear the filters</Button> : undefined}
      >
        Every run of a job stands here for 90 days: why it was done, how long it took and what came of it.
      </EmptyState>
    );
  }
  return (
    <div className="job-grid">
      <DataGrid
        label="Runs"
        columns={columns}
        rows={rows}
        keyOf={(run: Run) => run.id}
        rowHeight={36}
        cardsBelow={480}
        cardHeight={68}
        card={(run) => <Card run={run} />}
        cursor={cursor}
        onCursor={setCursor}
        onOpen={(run) => onChange({ ...view, run: run.id })}
        onEnd={more}
        footer={<ListFoot query={query} rows={rows.length} noun="run" />}
      />
    </div>
  );
}

function Card({ run }: { run: Run }) {
  return (
    <>
      <div className="card-line">
        <strong className="cut">{jobWord(run.job)}</strong>
        <RunTag run={run} />
        <span className="push muted">
          <When at={run.asked_at} />
        </span>
      </div>
      <p className={run.error ? "cut problem" : "cut"}>{outcome(run) || tookText(run)}</p>
    </>
  );
}
