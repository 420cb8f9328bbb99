import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { paths } from "../../shared/paths";
import { Page } from "../../shared/ui/Page";
import { FailureState, RowsSkeleton } from "../../shared/ui/states";
import { AsOf } from "../../shared/ui/values";
import { JobRow } from "./JobRow";
import { type Job, jobsQuery, parseView, type View } from "./queries";
import { RunDrawer } from "./RunDrawer";
import { RunList } from "./RunList";
import "./jobs.css";
import { useFailure } from "../../shared/useFailure";

/** What is done later or on a schedule: when it is due, how it went, and every run. */
export function JobsPage() {
  const search: Record<string, unknown> = useSearch({ strict: false });
  const shape = JSON.stringify(search);
  const view = useMemo(() => parseView(JSON.parse(shape)), [shape]);
  const navigate = useNavigate();
  const go = (next: View) =>
    void navigate({ to: paths.jobs, search: { ...next }, replace: true, resetScroll: false });
  const query = useQuery(jobsQuery);
  const failure = useFailure(query, jobsQuery.queryKey);
  const jobs = query.data?.items ?? [];
  const showRuns = (job: Job) => {
    go({ job: job.name });
    document.getElementById("runs")?.scrollIntoView({ block: "start" });
  };
  return (
    <Page title="Jobs" aside={<AsOf at={query.data?.as_of} staleAfterS={60} />}>
      <section className="part" aria-label="Schedules">
        {failure ? (
          <FailureState what="The jobs" error={failure} onRetry={() => void query.refetch()} />
        ) : !query.data ? (
          <RowsSkeleton rows={8} height={64} label="Loading jobs" />
        ) : (
          <ul aria-label="Jobs">
            {jobs.map((job) => (
              <JobRow
                key={job.name}
                job={job}
                onRun={(run) => go({ ...view, run })}
                onRuns={() => showRuns(job)}
              />
            ))}
          </ul>
        )}
      </section>
      <section className="part" id="runs" aria-label="Runs">
        <h2>Runs</h2>
        <RunList view={view} jobs={jobs} onChange={go} />
      </section>
      <RunDrawer id={view.run} onClose={() => go({ ...view, run: undefined })} />
    </Page>
  );
}
