"""A job exists if and only if the transaction that asked for it was committed."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from finer.kit.actors import SYSTEM
from finer.kit.db import Database
from finer.kit.jobs import defer


def _jobs(database_url: str, task: str) -> list[dict[str, Any]]:
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        return connection.execute(
            "select * from procrastinate_jobs where task_name = %s order by id", (task,)
        ).fetchall()


def test_a_job_is_there_after_the_commit(database: Database, database_url: str, tenant: uuid.UUID) -> None:
    task = f"task-{tenant}"
    with database.transaction(tenant, SYSTEM) as tx:
        defer(tx, task, {"name": "Zoë", "amount": 7}, queue="facts", lock="one by one")
        assert _jobs(database_url, task) == []
    (job,) = _jobs(database_url, task)
    assert job["args"] == {"name": "Zoë", "amount": 7}
    assert (job["queue_name"], job["lock"], job["status"], job["attempts"]) == ("facts", "one by one", "todo", 0)


def test_a_rolled_back_transaction_leaves_no_job(database: Database, database_url: str, tenant: uuid.UUID) -> None:
    task = f"task-{tenant}"

    def ask_and_fail() -> None:
        with database.transaction(tenant, SYSTEM) as tx:
            defer(tx, task, {})
            raise RuntimeError("after asking")

    with pytest.raises(RuntimeError, match="after asking"):
        ask_and_fail()
    assert _jobs(database_url, task) == []


def test_a_job_can_wait_for_its_time(database: Database, database_url: str, tenant: uuid.UUID) -> None:
    task = f"task-{tenant}"
    at = database.clock.now() + timedelta(days=1)
    with database.transaction(tenant, SYSTEM) as tx:
        defer(tx, task, {}, at=at)
    assert [job["scheduled_at"] for job in _jobs(database_url, task)] == [at]
