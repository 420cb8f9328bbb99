"""Runs of jobs: every one is a row from the moment it is asked for, and knows how far it is and whether to stop.

Work that takes longer than a request is a job (declared in `finer.app.scheduled`); each time it is done is a run:

    runs.start(tx, "release_records", arguments={"filter": ...})      # with the transaction, by whoever asks

    def release_records(ground: Ground, run: Run) -> Counts:          # in `finer jobs`
        for number, batch in enumerate(batches):
            run.progress(number, len(batches))
            run.stop_if_cancelled()
            ...
        return {"released": released}

`Run.progress`, `Run.note` and `Run.cancelled` may be called for every record: they speak to the database at most once a
second. What was committed before a run stopped stays; work that can be stopped is safe to do again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.kit.cursors import Cursor
from finer.kit.ids import new_id
from finer.kit.jobs import defer, defer_each, take_waiting
from finer.kit.row_sets import insert_all
from finer.kit.tables import job_runs
from finer.kit.tx import Tx

TASK = "finer.run_job"
QUEUE = "runs"
LINES_MAX = 200
_BEAT_S = 1.0
Counts: TypeAlias = Mapping[str, int]
"""What a run did, by name: {"released": 214}."""


class RunState(StrEnum):
    """Where a run stands. `waiting` is for another job, `queued` for its turn."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class Cause(StrEnum):
    """Why there is a run."""

    SCHEDULE = "schedule"
    CATCH_UP = "catch_up"
    BY_HAND = "by_hand"
    RETRY = "retry"
    BACKFILL = "backfill"
    REQUEST = "request"


_ON_SCHEDULE = (Cause.SCHEDULE, Cause.CATCH_UP)
OPEN = (RunState.WAITING, RunState.QUEUED, RunState.RUNNING)


class JobRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run as it is kept. `day` is the day that it is about, `missed` how many due ones it stands for besides."""

    id: uuid.UUID
    job: str
    queue: str
    state: RunState
    cause: Cause
    day: date | None
    due_at: datetime | None
    missed: int
    arguments: dict[str, Any]
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    attempts: int
    done: int | None
    total: int | None
    counts: dict[str, int]
    error: str
    lines: list[str]
    cancel_asked: bool


class RunFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs are asked for; what is None does not limit."""

    job: str | None = None
    state: RunState | None = None
    cause: Cause | None = None
    since: datetime | None = None
    until: datetime | None = None


class RunCancelled(Exception):
    """Somebody asked this run to stop. Raised by `Run.stop_if_cancelled`; the work lets it pass."""


class Run:
    """What the work of a job gets: what it was asked for, and how to say how far it is."""

    def __init__(
        self,
        record: JobRun,
        tenant: uuid.UUID,
        beat: Callable[[int | None, int | None, list[str]], bool] = lambda *_: False,
    ) -> None:
        """`beat(done, total, new lines)` stores progress and returns whether the run should stop."""
        self.id = record.id
        self.job = record.job
        self.tenant = tenant
        self.arguments = record.arguments
        self.day = record.day
        self.cause = record.cause
        self.attempt = record.attempts
        self._beat = beat
        self._done, self._total = record.done, record.total
        self._lines: list[str] = []
        self._left = LINES_MAX - len(record.lines)
        self._cancelled = record.cancel_asked
        self._beaten_at = time.monotonic()

    def progress(self, done: int, total: int | None = None) -> None:
        """`done` of `total` things are done; without a total the page shows the number alone."""
        self._done, self._total = done, total if total is not None else self._total
        self._now_and_then()

    def note(self, line: str) -> None:
        """A line for the log of this run: what was found or left out. It names no person. The first 200 are kept."""
        if self._left > 0:
            self._left -= 1
            self._lines.append(line[:500])
        self._now_and_then()

    def cancelled(self) -> bool:
        """Whether somebody asked this run to stop, known within a second."""
        self._now_and_then()
        return self._cancelled

    def stop_if_cancelled(self) -> None:
        """Raise RunCancelled when somebody asked this run to stop."""
        if self.cancelled():
            raise RunCancelled(self.job)

    def flush(self) -> None:
        """Store what was said since the last time."""
        self._beaten_at = time.monotonic()
        lines, self._lines = self._lines, []
        self._cancelled = self._beat(self._done, self._total, lines) or self._cancelled

    def _now_and_then(self) -> None:
        if time.monotonic() - self._beaten_at >= _BEAT_S:
            self.flush()


