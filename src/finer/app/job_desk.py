"""What people may ask of jobs: run one now, for past days, again, or not at all. Routes and commands come here."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

from finer.app.job_types import Job
from finer.app.scheduled import JOBS
from finer.identity.service.audit import record_audit
from finer.kit import runs, schedules
from finer.kit.db import NO_TENANT
from finer.kit.errors import Conflict, NotFound, Unprocessable
from finer.kit.ids import show_id
from finer.kit.runs import Cause, JobRun, RunState
from finer.kit.tx import Tx

DAYS_MAX = 366


class JobNotFound(NotFound):
    """There is no job of this name."""

    slug = "job-not-found"


class RunNotFound(NotFound):
    """This firm has no run of this id."""

    slug = "job-run-not-found"


class NotForPeople(Unprocessable):
    """This cannot be asked of this job."""

    slug = "job-cannot-be-asked"
    title = "This cannot be asked of this job"


class RunNotReady(Conflict):
    """The run is not in a state in which this can be asked."""

    slug = "job-run-not-ready"
    title = "This run cannot be changed any more, or not yet"


def find(name: str) -> Job:
    """A job by its name. Raises JobNotFound."""
    job = JOBS.get(name)
    if job is None:
        raise JobNotFound(
            f"There is no job {name[:80]!r}. The page Jobs, GET /api/v1/jobs and `finer job list` show them."
        )
    return job


def run_now(tx: Tx, name: str) -> JobRun:
    """Ask for a run of a scheduled job now. Raises JobNotFound, or NotForPeople."""
    job = _asked(tx, name)
    return _started(tx, job, Cause.BY_HAND, None)


def backfill(tx: Tx, name: str, first: date, last: date) -> list[JobRun]:
    """Ask for one run for each day, the earliest first. Raises JobNotFound, or NotForPeople."""
    job = _asked(tx, name)
    if not job.dated:
        raise NotForPeople(f"{name} works on what is there now, so it cannot be run for days past. Run it now instead.")
    if not first <= last <= tx.now().date() or (last - first).days >= DAYS_MAX:
        raise NotForPeople(
            f"Give a first day, and a last day that is not before it nor in the future: at most {DAYS_MAX}."
        )
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [_started(tx, job, Cause.BACKFILL, day) for day in days]


def retry(tx: Tx, identifier: uuid.UUID) -> JobRun:
    """Ask for a run like one that failed or was stopped.

    Raises RunNotFound, RunNotReady, NotForPeople, or what the job says against it.
    """
    old = get(tx, identifier)
    job = JOBS.get(old.job)
    if job is None:
        raise NotForPeople(f"There is no job {old.job} in this version of Finer.")
    _refuse_to_firm(tx, job)
    if old.state not in (RunState.FAILED, RunState.CANCELLED, RunState.SKIPPED):
        raise RunNotReady(f"This run is {old.state}. Only one that failed or was stopped can be done again.")
    if job.repeated is not None:
        job.repeated(tx, old)
    return _started(tx, job, Cause.RETRY, old.day, old)


def cancel(tx: Tx, identifier: uuid.UUID) -> JobRun:
    """Stop a run, at once or when its work next looks.

    Raises RunNotFound, RunNotReady when it has ended, or NotForPeople when its job cannot be stopped.
    """
    found = get(tx, identifier)
    job = JOBS.get(found.job)
    if job is not None and not job.stoppable:
        raise NotForPeople(f"{job.name} does what was promised when it was asked for, so it cannot be stopped.")
    stopped = runs.ask_to_stop(tx, identifier)
    if stopped is None:
        raise RunNotReady(f"This run has ended: {found.state}. There is nothing to stop.")
    if stopped.state is RunState.CANCELLED and job is not None and job.dropped is not None:
        job.dropped(tx, stopped, "")
    record_audit(tx, "jobs:cancel", show_id("run", identifier), {"job": found.job})
    return stopped


def rest(tx: Tx, name: str, *, rests: bool) -> None:
    """Let a schedule rest for this firm, or go on. Raises JobNotFound, or NotForPeople."""
    _asked(tx, name)
    if rests:
        schedules.pause(tx, name)
    else:
        schedules.resume(tx, name)
    record_audit(tx, "jobs:pause" if rests else "jobs:resume", name)


def get(tx: Tx, identifier: uuid.UUID) -> JobRun:
    """A run of this firm. Raises RunNotFound."""
    found = runs.get(tx, identifier)
    if found is None:
        raise RunNotFound(f"There is no run {show_id('run', identifier)}.")
    return found


def _asked(tx: Tx, name: str) -> Job:
    job = find(name)
    _refuse_to_firm(tx, job)
    if job.cron is None and not job.operated:
        raise NotForPeople(f"{name} is done when the page that it belongs to asks for it, with what it needs to know.")
    return job


def _refuse_to_firm(tx: Tx, job: Job) -> None:
    if job.operated and tx.actor.kind != "system":
        raise NotForPeople(
            f"{job.name} holds up other firms. The operator can ask for it: finer job run {job.name} --tenant ..."
        )
    if job.whole and tx.tenant != NO_TENANT:
        raise NotForPeople(
            f"{job.name} is done for the whole installation. Its operator can ask for it: finer job run {job.name}."
        )


def _started(tx: Tx, job: Job, cause: Cause, day: date | None, old: JobRun | None = None) -> JobRun:
    asked = runs.start(
        tx,
        job.name,
        cause=cause,
        day=day,
        arguments={} if old is None else old.arguments,
        due_at=None if old is None else old.due_at,
        queue=job.queue,
    )
    if asked is None:
        raise RunNotReady(f"A run of {job.name} is queued already.")
    detail = {"job": job.name, "cause": str(cause)} | ({} if day is None else {"day": day.isoformat()})
    record_audit(tx, "jobs:run", show_id("run", asked), detail)
    return get(tx, asked)
