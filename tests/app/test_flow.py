"""Facts become one durable job per handler, and a job finds its handler and its fact again."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from finer.app.flow import FLOW, deliver, find, handler_name
from finer.facts.decisions import AlertResolved
from finer.kit.actors import Actor
from finer.kit.db import API, Database

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
