"""Facts become one durable job per handler, and a job finds its handler and its fact again."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from finer.app.flow import FLOW, deliver, find, handle, handler_name
from finer.facts.decisions import AlertResolved
from finer.kit.actors import Actor
from finer.kit.db import API, Database
from finer.kit.jobs import take_waiting
from finer.kit.settings import Settings
from finer.warehouse.errors import LakeUnavailable
from finer.warehouse.service import lake

ANA = Actor(kind="user", id=str(uuid.uuid4()), name="Ana Cruz", role="risk_analyst")
FACT = AlertResolved(
    event_id="e1",
    occurred_at=datetime(2026, 6, 1, 12, tzinfo=UTC),
    verdict="confirmed_fraud",
    known_at=datetime(2026, 6, 1, 12, 5, 0, 123456, tzinfo=UTC),
    source="person",
)


def _arguments(database_url: str, tenant: uuid.UUID) -> list[dict[str, Any]]:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "select args from procrastinate_jobs where task_name = 'finer.handle_fact' and args->>'tenant' = %s",
            (str(tenant),),
        ).fetchall()
    return [row[0] for row in rows]


def test_names_tell_facts_and_handlers_apart() -> None:
    assert len({fact.name for fact in FLOW}) == len(FLOW)
    for fact, handlers in FLOW.items():
        assert re.fullmatch(rf"{fact.__module__.rsplit('.', 1)[-1]}\.[a-z_]+\.v\d+", fact.name)
        names = [handler_name(handler) for handler in handlers]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", name) for name in names)


def test_a_recorded_fact_becomes_a_job_per_handler_that_finds_back(database_url: str, tenant: uuid.UUID) -> None:
    database = Database(database_url, API, connections=1, deliver=deliver)
    with database.transaction(tenant, ANA) as tx:
        tx.record(FACT)
    database.close()
    found = []
    for arguments in _arguments(database_url, tenant):
        handler, fact, actor = find(arguments["fact"], arguments["handler"], arguments["body"], arguments["actor"])
        assert (fact, actor) == (FACT, ANA)
        found.append(handler)
    assert found == list(FLOW[AlertResolved])


def _handle_first(database: Database, reader: lake.LakeReader, access: lake.LakeAccess, tenant: uuid.UUID) -> list[str]:
    """Do what the first job of this tenant asks for; returns the events that have labels then, in their order."""
    with database.transaction(tenant, ANA) as tx:
        [job] = take_waiting(tx, "finer.handle_fact", f"warehouse.append_label:{tenant}", 1)
        handler, fact, _ = find(job["fact"], job["handler"], job["body"], job["actor"])
        handle(tx, handler, fact, access)
    return [row["event_id"] for row in reader.read(tenant, "select event_id from labels").to_pylist()]


def test_labels_that_wait_are_gathered_in_their_order_and_none_is_lost(
    database_url: str, worker_database: Database, tenant: uuid.UUID, tmp_path: Path
) -> None:
    settings = Settings(data_dir=str(tmp_path))
    access, reader = lake.LakeAccess(database_url, settings), lake.LakeReader(database_url, settings)
    database = Database(database_url, API, connections=1, deliver=deliver)
    events = [f"e{number}" for number in range(5)]
    for event in events:
        with database.transaction(tenant, ANA) as tx:
            tx.record(msgspec.structs.replace(FACT, event_id=event))
    database.close()
    (tmp_path / "lake").write_text("not a folder")
    with pytest.raises(LakeUnavailable):
        _handle_first(worker_database, reader, access, tenant)
    assert len(_arguments(database_url, tenant)) == len(events)
    (tmp_path / "lake").unlink()
    assert _handle_first(worker_database, reader, access, tenant) == events
    assert _arguments(database_url, tenant) == []
    reader.close()


def test_a_fact_of_a_failed_transaction_wakes_nobody(database_url: str, tenant: uuid.UUID) -> None:
    database = Database(database_url, API, connections=1, deliver=deliver)

    def record_and_fail() -> None:
        with database.transaction(tenant, ANA) as tx:
            tx.record(FACT)
            raise RuntimeError("after recording")

    with pytest.raises(RuntimeError, match="after recording"):
        record_and_fail()
    database.close()
    assert _arguments(database_url, tenant) == []
