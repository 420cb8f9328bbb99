"""Facts become runs of a job per handler, and a run finds its handler and its facts again."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from finer.app import job_desk
from finer.app.flow import FLOW, QUEUE, deliver, handler_name, read_facts
from finer.app.job_types import Ground
from finer.app.runner import Runner
from finer.app.scheduled import JOBS
from finer.facts.decisions import AlertResolved
from finer.kit import runs
from finer.kit.actors import Actor
from finer.kit.db import API, Database
from finer.kit.jobs import take_waiting
from finer.kit.runs import JobRun, RunFilter, RunState
from finer.kit.settings import Settings
from finer.warehouse.service import lake

ANA = Actor(kind="user", id=str(uuid.uuid4()), name="Ana Cruz", role="risk_analyst")
FACT = AlertResolved(
    event_id="e1",
    occurred_at=datetime(2026, 6, 1, 12, tzinfo=UTC),
    verdict="confirmed_fraud",
    known_at=datetime(2026, 6, 1, 12, 5, 0, 123456, tzinfo=UTC),
    source="person",
)


def _runs(database: Database, tenant: uuid.UUID) -> list[JobRun]:
    with database.transaction(tenant, ANA) as tx:
        return runs.under_way(tx)


def _do_first(runner: Runner, database: Database, tenant: uuid.UUID) -> uuid.UUID:
    """Do what stands first in the queue, as its worker does: it is taken out, and comes back when it fails."""
    with database.transaction(tenant, ANA) as tx:
        [job] = take_waiting(tx, runs.TASK, f"append_label:{tenant}", 1)
    runner.run(tenant, uuid.UUID(job["run"]))
    return uuid.UUID(job["run"])


def test_names_tell_facts_and_handlers_apart() -> None:
    assert len({fact.name for fact in FLOW}) == len(FLOW)
    for fact, handlers in FLOW.items():
        assert re.fullmatch(rf"{fact.__module__.rsplit('.', 1)[-1]}\.[a-z_]+\.v\d+", fact.name)
        names = [handler_name(handler) for handler in handlers]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", name) for name in names)


def test_a_recorded_fact_becomes_a_run_per_handler_that_finds_back(database_url: str, tenant: uuid.UUID) -> None:
    database = Database(database_url, API, connections=1, deliver=deliver)
    with database.transaction(tenant, ANA) as tx:
        tx.record(FACT)
    found = _runs(database, tenant)
    database.close()
    assert [read_facts(run.arguments) for run in found] == [([FACT], ANA)] * len(found)
    [arguments] = [run.arguments for run in found]
    before = {name: value for name, value in arguments.items() if name != "bodies"} | {"body": arguments["bodies"][0]}
    assert read_facts(before) == ([FACT], ANA), "a run that an earlier version made is read as well"
    assert [run.job for run in found] == [handler.__name__ for handler in FLOW[AlertResolved]]
    assert {(run.queue, run.asked_by) for run in found} == {(QUEUE, "Ana Cruz")}


def test_facts_of_one_transaction_become_runs_in_their_order(
    database_url: str, worker_database: Database, tenant: uuid.UUID
) -> None:
    database = Database(database_url, API, connections=1, deliver=deliver)
    facts = [msgspec.structs.replace(FACT, event_id=f"e{number}") for number in range(300)]
    with database.transaction(tenant, ANA) as tx:
        for fact in facts:
            tx.record(fact)
    database.close()
    with worker_database.transaction(tenant, ANA) as tx:
        told = runs.take_queued(tx, "append_label", len(facts))
        assert runs.under_way(tx) == []
    assert [fact for arguments in told for fact in read_facts(arguments)[0]] == facts
    assert len(told) < 10, "a run for each fact costs more than opening its case"


def test_every_handler_is_a_job_that_nobody_stops(worker_database: Database, tenant: uuid.UUID) -> None:
    jobs = [JOBS[handler.__name__] for handlers in FLOW.values() for handler in handlers]
    assert {(job.queue, job.stoppable) for job in jobs} == {(QUEUE, False)}
    assert JOBS["append_label"].words() == "when it happened: alert resolved"
    with worker_database.transaction(tenant, ANA) as tx:
        deliver(tx, [FACT])
        [run] = runs.under_way(tx)
        with pytest.raises(job_desk.NotForPeople, match="cannot be stopped"):
            job_desk.cancel(tx, run.id)


def test_labels_that_wait_are_gathered_in_their_order_and_none_is_lost(
    database_url: str, worker_database: Database, tenant: uuid.UUID, tmp_path: Path
) -> None:
    settings = Settings(data_dir=str(tmp_path))
    reader = lake.LakeReader(database_url, settings)
    runner = Runner(Ground(worker_database, database_url, settings), JOBS)
    database = Database(database_url, API, connections=1, deliver=deliver)
    events = [f"e{number}" for number in range(5)]
    for event in events:
        with database.transaction(tenant, ANA) as tx:
            tx.record(msgspec.structs.replace(FACT, event_id=event))
    database.close()
    (tmp_path / "lake").write_text("not a folder")
    first = _do_first(runner, worker_database, tenant)
    failed, *waiting = _runs(worker_database, tenant)
    assert (failed.id, failed.state, failed.attempts) == (first, RunState.QUEUED, 1)
    assert "lake" in failed.error
    assert len(waiting) == len(events) - 1
    (tmp_path / "lake").unlink()
    second = _do_first(runner, worker_database, tenant)
    with worker_database.transaction(tenant, ANA) as tx:
        [done] = runs.page(tx, RunFilter(job="append_label"), 10)
    assert (done.id, done.state, done.counts) == (second, RunState.SUCCEEDED, {"facts": len(events)})
    labelled = [row["event_id"] for row in reader.read(tenant, "select event_id from labels").to_pylist()]
    assert sorted(labelled) == events
    reader.close()


def test_a_fact_of_a_failed_transaction_wakes_nobody(database_url: str, tenant: uuid.UUID) -> None:
    database = Database(database_url, API, connections=1, deliver=deliver)

    def record_and_fail() -> None:
        with database.transaction(tenant, ANA) as tx:
            tx.record(FACT)
            raise RuntimeError("after recording")

    with pytest.raises(RuntimeError, match="after recording"):
        record_and_fail()
    assert _runs(database, tenant) == []
    database.close()
