"""HTTP of jobs: what is done on a schedule, its runs, and what can be asked of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Controller, get, post
from litestar.params import Parameter

from finer.app import job_desk
from finer.app.job_types import Job
from finer.app.scheduled import JOBS
from finer.identity.types.access import Permission
from finer.kit import runs, schedules
from finer.kit.actors import SYSTEM
from finer.kit.cursors import read_cursor, show_cursor
from finer.kit.db import NO_TENANT
from finer.kit.ids import read_id, show_id
from finer.kit.moments import moment_in_query
from finer.kit.runs import OPEN, Cause, JobRun, RunFilter, RunState
from finer.kit.tx import Tx

RunId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^run_[0-9a-f]{32}$")]
_TREND = 30
_HIDDEN = "It failed. The operator of this installation sees why."
_MOMENT = {"format": "date-time"}


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A run in lists. `day` is the day it is about, `missed` how many due ones it stands for besides its own."""

    id: RunId
    job: str
    state: RunState
    cause: Cause
    whole: bool
    day: date | None
    due_at: datetime | None
    missed: int
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    duration_s: float | None
    attempts: int
    done: int | None
    total: int | None
    counts: dict[str, int]
    error: str
    stopping: bool


class RunDetail(RunView, frozen=True, kw_only=True):
    """A run whole: with the lines that its work wrote, the job's sentence, and what can be asked of it."""

    about: str
    lines: list[str]
    can_retry: bool
    can_cancel: bool


class Duration(msgspec.Struct, frozen=True):
    """How long a run took, and how it ended."""

    run: RunId
    ended_at: datetime
    seconds: float
    state: RunState


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A job: what it does and when (UTC), on what it depends, how its latest runs went (the last one first)."""

    name: str
    about: str
    owner: str
    schedule: str
    cron: str | None
    timezone: str
    whole: bool
    after: list[str]
    dated: bool
    paused_at: datetime | None
    paused_by: str | None
    next_at: datetime | None
    last: RunView | None
    running: RunView | None
    durations: list[Duration]


class JobList(msgspec.Struct, frozen=True):
    """Every job of this installation."""

    items: list[JobView]
    as_of: datetime


class RunPage(msgspec.Struct, frozen=True):
    """One page of runs, the last asked for first."""

    items: list[RunView]
    next: str | None
    as_of: datetime


class JobDays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first and the last day to run a job for; at most 366 days."""

    first: date
    last: date


class Asked(msgspec.Struct, frozen=True):
    """The runs that were asked for."""

    items: list[RunView]


class JobController(Controller):
    """Scheduled and deferred work."""

    path = "/api/v1/jobs"
    tags = ["Jobs"]

    @get("/", opt={"permission": Permission.JOBS_READ}, sync_to_thread=True, summary="List jobs")
    def list(self, tx: Tx, services: Any) -> JobList:
        """Every job with its schedule, its latest runs, and whether it rests."""
        with services.database.transaction(NO_TENANT, SYSTEM, read_only=True) as whole:
            found = [*runs.latest(tx, _TREND), *runs.latest(whole, _TREND)]
        resting, now = schedules.paused(tx), tx.now()
        return JobList([_show_job(job, found, resting, now) for job in JOBS.values()], now)

    @get("/runs", opt={"permission": Permission.JOBS_READ}, sync_to_thread=True, summary="List runs of jobs")
    def runs(
        self,
        tx: Tx,
        services: Any,
        job: str | None = None,
        run_state: Annotated[RunState | None, Parameter(query="state")] = None,
        cause: Cause | None = None,
        since: Annotated[str | None, Parameter(query="from", schema_extra=_MOMENT)] = None,
        until: Annotated[str | None, Parameter(query="to", schema_extra=_MOMENT)] = None,
        limit: Annotated[int, Parameter(ge=1, le=200)] = 50,
        before: str | None = None,
    ) -> RunPage:
        """Runs of the last 90 days by job, state, cause and time, page by page."""
        wanted = RunFilter(
            job=job,
            state=run_state,
            cause=cause,
            since=moment_in_query("from", since),
            until=moment_in_query("to", until),
        )
        cursor = None if before is None else read_cursor(before)
        found = runs.page(tx, wanted, limit, cursor)
        with services.database.transaction(NO_TENANT, SYSTEM, read_only=True) as whole:
            found += runs.page(whole, wanted, limit, cursor)
        found = sorted(found, key=lambda run: (run.asked_at, run.id), reverse=True)[:limit]
        if job is not None and not found:
            job_desk.find(job)  # a misspelt name is told, rather than that the job never ran
        last = found[-1] if len(found) == limit else None
        following = None if last is None else show_cursor(last.asked_at, last.id)
        return RunPage([_show(run) for run in found], following, tx.now())

    @get("/runs/{job_run_id:str}", opt={"permission": Permission.JOBS_READ}, sync_to_thread=True, summary="One run")
    def detail(self, tx: Tx, services: Any, job_run_id: str) -> RunDetail:
        """A run with its error and the lines that its work wrote."""
        identifier = read_id("run", job_run_id)
        found = runs.get(tx, identifier)
        if found is None:
            with services.database.transaction(NO_TENANT, SYSTEM, read_only=True) as whole:
                found = runs.get(whole, identifier)
        return _show_detail(found if found is not None else job_desk.get(tx, identifier))

    @post(
        "/{job:str}/runs", opt={"permission": Permission.JOBS_RUN}, sync_to_thread=True, status_code=202,
        summary="Run a job now",
    )  # fmt: skip
    def run_now(self, tx: Tx, job: str) -> Asked:
        """Ask for a run now, after those that are queued."""
        return Asked([_show(job_desk.run_now(tx, job))])

    @post(
        "/{job:str}/backfill", opt={"permission": Permission.JOBS_RUN}, sync_to_thread=True, status_code=202,
        summary="Run a job for past days",
    )  # fmt: skip
    def backfill(self, tx: Tx, job: str, data: JobDays) -> Asked:
        """Ask for one run for each day; for jobs that work on one day (`dated`)."""
        return Asked([_show(run) for run in job_desk.backfill(tx, job, data.first, data.last)])

    @post(
        "/{job:str}/pause", opt={"permission": Permission.JOBS_RUN}, sync_to_thread=True, status_code=204,
        summary="Let a schedule rest",
    )  # fmt: skip
    def pause(self, tx: Tx, job: str) -> None:
        """No run is asked for on this firm's schedule until it is resumed."""
        job_desk.rest(tx, job, rests=True)

    @post(
        "/{job:str}/resume", opt={"permission": Permission.JOBS_RUN}, sync_to_thread=True, status_code=204,
        summary="Let a schedule go on",
    )  # fmt: skip
    def resume(self, tx: Tx, job: str) -> None:
        """The schedule goes on at its next due time."""
        job_desk.rest(tx, job, rests=False)

    @post(
        "/runs/{job_run_id:str}/retry", opt={"permission": Permission.JOBS_RUN}, sync_to_thread=True, status_code=202,
        summary="Repeat a run",
    )  # fmt: skip
    def retry(self, tx: Tx, job_run_id: str) -> Asked:
        """Ask for a run like one that failed, was stopped or skipped."""
        return Asked([_show(job_desk.retry(tx, read_id("run", job_run_id)))])

    @post(
        "/runs/{job_run_id:str}/cancel", opt={"permission": Permission.JOBS_RUN}, sync_to_thread=True,
        status_code=200, summary="Stop a run",
    )  # fmt: skip
    def cancel(self, tx: Tx, job_run_id: str) -> RunDetail:
        """A run that waits is cancelled at once; one under way stops when its work next looks."""
        return _show_detail(job_desk.cancel(tx, read_id("run", job_run_id)))


