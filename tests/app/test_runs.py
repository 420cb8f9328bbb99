"""Runs of jobs: asked for once, done, tried again, stopped, waited for and caught up; and people are told."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from structlog.testing import capture_logs

from finer.app import runner as runner_module
from finer.app.job_types import Ground, Job, checked
from finer.app.runner import Runner
from finer.app.scheduled import JOBS
from finer.identity.service import tenants
from finer.identity.types.access import Role
from finer.kit import runs, schedules
from finer.kit.actors import SYSTEM, Actor
from finer.kit.clock import FixedClock
from finer.kit.crypto.keyring import Keyring
from finer.kit.db import NO_TENANT, WORKER, Database
from finer.kit.errors import InvalidInput
from finer.kit.ids import new_id
from finer.kit.runs import Cause, Counts, JobRun, Run, RunFilter, RunState
from finer.kit.schedules import words
from finer.kit.settings import Settings
from finer.notifications import service as notifications
from finer.notifications.types import Severity
from finer.warehouse.errors import LakeUnavailable, NotInLakeYet

_AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ENGINEER = Actor(kind="user", id=str(uuid.UUID(int=1)), name="Dewi", role=Role.DATA_ENGINEER)


class Stage:
    """A firm, a clock that stands still, and a runner of the jobs given."""

    def __init__(self, database: Database, clock: FixedClock, tenant: uuid.UUID) -> None:
        self.database, self.clock, self.tenant = database, clock, tenant
        self.jobs: dict[str, Job] = {}

    def runner(self, *jobs: Job) -> Runner:
        self.jobs = checked(jobs)
        return OneFirm(Ground(self.database, self.database.url, Settings()), self.jobs, self.tenant)

    def ask(self, job: str, **more: object) -> uuid.UUID:
        with self.database.transaction(self.tenant, SYSTEM) as tx:
            found = runs.start(tx, job, **more)  # type: ignore[arg-type]
        assert found is not None
        return found

    def get(self, identifier: uuid.UUID) -> JobRun:
        with self.database.transaction(self.tenant, SYSTEM) as tx:
            found = runs.get(tx, identifier)
        assert found is not None
        return found

    def all(self, job: str) -> list[JobRun]:
        with self.database.transaction(self.tenant, SYSTEM) as tx:
            return runs.page(tx, RunFilter(job=job), 50)

    def told(self) -> list[tuple[str, Severity, bool]]:
        with self.database.transaction(self.tenant, ENGINEER) as tx:
            found, _ = notifications.list_notifications(tx)
        return [(one.title, one.severity, one.settled_at is not None) for one in found]


class OneFirm(Runner):
    """A runner for the firm of this test alone: the database has the firms of other tests too."""

    def __init__(self, ground: Ground, jobs: dict[str, Job], tenant: uuid.UUID) -> None:
        super().__init__(ground, jobs)
        self._only = tenant

    def _tenants(self) -> list[uuid.UUID]:
        return [self._only]


@pytest.fixture
def stage(database_url: str) -> Iterator[Stage]:
    clock = FixedClock(_AT)
    database = Database(database_url, WORKER, connections=3, clock=clock)
    yield Stage(database, clock, new_id())
    database.close()


def _job(name: str, work: Callable[[Ground, Run], Counts | None] = lambda *_: None, **more: object) -> Job:
    given: dict[str, object] = {"about": "Does something.", "owner": "tests", "work": work}
    return Job(name=name, **(given | more))  # type: ignore[arg-type]


def test_runs_asked_for_in_one_moment_are_under_way_in_their_order_whatever_became_of_them(stage: Stage) -> None:
    asked = sorted(stage.ask("count", arguments={"number": number}) for number in range(3))
    with stage.database.transaction(stage.tenant, SYSTEM) as tx:
        runs.begin(tx, asked[0])
    with stage.database.transaction(stage.tenant, SYSTEM) as tx:
        # As in a small table, whose rows PostgreSQL reads as they lie: one that was changed lies behind the others.
        tx.connection.exec_driver_sql("set local enable_indexscan = off")
        tx.connection.exec_driver_sql("set local enable_bitmapscan = off")
        assert [one.id for one in runs.under_way(tx)] == asked


def test_a_run_says_what_it_did(stage: Stage) -> None:
    def work(_: Ground, run: Run) -> Counts:
        run.progress(3, 4)
        run.note(f"looked at {run.arguments['what']}")
        return {"released": 3}

    runner = stage.runner(_job("release", work))
    asked = stage.ask("release", arguments={"what": "cards"})
    assert stage.get(asked).state is RunState.QUEUED
    stage.clock.advance(timedelta(seconds=5))
    runner.run(stage.tenant, asked)
    done = stage.get(asked)
    assert (done.state, done.counts, done.done, done.total) == (RunState.SUCCEEDED, {"released": 3}, 3, 4)
    assert done.lines == ["looked at cards"]
    assert (done.attempts, done.asked_at, done.started_at) == (1, _AT, _AT + timedelta(seconds=5))
    runner.run(stage.tenant, asked)
    assert stage.get(asked).attempts == 1


def test_a_failed_run_is_tried_again_and_then_people_are_told_until_it_works(stage: Stage) -> None:
    broken = True

    def work(_: Ground, _run: Run) -> None:
        if broken:
            raise InvalidInput("The file is gone. Send it again.")

    runner = stage.runner(_job("load", work, attempts=2))
    asked = stage.ask("load")
    runner.run(stage.tenant, asked)
    assert (stage.get(asked).state, stage.get(asked).error) == (RunState.QUEUED, "The file is gone. Send it again.")
    assert stage.told() == []
    runner.run(stage.tenant, asked)
    assert stage.get(asked).state is RunState.FAILED
    assert stage.told() == [("Load failed", Severity.WARNING, False)]
    for _ in range(2):
        once_more = stage.ask("load")
        stage.clock.advance(timedelta(minutes=1))
        runner.run(stage.tenant, once_more)
        runner.run(stage.tenant, once_more)
    assert stage.told() == [("Load failed 3 times in a row", Severity.CRITICAL, False)]
    broken = False
    runner.run(stage.tenant, stage.ask("load"))
    assert stage.told() == [("Load failed 3 times in a row", Severity.CRITICAL, True)]


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        (NotInLakeYet("1 labelled payment is not in the lake yet."), [("info", False), ("error", True)]),
        (LakeUnavailable("The lake cannot be read."), [("error", True), ("error", True)]),
    ],
)
def test_a_wait_that_is_expected_is_a_quiet_line_and_a_failure_is_logged_with_its_traceback(
    error: Exception, logged: list[tuple[str, bool]], stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(_: Ground, _run: Run) -> None:
        raise error

    runner = stage.runner(_job("label", work, attempts=2))
    asked = stage.ask("label")
    # Commands that other tests ran in this process have loggers keep the settings of their first line.
    monkeypatch.setattr(runner_module, "_log", structlog.get_logger())
    with capture_logs() as lines:
        runner.run(stage.tenant, asked)
        runner.run(stage.tenant, asked)
    assert [(line["log_level"], line.get("exc_info") is error) for line in lines] == logged
    # Who looks at the run sees what it waited for, and one that waited in vain has failed.
    assert (stage.get(asked).state, stage.get(asked).error) == (RunState.FAILED, str(error))


def test_what_nobody_foresaw_is_told_without_its_insides(stage: Stage) -> None:
    def work(_: Ground, _run: Run) -> None:
        raise ZeroDivisionError("secret of the inside")

    runner = stage.runner(_job("divide", work, attempts=1))
    asked = stage.ask("divide")
    runner.run(stage.tenant, asked)
    assert "ZeroDivisionError" in stage.get(asked).error
    assert "secret" not in stage.get(asked).error


def test_a_run_whose_process_went_away_each_time_is_given_up(stage: Stage) -> None:
    def work(_: Ground, _run: Run) -> None:
        raise SystemExit

    runner = stage.runner(_job("crash", work, attempts=2))
    asked = stage.ask("crash")
    for _ in range(2):
        with pytest.raises(SystemExit):
            runner.run(stage.tenant, asked)
        assert stage.get(asked).state is RunState.RUNNING
    runner.run(stage.tenant, asked)
    assert stage.get(asked).state is RunState.FAILED
    assert "went away" in stage.get(asked).error


def test_a_run_can_be_stopped_before_and_while_it_runs(stage: Stage) -> None:
    def work(_: Ground, run: Run) -> None:
        with stage.database.transaction(stage.tenant, SYSTEM) as tx:
            assert runs.ask_to_stop(tx, run.id) is not None
        run.progress(1, 10)
        run.flush()
        run.stop_if_cancelled()
        raise AssertionError("It went on.")

    runner = stage.runner(_job("long", work))
    asked = stage.ask("long")
    runner.run(stage.tenant, asked)
    assert (stage.get(asked).state, stage.get(asked).done) == (RunState.CANCELLED, 1)
    waiting = stage.ask("long")
    with stage.database.transaction(stage.tenant, SYSTEM) as tx:
        runs.ask_to_stop(tx, waiting)
        assert runs.ask_to_stop(tx, asked) is None
    runner.run(stage.tenant, waiting)
    assert (stage.get(waiting).state, stage.get(waiting).attempts) == (RunState.CANCELLED, 0)


def test_a_due_time_has_one_run_and_late_ones_do_not_pile_up(stage: Stage) -> None:
    job = _job("tidy", cron="*/10 * * * *")
    runner = stage.runner(job)
    runner.tick(job, _AT)
    runner.tick(job, _AT)
    runner.tick(job, _AT + timedelta(minutes=10))
    [only] = stage.all("tidy")
    runner.run(stage.tenant, only.id)
    runner.tick(job, _AT + timedelta(minutes=20))
    assert [one.due_at for one in stage.all("tidy")] == [_AT + timedelta(minutes=20), _AT]


def test_a_schedule_that_rests_asks_for_nothing(stage: Stage) -> None:
    job = _job("tidy", cron="*/10 * * * *")
    runner = stage.runner(job)
    database = Database(stage.database.url, "finer_api", connections=1)
    with database.transaction(stage.tenant, ENGINEER) as tx:
        schedules.pause(tx, "tidy")
        schedules.pause(tx, "tidy")
    runner.tick(job, _AT)
    assert stage.all("tidy") == []
    with database.transaction(stage.tenant, ENGINEER) as tx:
        assert schedules.paused(tx)["tidy"][1] == "Dewi"
        schedules.resume(tx, "tidy")
    database.close()
    runner.tick(job, _AT)
    assert len(stage.all("tidy")) == 1


def test_a_job_waits_for_another_of_the_same_day(stage: Stage) -> None:
    first = _job("export", cron="0 1 * * *")
    second = _job("report", cron="0 2 * * *", after=("export",))
    runner = stage.runner(first, second)
    runner.tick(second, _AT)
    [waiting] = stage.all("report")
    assert waiting.state is RunState.WAITING
    runner.tick(first, _AT - timedelta(days=1))
    runner.run(stage.tenant, stage.all("export")[0].id)
    assert stage.all("report")[0].state is RunState.WAITING
    runner.tick(first, _AT - timedelta(hours=1))
    runner.run(stage.tenant, stage.all("export")[0].id)
    assert stage.all("report")[0].state is RunState.QUEUED
    runner.run(stage.tenant, waiting.id)
    runner.tick(second, _AT + timedelta(days=1))
    runner.tick(second, _AT + timedelta(days=2))
    newest, skipped, done = stage.all("report")
    assert (newest.state, skipped.state, done.state) == (RunState.WAITING, RunState.SKIPPED, RunState.SUCCEEDED)
    assert "waited for export" in skipped.error


def test_runs_missed_while_nobody_was_there_are_told_and_caught_up_once(stage: Stage) -> None:
    job, new = _job("tidy", cron="*/10 * * * *"), _job("new", cron="*/10 * * * *")
    runner = stage.runner(job, new)
    runner.tick(job, _AT)
    runner.run(stage.tenant, stage.all("tidy")[0].id)
    stage.clock.advance(timedelta(minutes=12))
    assert runner.catch_up() == 0
    stage.clock.advance(timedelta(minutes=30))
    assert runner.catch_up() == 1
    assert runner.catch_up() == 0
    caught_up = stage.all("tidy")[0]
    assert (caught_up.cause, caught_up.due_at, caught_up.missed) == (Cause.CATCH_UP, _AT + timedelta(minutes=40), 3)
    assert stage.all("new") == []
    assert stage.told() == [("Scheduled work was missed while Finer was away", Severity.INFO, False)]


def test_a_run_that_takes_too_long_is_told_once(stage: Stage) -> None:
    def work(_: Ground, _run: Run) -> None:
        for _minute in range(3):
            stage.clock.advance(timedelta(minutes=11))
            runner.watch()

    runner = stage.runner(_job("slow", work, expected_s=600))
    runner.run(stage.tenant, stage.ask("slow"))
    assert stage.told() == [("Slow takes longer than usual", Severity.WARNING, True)]


def test_why_a_job_of_the_installation_failed_is_not_told_to_firms(stage: Stage) -> None:
    def work(_: Ground, _run: Run) -> None:
        raise InvalidInput("The lake of other-bank is broken.")

    runner = stage.runner(_job("whole", work, whole=True, attempts=1))
    with stage.database.transaction(NO_TENANT, SYSTEM) as tx:
        asked = runs.start(tx, "whole")
    assert asked is not None
    runner.run(NO_TENANT, asked)
    with stage.database.transaction(stage.tenant, ENGINEER) as tx:
        [one] = notifications.list_notifications(tx)[0]
    assert "other-bank" not in one.text
    assert "operator" in one.text


def test_another_firm_sees_and_stops_nothing(stage: Stage) -> None:
    asked = stage.ask("x")
    with stage.database.transaction(uuid.uuid4(), SYSTEM) as tx:
        assert runs.get(tx, asked) is None
        assert runs.ask_to_stop(tx, asked) is None
        assert runs.page(tx, RunFilter(), 10) == []


@pytest.mark.parametrize(
    ("jobs", "says"),
    [
        ([_job("a"), _job("a")], "two jobs"),
        ([_job("a", cron="every day")], "no cron"),
        ([_job("a", after=("b",))], "no job"),
        ([_job("a", after=("b",)), _job("b", whole=True)], "same firms"),
        ([_job("a", after=("b",)), _job("b", after=("c",)), _job("c", after=("b",))], "b -> c -> b"),
    ],
)
def test_a_list_of_jobs_that_cannot_work_is_refused(jobs: list[Job], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        checked(jobs)


def test_schedules_are_said_in_words() -> None:
    assert words("*/10 * * * *") == "every 10 minutes"
    assert words("* * * * *") == "every minute"
    assert words("7 * * * *") == "every hour at minute 7"
    assert words("37 2 * * *") == "every day at 02:37"
    assert words("0 9 * * 1-5") == "on working days at 09:00"
    assert words("5 14 * * 1") == "on Mondays at 14:05"
    assert words("0 8 * * 0") == words("0 8 * * 7") == "on Sundays at 08:00"
    assert words("0 8 1 * *") == "on the first of the month at 08:00"
    for other in ("0 9 1 * 1", "0 9 * 2 *", "0 9 * * 1,3", "0 9 * * 8", "0 9 15 * *", "*/5 * * * 1", "0 9-17 * * *"):
        assert words(other) == f"by {other}"
    assert all(job.words() and job.about.endswith(".") for job in JOBS.values())
    assert _job("a").words() == "when somebody asks for it"


def test_the_jobs_of_finer_run(database_url: str, database: Database, keys: Keyring, data_path: object) -> None:
    """Each job of a firm once, on a firm that has nothing yet."""
    with database.transaction(new_id(), SYSTEM) as tx:
        firm = tenants.create_tenant(tx, slug=f"f{uuid.uuid4().hex[:8]}", name="F", base_currency="PHP", timezone="UTC")
    worker = Database(database_url, WORKER, connections=3, keys=keys)
    runner = Runner(Ground(worker, database_url, Settings(data_dir=str(data_path))), JOBS)
    wanted = [job.name for job in JOBS.values() if not job.whole]
    for name in wanted:
        with worker.transaction(firm.id, SYSTEM) as tx:
            asked = runs.start(tx, name)
        assert asked is not None
        runner.run(firm.id, asked)
    with worker.transaction(firm.id, SYSTEM) as tx:
        found = {one.job: (one.state, one.error) for one in runs.page(tx, RunFilter(), 50)}
    worker.close()
    assert found == dict.fromkeys(wanted, (RunState.SUCCEEDED, ""))
