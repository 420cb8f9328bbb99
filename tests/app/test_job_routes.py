"""What people see and ask of jobs: over HTTP, as each role, and at the command line."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from finer.app import job_desk
from finer.app.commands.common import OPERATOR
from finer.app.commands.job import job as job_command
from finer.app.job_types import Job
from finer.app.scheduled import JOBS
from finer.identity.service.audit import search_audit
from finer.identity.types.access import Role
from finer.identity.types.audit import AuditFilter
from finer.kit import runs
from finer.kit.actors import SYSTEM
from finer.kit.db import NO_TENANT, Database
from finer.kit.ids import read_id
from finer.kit.runs import RunState
from finer.kit.settings import Settings
from finer.scoring.service import asking
from tests.security.world import World
from tests.support.asgi import Answer, Driver
from tests.support.identity import Firm


@pytest.fixture
def world(database: Database, worker_database: Database, app_settings: Settings) -> World:
    mark = f"j{uuid.uuid4().hex[:16]}"
    return World(Firm.made(database, app_settings, mark), worker_database, mark).furnish()


class Caller:
    """Somebody of a role, who asks for paths of jobs."""

    def __init__(self, driver: Driver, world: World, role: Role = Role.DATA_ENGINEER) -> None:
        self._driver, self._headers = driver, world.headers(role.value)

    def get(self, path: str) -> Any:
        answer = self._driver.call("GET", f"/api/v1/jobs{path}", self._headers)
        assert answer.status == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = b"") -> Answer:
        headers = self._headers | {"idempotency-key": uuid.uuid4().hex}
        return self._driver.call("POST", f"/api/v1/jobs{path}", headers, body)

    def job(self, name: str) -> Any:
        return next(one for one in self.get("")["items"] if one["name"] == name)


def _end(world: World, shown: str, state: RunState, **more: Any) -> None:
    with world.worker.transaction(world.firm.tenant.id, SYSTEM) as tx:
        assert runs.begin(tx, read_id("run", shown)) is not None
        runs.finish(tx, read_id("run", shown), state, **more)


def test_what_a_job_does_is_told_in_plain_words() -> None:
    """The page shows it as it stands: marks of a document would show as marks."""
    assert [name for name, job in JOBS.items() if "`" in job.about + job.when] == []


def test_learning_waits_until_what_has_had_its_time_is_gone(driver: Driver, world: World) -> None:
    assert Caller(driver, world).job(asking.TRAIN_JOB)["after"] == ["retain"]


def test_a_job_is_run_now_seen_and_repeated(driver: Driver, world: World) -> None:
    dewi = Caller(driver, world)
    [asked] = dewi.post("/compact_lake/runs").json()["items"]
    assert (asked["state"], asked["cause"], asked["asked_by"]) == ("queued", "by_hand", f"data_engineer {world.mark}")
    assert dewi.job("compact_lake")["running"]["id"] == asked["id"]
    assert dewi.post(f"/runs/{asked['id']}/retry").status == 409
    _end(world, asked["id"], RunState.FAILED, error="The lake is away.")
    shown = dewi.get(f"/runs/{asked['id']}")
    assert (shown["error"], shown["can_retry"], shown["can_cancel"]) == ("The lake is away.", True, False)
    [again] = dewi.post(f"/runs/{asked['id']}/retry").json()["items"]
    assert (again["cause"], again["id"] != asked["id"]) == ("retry", True)
    _end(world, again["id"], RunState.SUCCEEDED, counts={"files_deleted": 7})
    seen = dewi.job("compact_lake")
    assert (seen["last"]["state"], seen["last"]["counts"]) == ("succeeded", {"files_deleted": 7})
    assert [one["state"] for one in seen["durations"]] == ["succeeded", "failed"]
    assert (seen["schedule"], seen["timezone"], seen["running"]) == ("every 10 minutes", "UTC", None)


def test_runs_are_found_by_what_they_are_page_by_page(driver: Driver, world: World) -> None:
    dewi = Caller(driver, world)
    ids = [dewi.post(f"/{name}/runs").json()["items"][0]["id"] for name in ("retain", "forget", "retain")]
    _end(world, ids[0], RunState.FAILED, error="No.")
    first = dewi.get("/runs?cause=by_hand&limit=2")
    second = dewi.get(f"/runs?cause=by_hand&limit=2&before={first['next']}")
    assert [one["id"] for one in first["items"] + second["items"]] == ids[::-1]
    assert [one["id"] for one in dewi.get("/runs?job=retain&state=failed")["items"]] == [ids[0]]
    assert dewi.get("/runs?cause=by_hand&to=2020-01-01T00:00:00Z")["items"] == []


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ("job=retian", 404, "There is no job 'retian'."),
        ("state=broken", 400, ": state: Invalid enum value 'broken'. It may be waiting, queued, running, succeeded, "),
        ("cause=me", 400, ": cause: Invalid enum value 'me'. It may be schedule, "),
        ("limit=0", 400, ": limit: Expected `int` >= 1"),
    ],
)
def test_what_is_misspelt_in_a_query_is_told_by_its_name_with_what_it_may_be(
    driver: Driver, world: World, asked: str, status: int, told: str
) -> None:
    answer = driver.call("GET", f"/api/v1/jobs/runs?{asked}", world.headers(Role.DATA_ENGINEER.value))
    assert (answer.status, told in answer.json()["detail"]) == (status, True), answer.text


def test_what_is_misspelt_in_a_body_is_told_with_what_it_may_be(driver: Driver, world: World) -> None:
    body = {"table": "transactions", "format": "xlsx"}
    answer = driver.call("POST", "/api/v1/lake/exports", world.headers(Role.DATA_ENGINEER.value), body)
    assert answer.status == 400
    assert answer.json()["detail"].endswith(": format: Invalid enum value 'xlsx'. It may be parquet, csv"), answer.text


def test_a_run_that_waits_is_stopped_at_once(driver: Driver, world: World) -> None:
    dewi = Caller(driver, world)
    [asked] = dewi.post("/forget/runs").json()["items"]
    stopped = dewi.post(f"/runs/{asked['id']}/cancel").json()
    assert (stopped["state"], stopped["can_retry"]) == ("cancelled", True)
    assert dewi.post(f"/runs/{asked['id']}/cancel").status == 409
    assert dewi.post(f"/runs/run_{uuid.uuid4().hex}/cancel").status == 404


def test_a_schedule_rests_and_the_trail_says_who_let_it(driver: Driver, world: World) -> None:
    dewi = Caller(driver, world)
    assert dewi.post("/compact_lake/pause").status == 204
    resting = dewi.job("compact_lake")
    assert (resting["paused_by"], resting["next_at"]) == (f"data_engineer {world.mark}", None)
    assert dewi.post("/compact_lake/resume").status == 204
    assert dewi.job("compact_lake")["next_at"] is not None
    with world.firm.tx() as tx:
        actions = [line.action for line in search_audit(tx, AuditFilter(action="jobs:*"), 10)[0]]
    assert actions == ["jobs:resume", "jobs:pause"]


def test_past_days_are_filled_where_the_job_works_on_a_day(
    driver: Driver, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    daily = Job(name="daily", about="Does a day.", owner="tests", cron="0 1 * * *", work=lambda *_: None, dated=True)
    monkeypatch.setitem(JOBS, "daily", daily)
    dewi = Caller(driver, world)
    asked = dewi.post("/daily/backfill", {"first": "2026-01-30", "last": "2026-02-01"}).json()["items"]
    assert [one["day"] for one in asked] == ["2026-01-30", "2026-01-31", "2026-02-01"]
    for wrong in (("2026-02-01", "2026-01-30"), ("2024-01-01", "2026-01-01"), ("2026-01-01", "2999-01-01")):
        assert dewi.post("/daily/backfill", dict(zip(("first", "last"), wrong, strict=True))).status == 422
    answer = dewi.post("/compact_lake/backfill", {"first": "2026-01-30", "last": "2026-02-01"})
    assert (answer.status, "Run it now instead" in answer.text) == (422, True)


def test_what_is_done_for_the_installation_is_seen_without_its_insides(driver: Driver, world: World) -> None:
    with world.worker.transaction(NO_TENANT, SYSTEM) as tx:
        asked = runs.start(tx, "verify")
        assert asked is not None
        runs.begin(tx, asked)
        runs.beat(tx, asked, 1, 2, ["[other-bank] is broken"])
        runs.finish(tx, asked, RunState.FAILED, error="other-bank is broken", counts={"other": 1})
    dewi = Caller(driver, world)
    shown = dewi.get(f"/runs/run_{asked.hex}")
    assert (shown["whole"], shown["lines"], shown["counts"], shown["can_retry"]) == (True, [], {}, False)
    assert (shown["done"], shown["total"]) == (None, None)
    assert "other-bank" not in json.dumps([shown, dewi.get("/runs?job=verify"), dewi.get("")])
    answer = dewi.post("/verify/runs")
    assert (answer.status, "finer job run verify" in answer.text) == (422, True)
    assert dewi.post(f"/runs/run_{asked.hex}/retry").status == 404
    assert dewi.post("/nothing/runs").status == 404


def test_what_holds_up_other_firms_is_asked_for_by_the_operator(driver: Driver, world: World) -> None:
    dewi = Caller(driver, world)
    answer = dewi.post("/rebuild_sums/runs")
    assert (answer.status, "finer job run rebuild_sums" in answer.text) == (422, True)
    with world.worker.transaction(world.firm.tenant.id, OPERATOR) as tx:
        shown = f"run_{job_desk.run_now(tx, 'rebuild_sums').id.hex}"
    _end(world, shown, RunState.FAILED, error="No lake.")
    assert dewi.get(f"/runs/{shown}")["can_retry"] is False
    assert dewi.post(f"/runs/{shown}/retry").status == 422


def test_who_only_looks_asks_for_nothing(driver: Driver, world: World) -> None:
    auditor = Caller(driver, world, Role.AUDITOR)
    assert len(auditor.get("")["items"]) == len(JOBS)
    assert auditor.post("/compact_lake/runs").status == 403


def test_the_operator_runs_and_reads_at_the_command_line(
    world: World, app_settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FINER_DATABASE_URL", app_settings.database_url or "")
    firm = ["--tenant", world.mark, "--data-dir", app_settings.data_dir]

    def call(*words: str) -> str:
        done = CliRunner().invoke(job_command, list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert "compact_lake" in call("list")
    assert {one["name"] for one in json.loads(call("list", "--json"))} == set(JOBS)
    [asked] = json.loads(call("run", "retain", *firm, "--json"))
    _end(world, asked["id"], RunState.FAILED, error="No disk.")
    assert "No disk." in call("history", "retain", *firm)
    [again] = json.loads(call("retry", asked["id"], *firm, "--json"))
    assert (again["cause"], again["state"]) == ("retry", "queued")
    assert "no such run" in call("history", "forget", *firm)
    assert CliRunner().invoke(job_command, ["run", "retain"]).exit_code == 2