def _whole(run: JobRun) -> bool:
    job = JOBS.get(run.job)
    return job is not None and job.whole


def _shown(run: JobRun) -> dict[str, Any]:
    took = None if run.started_at is None or run.ended_at is None else (run.ended_at - run.started_at).total_seconds()
    whole = _whole(run)
    return {
        "id": show_id("run", run.id),
        "job": run.job,
        "state": run.state,
        "cause": run.cause,
        "whole": whole,
        "day": run.day,
        "due_at": run.due_at,
        "missed": run.missed,
        "asked_by": run.asked_by,
        "asked_at": run.asked_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "duration_s": took,
        "attempts": run.attempts,
        # What a job of the whole installation counts and says is about other firms too.
        "done": None if whole else run.done,
        "total": None if whole else run.total,
        "counts": {} if whole else run.counts,
        "error": _HIDDEN if whole and run.error else run.error,
        "stopping": run.cancel_asked and run.state in OPEN,
    }


def _show(run: JobRun) -> RunView:
    return RunView(**_shown(run))


def _show_detail(run: JobRun) -> RunDetail:
    job = JOBS.get(run.job)
    repeatable = run.state in (RunState.FAILED, RunState.CANCELLED, RunState.SKIPPED)
    return RunDetail(
        **_shown(run),
        about="" if job is None else job.about,
        lines=[] if _whole(run) else run.lines,
        can_retry=repeatable and job is not None and not (job.whole or job.operated),
        can_cancel=run.state in OPEN and not run.cancel_asked and (job is None or (job.stoppable and not job.whole)),
    )


def _show_job(job: Job, found: list[JobRun], resting: dict[str, tuple[datetime, str]], now: datetime) -> JobView:
    mine = [run for run in found if run.job == job.name]
    since, by = resting.get(job.name, (None, None))
    ended = [run for run in mine if run.state not in OPEN]
    return JobView(
        name=job.name,
        about=job.about,
        owner=job.owner,
        schedule=job.words(),
        cron=job.cron,
        timezone="UTC",
        whole=job.whole,
        after=list(job.after),
        dated=job.dated,
        paused_at=since,
        paused_by=by,
        next_at=None if since is not None else job.due_after(now),
        last=_show(ended[0]) if ended else None,
        running=next((_show(run) for run in reversed(mine) if run.state in OPEN), None),
        durations=[
            Duration(show_id("run", run.id), run.ended_at, (run.ended_at - run.started_at).total_seconds(), run.state)
            for run in ended
            if run.started_at is not None and run.ended_at is not None
        ],
    )
