"""What becomes of a run: begun, done, tried again, told about; and runs that were missed while nobody was there."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from finer.app.job_types import Ground, Job
from finer.identity.service import tenants
from finer.identity.types.access import Permission
from finer.kit import due_runs, runs, schedules
from finer.kit.actors import SYSTEM
from finer.kit.db import NO_TENANT
from finer.kit.errors import FinerError
from finer.kit.ids import show_id
from finer.kit.runs import Cause, Counts, JobRun, Run, RunCancelled, RunFilter, RunState
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.notifications.types import NewNotification, Severity
from finer.warehouse.errors import NotInLakeYet

_log = structlog.get_logger(__name__)
_FIRST_WAIT_S = 30
_KEEPS_FAILING = 3
_GRACE = timedelta(minutes=5)
"""How late a schedule may be before a run that did not happen counts as missed."""


class Runner:
    """Does runs of the jobs that it knows. One for each jobs process; several share the work."""

    def __init__(self, ground: Ground, jobs: Mapping[str, Job]) -> None:
        self._ground = ground
        self._jobs = jobs

    def tick(self, job: Job, due: datetime) -> None:
        """A schedule is due: ask for its run, for every firm where it does not rest."""
        for tenant in self._firms(job):
            with self._ground.database.transaction(tenant, SYSTEM) as tx:
                if job.name not in schedules.paused(tx):
                    self._ask(tx, job, due, Cause.SCHEDULE)

    def _ask(self, tx: Tx, job: Job, due: datetime, cause: Cause, missed: int = 0) -> bool:
        since, until = job.span(due)
        unmet = [name for name in job.after if not due_runs.succeeded_between(tx, name, since, until)]
        if job.after:
            says = f"It waited for {', '.join(job.after)}, and its period ended before that had succeeded."
            due_runs.give_up_waiting(tx, job.name, since, says)
        return runs.start(tx, job.name, cause=cause, due_at=due, missed=missed, waits=bool(unmet)) is not None

    def run(self, tenant: uuid.UUID, identifier: uuid.UUID) -> None:
        """Do one run. What goes wrong becomes its outcome; nothing is raised but what takes the database away."""
        with self._ground.database.transaction(tenant, SYSTEM) as tx:
            record = runs.begin(tx, identifier)
        if record is None:
            return
        job = self._jobs.get(record.job)
        if job is None:
            self._end(tenant, record, RunState.FAILED, f"There is no job {record.job!r} in this version of Finer.")
            return
        if record.attempts > job.attempts:
            self._fail(tenant, job, record, "The process that did it went away each time. Its log says why.")
            return
        handle = Run(record, tenant, lambda *told: self._beat(tenant, identifier, *told))
        try:
            handle.stop_if_cancelled()
            counts = job.work(self._ground, handle)
            handle.flush()
        except RunCancelled:
            handle.flush()
            self._cancelled(tenant, job, record)
        except Exception as error:  # noqa: BLE001 - whatever the work raises is the outcome of this run
            handle.flush()
            self._failed(tenant, job, record, error)
        else:
            self._succeed(tenant, job, record, counts)

    def _beat(
        self, tenant: uuid.UUID, identifier: uuid.UUID, done: int | None, total: int | None, lines: list[str]
    ) -> bool:
        with self._ground.database.transaction(tenant, SYSTEM) as tx:
            return runs.beat(tx, identifier, done, total, lines)

    def _succeed(self, tenant: uuid.UUID, job: Job, record: JobRun, counts: Counts | None) -> None:
        with self._ground.database.transaction(tenant, SYSTEM) as tx:
            runs.finish(tx, record.id, RunState.SUCCEEDED, counts=counts)
            self._free(tx, job, record)
        for firm in self._tenants() if job.whole else [tenant]:
            with self._ground.database.transaction(firm, SYSTEM) as tx:
                for key in (_slow(job), _failing(job)):
                    if notifications.is_open(tx, key):
                        notifications.settle(tx, key)

    def _free(self, tx: Tx, job: Job, record: JobRun) -> None:
        """Queue what waited for this run, where nothing else is missing."""
        if record.due_at is None:
            return
        for other in self._jobs.values():
            if job.name in other.after:
                since, until = other.span(record.due_at)
                if all(due_runs.succeeded_between(tx, name, since, until) for name in other.after):
                    runs.release(tx, [other.name], since, until)

    def _failed(self, tenant: uuid.UUID, job: Job, record: JobRun, error: Exception) -> None:
        shown = show_id("run", record.id)
        if isinstance(error, FinerError):
            says = error.detail
        else:
            says = (
                f"Something went wrong inside Finer ({type(error).__name__}). The log of the jobs process has {shown}."
            )
        more = record.attempts < job.attempts
        if more and isinstance(error, NotInLakeYet):
            # Nothing is wrong: records take seconds to the lake, and longer while a backlog is worked off.
            _log.info("a job waits", job=job.name, tenant=str(tenant), run=shown, says=says)
        else:
            _log.error("a job failed", job=job.name, tenant=str(tenant), run=shown, exc_info=error)
        if more:
            wait = timedelta(seconds=_FIRST_WAIT_S * 4 ** (record.attempts - 1))
            with self._ground.database.transaction(tenant, SYSTEM) as tx:
                runs.again(tx, record, says, tx.now() + wait)
        else:
            self._fail(tenant, job, record, says)

    def _fail(self, tenant: uuid.UUID, job: Job, record: JobRun, says: str) -> None:
        with self._ground.database.transaction(tenant, SYSTEM) as tx:
            runs.finish(tx, record.id, RunState.FAILED, error=says)
            if job.dropped is not None:
                job.dropped(tx, record, says)
            ended = [one for one in runs.page(tx, RunFilter(job=job.name), 20) if one.state not in runs.OPEN]
            row = next((at for at, one in enumerate(ended) if one.state is not RunState.FAILED), len(ended))
        keeps = row >= _KEEPS_FAILING
        told = NewNotification(
            kind="jobs.failing",
            severity=Severity.CRITICAL if keeps else Severity.WARNING,
            title=f"{_in_words(job)} failed {row} times in a row" if keeps else f"{_in_words(job)} failed",
            # What a job of the whole installation says may name other firms.
            text=f"{job.about} The operator of this installation sees why it failed." if job.whole else says,
            link=f"/jobs?run={show_id('run', record.id)}",
            permission=Permission.JOBS_READ,
            key=_failing(job),
        )
        for firm in self._tenants() if job.whole else [tenant]:
            with self._ground.database.transaction(firm, SYSTEM) as tx:
                if notifications.is_open(tx, _slow(job)):
                    notifications.settle(tx, _slow(job))
                notifications.notify(tx, told)

    def _cancelled(self, tenant: uuid.UUID, job: Job, record: JobRun) -> None:
        with self._ground.database.transaction(tenant, SYSTEM) as tx:
            runs.finish(tx, record.id, RunState.CANCELLED)
            if job.dropped is not None:
                job.dropped(tx, record, "")

    def _end(self, tenant: uuid.UUID, record: JobRun, state: RunState, says: str) -> None:
        with self._ground.database.transaction(tenant, SYSTEM) as tx:
            runs.finish(tx, record.id, state, error=says)

    def catch_up(self) -> int:
        """Ask once for every schedule whose runs were missed while no jobs process was there; returns how many."""
        found = 0
        for whole in (True, False):
            jobs = [job for job in self._jobs.values() if job.cron is not None and job.whole is whole]
            for tenant in [NO_TENANT] if whole else self._tenants():
                with self._ground.database.transaction(tenant, SYSTEM) as tx:
                    found += self._catch_up(tx, jobs)
        return found

    def _catch_up(self, tx: Tx, jobs: list[Job]) -> int:
        last, resting, now = due_runs.last_due(tx), schedules.paused(tx), tx.now()
        late = []
        for job in jobs:
            if job.name in last and job.name not in resting:
                dues = job.dues(last[job.name], now)
                if dues and dues[0] < now - _GRACE and self._ask(tx, job, dues[-1], Cause.CATCH_UP, len(dues) - 1):
                    late.append(f"{job.name} ({len(dues)})")
        if late and tx.tenant != NO_TENANT:
            told = NewNotification(
                kind="jobs.missed",
                severity=Severity.INFO,
                title="Scheduled work was missed while Finer was away",
                text=f"Each of these runs once now, for all the times that it was due: {', '.join(late)}.",
                link="/jobs?cause=catch_up",
                permission=Permission.JOBS_READ,
            )
            notifications.notify(tx, told)
        return len(late)

    def watch(self) -> None:
        """Tell about runs that take longer than their job says they should."""
        for tenant in self._tenants():
            with self._ground.database.transaction(tenant, SYSTEM) as tx:
                for record in runs.under_way(tx):
                    job = self._jobs.get(record.job)
                    if job is not None and record.state is RunState.RUNNING and record.started_at is not None:
                        self._watch(tx, job, record, tx.now() - record.started_at)

    def _watch(self, tx: Tx, job: Job, record: JobRun, taken: timedelta) -> None:
        if taken < timedelta(seconds=job.expected_s) or notifications.is_open(tx, _slow(job)):
            return
        told = NewNotification(
            kind="jobs.slow",
            severity=Severity.WARNING,
            title=f"{_in_words(job)} takes longer than usual",
            text=f"It has run for {taken.total_seconds() / 60:.0f} min; up to {job.expected_s / 60:.0f} min are usual.",
            link=f"/jobs?run={show_id('run', record.id)}",
            permission=Permission.JOBS_READ,
            key=_slow(job),
        )
        notifications.notify(tx, told)

    def _firms(self, job: Job) -> list[uuid.UUID]:
        return [NO_TENANT] if job.whole else self._tenants()

    def _tenants(self) -> list[uuid.UUID]:
        with self._ground.database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
            return [tenant.id for tenant in tenants.list_tenants(tx)]


def _in_words(job: Job) -> str:
    """As the page Jobs calls it: "Age orders"."""
    return job.name.replace("_", " ").capitalize()


def _failing(job: Job) -> str:
    return f"jobs.failing:{job.name}"


def _slow(job: Job) -> str:
    return f"jobs.slow:{job.name}"