def start(
    tx: Tx,
    job: str,
    *,
    arguments: Mapping[str, Any] | None = None,
    cause: Cause = Cause.REQUEST,
    day: date | None = None,
    due_at: datetime | None = None,
    missed: int = 0,
    waits: bool = False,
    queue: str = QUEUE,
) -> uuid.UUID | None:
    """Ask for a run in the caller's transaction; runs of one job and firm are done one after the other.

    Where arguments name a `lane`, only runs of one lane are, so that one that is tried again holds up no other.

    `waits` leaves it to `release`. Runs of another `queue` than the usual one do not wait behind long work. None when
    the run of this due time exists already, or one on schedule is queued.
    """
    if cause in _ON_SCHEDULE and _is_queued(tx, job):
        return None
    asked = _asked(tx, job, queue, arguments or {}) | {"cause": cause, "day": day, "due_at": due_at, "missed": missed}
    if waits:
        asked["state"] = RunState.WAITING
    new = insert(job_runs).values(asked)
    if tx.connection.execute(new.on_conflict_do_nothing()).rowcount == 0:
        return None
    if not waits:
        _enqueue(tx, queue, job, asked["id"], arguments)
    identifier: uuid.UUID = asked["id"]
    return identifier


def start_each(tx: Tx, job: str, arguments: Sequence[Mapping[str, Any]], *, queue: str) -> None:
    """Ask for a run for each of `arguments`, in their order; any number of them costs two trips to the server."""
    asked = [_asked(tx, job, queue, one) for one in arguments]
    insert_all(tx, job_runs, asked)
    jobs = [{"tenant": str(tx.tenant), "run": str(one["id"])} for one in asked]
    defer_each(tx, TASK, jobs, queue=queue, lock=_lock(tx, job))


