"""What a job is: its name, its work, when it is due, and on what it depends. The list is in `finer.app.scheduled`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from croniter import croniter

from finer.kit import schedules
from finer.kit.db import Database
from finer.kit.runs import QUEUE, Counts, JobRun, Run
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.warehouse.service import lake as warehouse

MISSED_MAX = 10_000


@dataclass(frozen=True)
class Ground:
    """What work stands on: the database as the worker's role, its address, and the settings."""

    database: Database
    url: str
    settings: Settings

    def lake(self) -> warehouse.LakeAccess:
        """Access to the lake for the work of one run."""
        return warehouse.LakeAccess(self.url, self.settings)


Work: TypeAlias = Callable[[Ground, Run], Counts | None]
"""Does the work of one run and returns what it did, by name. Whatever it raises makes the run fail."""
Dropped: TypeAlias = Callable[[Tx, JobRun, str], None]
"""Told, in the transaction that ends it, that a run will not be done: why it failed, or "" when somebody stopped it."""

Repeated: TypeAlias = Callable[[Tx, JobRun], None]
"""Asked before a run that failed or was stopped is done again; raises why that cannot be now."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A kind of work that is done on a schedule, or when somebody asks for it (without `cron`).

    `whole`: once for the installation instead of once for each firm. `after` are jobs of the same kind that have to
    succeed first in the same `period`. `dated` work does the day that its run names, so it can be done for days past;
    a run on schedule names none.
    `operated` work holds up other firms: only the operator asks for it, at the command line.
    `when` says of a job without a schedule what asks for it. What was promised to others is no `stoppable` work.
    """

    name: str
    about: str
    owner: str
    work: Work
    cron: str | None = None
    whole: bool = False
    operated: bool = False
    after: tuple[str, ...] = ()
    period: timedelta = timedelta(days=1)
    dated: bool = False
    expected_s: float = 600.0
    attempts: int = 3
    queue: str = QUEUE
    when: str = "when somebody asks for it"
    stoppable: bool = True
    dropped: Dropped | None = None
    repeated: Repeated | None = None

    def due_after(self, now: datetime) -> datetime | None:
        """The next time at which this job is due."""
        return None if self.cron is None else croniter(self.cron, now).get_next(datetime)

    def dues(self, since: datetime, until: datetime) -> list[datetime]:
        """Every due time after `since` up to `until`; at most MISSED_MAX of them."""
        found: list[datetime] = []
        due = self.due_after(since)
        while due is not None and due <= until and len(found) < MISSED_MAX:
            found.append(due)
            due = self.due_after(due)
        return found

    def span(self, due: datetime) -> tuple[datetime, datetime]:
        """The period (UTC, as the schedules are) that a due time belongs to: from, to."""
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        start = epoch + (due - epoch) // self.period * self.period
        return start, start + self.period

    def words(self) -> str:
        """The schedule as people say it."""
        return self.when if self.cron is None else schedules.words(self.cron)


def checked(jobs: Iterable[Job]) -> dict[str, Job]:
    """The jobs by name. Raises ValueError for a name used twice, a bad schedule, and jobs that wait in a circle."""
    found: dict[str, Job] = {}
    for job in jobs:
        if job.name in found or job.name == "runs":
            raise ValueError(f"There are two jobs {job.name!r}, or the name is taken. Choose another.")
        if job.cron is not None and not croniter.is_valid(job.cron):
            raise ValueError(f"The schedule {job.cron!r} of {job.name} is no cron expression of five fields.")
        found[job.name] = job
    for job in found.values():
        for other in job.after:
            if other not in found or found[other].whole != job.whole:
                raise ValueError(f"{job.name} waits for {other!r}, which is no job done for the same firms.")
        if path := next(_circles(found, job.name, ()), None):
            raise ValueError(f"These jobs wait for each other: {' -> '.join(path)}.")
    return found


def _circles(jobs: dict[str, Job], name: str, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if name in above:
        yield (*above[above.index(name) :], name)
        return
    for other in jobs[name].after:
        yield from _circles(jobs, other, (*above, name))
