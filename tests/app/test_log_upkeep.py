"""The event log's days: made ahead, and dropped only when nobody needs what is in them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from finer.app.log_partitions import prepare_log
from finer.app.log_upkeep import trim_log
from finer.ingest.types.receipts import READER
from finer.kit.clock import SystemClock
from finer.kit.db import API, connect, tenant_transaction
from finer.kit.log import Position

STREAM = "upkeep"
DAY = datetime(2019, 3, 1, 12, tzinfo=UTC)
"""A day that no other test writes to, long past every retention."""


@pytest.fixture
def owner(database_url: str) -> Iterator[psycopg.Connection]:
    """The owner's connection; what the test put into the log is gone afterwards."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection
        connection.execute("drop table if exists kit_log_p_20190301, kit_log_p_20190302")
        for table in ("kit_log", "kit_log_heads", "kit_log_consumers"):
            connection.execute(f"delete from {table} where stream = '{STREAM}'")


def _old_record(owner: psycopg.Connection, tenant: uuid.UUID, offset: int, at: datetime) -> None:
    owner.execute("select kit_log_add_partition(%s)", (at.date(),))
    owner.execute(
        "insert into kit_log (stream, partition, base_offset, count, tenant_id, header, appended_at, payload) "
        "values (%s, 0, %s, 10, %s, 'x', %s, '')",
        (STREAM, offset, tenant, at),
    )


def _consumed(owner: psycopg.Connection, offset: int) -> None:
    owner.execute(
        "insert into kit_log_consumers (name, stream, partition, next_offset) values (%s, %s, 0, %s) "
        "on conflict (name, stream, partition) do update set next_offset = excluded.next_offset",
        (READER, STREAM, offset),
    )


def _kept(owner: psycopg.Connection) -> list[int]:
    rows = owner.execute("select base_offset from kit_log where stream = %s order by 1", (STREAM,)).fetchall()
    return [row[0] for row in rows]


def test_a_day_is_kept_until_it_is_decided_and_in_the_lake(
    database_url: str, owner: psycopg.Connection, tenant: uuid.UUID
) -> None:
    _old_record(owner, tenant, 0, DAY)
    _old_record(owner, tenant, 10, DAY + timedelta(days=1))
    before = DAY + timedelta(days=30)
    lake: dict[Position, int] = {}

    def in_lake(of: uuid.UUID) -> dict[Position, int]:
        return lake if of == tenant else {}

    trim_log(database_url, before, in_lake)
    assert _kept(owner) == [0, 10]
    _consumed(owner, 20)
    trim_log(database_url, before, in_lake)
    assert _kept(owner) == [0, 10]
    lake[STREAM, 0] = 10
    assert trim_log(database_url, before, in_lake) == 1
    assert _kept(owner) == [10]
    lake[STREAM, 0] = 20
    _consumed(owner, 15)
    trim_log(database_url, before, in_lake)
    assert _kept(owner) == [10]
    _consumed(owner, 20)
    assert trim_log(database_url, before, in_lake) == 1
    assert _kept(owner) == []


def test_a_young_day_is_kept_however_far_everything_is(
    database_url: str, owner: psycopg.Connection, tenant: uuid.UUID
) -> None:
    _old_record(owner, tenant, 0, DAY)
    _consumed(owner, 10)
    trim_log(database_url, DAY, lambda _: {(STREAM, 0): 10})
    assert _kept(owner) == [0]


def test_days_are_made_also_when_records_came_before_them(
    database_url: str, owner: psycopg.Connection, tenant: uuid.UUID
) -> None:
    with connect(database_url, API) as api, tenant_transaction(api, tenant):
        api.execute("select kit_log_append(%s, 0, %s, 'x', 10, '')", (STREAM, tenant))
    for _ in range(2):
        prepare_log(database_url, SystemClock().now())
    assert _kept(owner) == [0]
