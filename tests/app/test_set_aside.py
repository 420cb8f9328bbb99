"""What the worker counts as the fault of a row, and how many rows it gives up."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest

from finer.app.set_aside import AN_HOUR_MAX, TRIES_MAX, Failures
from finer.app.worker import _groups
from finer.kit.db import WORKER, Connection, Database, connect
from finer.kit.errors import Conflict, Unavailable
from finer.kit.log import LogRow

STREAM = "set-aside"


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url, WORKER) as found:
        yield found
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("delete from kit_log_failures where stream = %s", (STREAM,))


def _row(tenant: uuid.UUID, base: int, count: int = 10) -> LogRow:
    return LogRow(STREAM, 0, base, count, tenant, "h", 0, b"")


def test_only_what_may_be_the_rows_fault_is_counted(
    connection: Connection, worker_database: Database, tenant: uuid.UUID
) -> None:
    row = _row(tenant, 0)
    failures = Failures(connection, worker_database)
    for error in (psycopg.OperationalError("gone"), Conflict("late"), Unavailable("no lake"), MemoryError()):
        failures.note([row], error)
    failures.recall()
    assert not failures.alone(row)
    for tried in range(TRIES_MAX):
        assert not failures.hopeless(row)
        failures.note([row, _row(tenant, 10)], ValueError("4929 1234 1234 1234"))
        failures.recall()
        assert failures.alone(row)
        assert failures.hopeless(row) is (tried + 1 == TRIES_MAX)
    with psycopg.connect(connection.info.dsn, autocommit=True) as again:
        says = again.execute("select string_agg(error, '') from kit_log_failures where stream = %s", (STREAM,))
        assert says.fetchone() == ("ValueErrorValueError",)  # what an error quotes may be of a person


def test_a_fault_that_meets_every_row_does_not_empty_the_log(
    connection: Connection, database_url: str, worker_database: Database, tenant: uuid.UUID
) -> None:
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(
            "insert into kit_log_failures (tenant_id, stream, partition, base_offset, count, header, error, tries, "
            "failed_at, set_aside_at, payload) select %s, %s, 0, n, 1, 'h', 'e', 3, now(), now(), '' "
            "from generate_series(1, %s) n",
            (tenant, STREAM, AN_HOUR_MAX),
        )
    with pytest.raises(Unavailable, match="the fault is hardly theirs"):
        Failures(connection, worker_database).set_aside(_row(tenant, 500), 500)


def test_groups_end_where_a_row_failed_and_where_one_was_taken_out(tenant: uuid.UUID) -> None:
    rows = [_row(tenant, base) for base in (0, 10, 20, 30, 50, 60)]
    groups = _groups(rows, 1_000, lambda _: False, lambda row: row.base_offset == 20)
    assert [[row.base_offset for row in group] for group in groups] == [[0, 10], [20], [30], [50, 60]]
    assert [len(group) for group in _groups(rows[:4], 1_000, lambda _: False, lambda _: False)] == [4]
