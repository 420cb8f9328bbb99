import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "../../api/client";

export type Job = Schema<"JobView">;
export type Run = Schema<"RunView">;
export type RunDetail = Schema<"RunDetail">;
export type RunState = Run["state"];

const PAGE_SIZE = 50;
const RUNNING_MS = 2_000;
const RESTING_MS = 20_000;
/** Everything that is known of jobs begins with this. */
export const JOBS = "jobs";

export const STATES: readonly RunState[] = [
  "running",
  "queued",
  "waiting",
  "succeeded",
  "failed",
  "cancelled",
  "skipped",
];

export interface View {
  job?: string;
  state?: RunState;
  cause?: Run["cause"];
  run?: string;
}

/** The view in an address; what is not understood is left out. */
export function parseView(search: Record<string, unknown>): View {
  const text = (name: string) => (typeof search[name] === "string" ? (search[name] as string) : undefined);
  return {
    job: text("job"),
    state: STATES.find((state) => state === search.state),
    cause: text("cause") as View["cause"],
    run: text("run"),
  };
}

export const isOpen = (run: Pick<Run, "state">) =>
  run.state === "running" || run.state === "queued" || run.state === "waiting";

export const jobsQuery = queryOptions({
  queryKey: [JOBS, "list"],
  queryFn: ({ signal }) => answer(api.GET("/api/v1/jobs", { signal })),
  refetchInterval: ({ state }) => (state.data?.items.some((job) => job.running) ? RUNNING_MS : RESTING_MS),
});

export function runsQuery({ job, state, cause }: View) {
  return infiniteQueryOptions({
    queryKey: [JOBS, "runs", job ?? "", state ?? "", cause ?? ""],
    queryFn: ({ pageParam, signal }) => {
      const query = { job, state, cause, limit: PAGE_SIZE, before: pageParam ?? undefined };
      return answer(api.GET("/api/v1/jobs/runs", { params: { query }, signal }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page: Schema<"RunPage">) => page.next,
    refetchInterval: ({ state: now }) =>
      now.data?.pages.some((page) => page.items.some(isOpen)) ? RUNNING_MS : RESTING_MS,
  });
}

export function runQuery(id: string) {
  return queryOptions({
    queryKey: [JOBS, "run", id],
    queryFn: ({ signal }): Promise<RunDetail> =>
      answer(api.GET("/api/v1/jobs/runs/{job_run_id}", { params: { path: { job_run_id: id } }, signal })),
    refetchInterval: ({ state }) => (state.data && isOpen(state.data) ? RUNNING_MS : false),
  });
}

export const runNow = (job: string) =>
  answer(api.POST("/api/v1/jobs/{job}/runs", { params: { path: { job } } }));

export const backfill = (job: string, first: string, last: string) =>
  answer(api.POST("/api/v1/jobs/{job}/backfill", { params: { path: { job } }, body: { first, last } }));

export const pause = (job: string) =>
  answer(api.POST("/api/v1/jobs/{job}/pause", { params: { path: { job } } }));

export const resume = (job: string) =>
  answer(api.POST("/api/v1/jobs/{job}/resume", { params: { path: { job } } }));

export const retryRun = (id: string) =>
  answer(api.POST("/api/v1/jobs/runs/{job_run_id}/retry", { params: { path: { job_run_id: id } } }));

export const cancelRun = (id: string) =>
  answer(api.POST("/api/v1/jobs/runs/{job_run_id}/cancel", { params: { path: { job_run_id: id } } }));