def _asked(tx: Tx, job: str, queue: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a new run that somebody asks for now."""
    return {
        "tenant_id": tx.tenant, "id": new_id(), "job": job, "queue": queue, "state": RunState.QUEUED,
        "cause": Cause.REQUEST, "arguments": dict(arguments), "asked_by": tx.actor.name, "asked_at": tx.now(),
    }  # fmt: skip


def _is_queued(tx: Tx, job: str) -> bool:
    # A run that is late does the work of those after it too: they would only queue up behind it.
    query = sa.select(job_runs.c.id).where(_of(tx), job_runs.c.job == job, job_runs.c.state == RunState.QUEUED)
    return tx.connection.execute(query.where(job_runs.c.cause.in_(_ON_SCHEDULE)).limit(1)).first() is not None


def _enqueue(
    tx: Tx, queue: str, job: str, run: uuid.UUID, about: Mapping[str, Any] | None = None, at: datetime | None = None
) -> None:
    lane = f":{about['lane']}" if about and "lane" in about else ""
    defer(tx, TASK, {"tenant": str(tx.tenant), "run": str(run)}, queue=queue, lock=_lock(tx, job) + lane, at=at)


def _lock(tx: Tx, job: str) -> str:
    return f"{job}:{tx.tenant}"


def begin(tx: Tx, identifier: uuid.UUID) -> JobRun | None:
    """A run starts now; None when there is nothing to do: it was cancelled, or has ended."""
    ready = job_runs.c.state.in_([RunState.QUEUED, RunState.RUNNING])
    chosen = sa.and_(_of(tx), job_runs.c.id == identifier, ready)
    started = (
        job_runs.update()
        .where(chosen)
        .values(state=RunState.RUNNING, started_at=tx.now(), attempts=job_runs.c.attempts + 1, error="")
        .returning(job_runs)
    )
    row = tx.connection.execute(started).one_or_none()
    return None if row is None else _run(row)


def beat(tx: Tx, identifier: uuid.UUID, done: int | None, total: int | None, lines: list[str]) -> bool:
    """Store how far a run is; whether it was asked to stop."""
    kept = (
        job_runs.update()
        .where(_of(tx), job_runs.c.id == identifier)
        .values(done=done, total=total, lines=job_runs.c.lines.concat(sa.cast(lines, job_runs.c.lines.type)))
        .returning(job_runs.c.cancel_asked)
    )
    return bool(tx.connection.execute(kept).scalar_one_or_none())


def finish(tx: Tx, identifier: uuid.UUID, state: RunState, *, error: str = "", counts: Counts | None = None) -> None:
    """A run has ended."""
    ended = (
        job_runs.update()
        .where(_of(tx), job_runs.c.id == identifier)
        .values(state=state, ended_at=tx.now(), error=error, counts=dict(counts or {}))
    )
    tx.connection.execute(ended)


def again(tx: Tx, run: JobRun, error: str, at: datetime) -> None:
    """A run failed and is tried once more, not before `at`."""
    queued = job_runs.update().where(_of(tx), job_runs.c.id == run.id).values(state=RunState.QUEUED, error=error)
    tx.connection.execute(queued)
    _enqueue(tx, run.queue, run.job, run.id, run.arguments, at)


def ask_to_stop(tx: Tx, identifier: uuid.UUID) -> JobRun | None:
    """A run that has not begun is cancelled at once, one under way is asked to stop; None when it has ended."""
    waiting = job_runs.c.state.in_([RunState.WAITING, RunState.QUEUED])
    stopped = (
        job_runs.update()
        .where(_of(tx), job_runs.c.id == identifier, job_runs.c.state.in_(OPEN))
        .values(
            cancel_asked=True,
            state=sa.case((waiting, RunState.CANCELLED.value), else_=job_runs.c.state),
            ended_at=sa.case((waiting, tx.now()), else_=None),
        )
        .returning(job_runs)
    )
    row = tx.connection.execute(stopped).one_or_none()
    return None if row is None else _run(row)


def release(tx: Tx, jobs: list[str], since: datetime, until: datetime) -> int:
    """Queue the runs of these jobs that wait and are due in a period; returns how many."""
    chosen = sa.and_(
        _of(tx),
        job_runs.c.job.in_(jobs),
        job_runs.c.state == RunState.WAITING,
        job_runs.c.due_at >= since,
        job_runs.c.due_at < until,
    )
    freed = (
        job_runs.update()
        .where(chosen)
        .values(state=RunState.QUEUED)
        .returning(job_runs.c.queue, job_runs.c.job, job_runs.c.id)
    )
    found = tx.connection.execute(freed).all()
    for row in found:
        _enqueue(tx, *row)
    return len(found)


def take_queued(tx: Tx, job: str, limit: int) -> list[dict[str, Any]]:
    """The arguments of up to `limit` queued runs of a job, in their order, for a run that does their work too.

    They are gone when, and only when, the caller's transaction commits.
    """
    taken = [uuid.UUID(one["run"]) for one in take_waiting(tx, TASK, _lock(tx, job), limit)]
    gone = job_runs.delete().where(_of(tx), job_runs.c.id.in_(taken)).returning(job_runs.c.id, job_runs.c.arguments)
    found = {row.id: row.arguments for row in tx.connection.execute(gone)} if taken else {}
    return [found[one] for one in taken if one in found]


def get(tx: Tx, identifier: uuid.UUID) -> JobRun | None:
    """One run."""
    row = tx.connection.execute(sa.select(job_runs).where(_of(tx), job_runs.c.id == identifier)).one_or_none()
    return None if row is None else _run(row)


def page(tx: Tx, wanted: RunFilter, limit: int, before: Cursor | None = None) -> list[JobRun]:
    """Runs, the last asked for first."""
    c = job_runs.c
    query = sa.select(job_runs).where(_of(tx))
    for column, value in ((c.job, wanted.job), (c.state, wanted.state), (c.cause, wanted.cause)):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(c.asked_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(c.asked_at < wanted.until)
    if before is not None:
        query = query.where(sa.tuple_(c.asked_at, c.id) < sa.tuple_(sa.literal(before.at), sa.literal(before.id)))
    query = query.order_by(c.asked_at.desc(), c.id.desc()).limit(limit)
    return [_run(row) for row in tx.connection.execute(query)]


def latest(tx: Tx, each: int) -> list[JobRun]:
    """The latest `each` runs of every job, the last asked for first."""
    c = job_runs.c
    place = sa.func.row_number().over(partition_by=c.job, order_by=(c.asked_at.desc(), c.id.desc())).label("place")
    numbered = sa.select(job_runs, place).where(_of(tx)).subquery()
    query = (
        sa.select(*(numbered.c[column.name] for column in job_runs.columns))
        .where(numbered.c.place <= each)
        .order_by(numbered.c.asked_at.desc(), numbered.c.id.desc())
    )
    return [_run(row) for row in tx.connection.execute(query)]


def under_way(tx: Tx) -> list[JobRun]:
    """Runs that have not ended, the oldest first."""
    query = sa.select(job_runs).where(_of(tx), job_runs.c.state.in_(OPEN)).order_by(job_runs.c.asked_at, job_runs.c.id)
    return [_run(row) for row in tx.connection.execute(query)]


def forget(tx: Tx, before: datetime) -> int:
    """Delete runs that ended before then."""
    gone = job_runs.delete().where(_of(tx), job_runs.c.ended_at < before)
    return tx.connection.execute(gone).rowcount


def _of(tx: Tx) -> sa.ColumnElement[bool]:
    return job_runs.c.tenant_id == tx.tenant


def _run(row: sa.Row[Any]) -> JobRun:
    values = dict(row._mapping)
    values.pop("tenant_id")
    return JobRun(**values | {"state": RunState(row.state), "cause": Cause(row.cause)})
