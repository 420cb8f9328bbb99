"""Rows of the event log that a consumer failed on: how often, and those that were set aside so that it could go on."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.kit.db import Connection, tenant_transaction
from finer.kit.log import LogRow
from finer.kit.tables import log_failures
from finer.kit.tx import Tx

Place = tuple[str, int, int]
"""Stream, partition and base offset of a row of the log."""

_NOTE = """
insert into kit_log_failures as f (tenant_id, stream, partition, base_offset, count, header, error, tries, failed_at)
values (%s, %s, %s, %s, %s, %s, %s, 1, clock_timestamp())
on conflict (tenant_id, stream, partition, base_offset) do update
set tries = f.tries + 1, error = excluded.error, failed_at = excluded.failed_at
"""


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was taken out of the log, whole."""

    stream: str
    partition: int
    base_offset: int
    count: int
    header: str
    error: str
    tries: int
    set_aside_at: datetime


def place_of(row: LogRow) -> Place:
    """Where a row stands in the log."""
    return row.stream, row.partition, row.base_offset


def note_failure(connection: Connection, rows: Sequence[LogRow], error: str) -> None:
    """Count one more failed try of each row, durable at once. The rows are of one tenant."""
    with tenant_transaction(connection, rows[0].tenant):
        for row in rows:
            connection.execute(_NOTE, (row.tenant, *place_of(row), row.count, row.header, error))


def tries(connection: Connection) -> dict[Place, int]:
    """How often each row that is still in the log has failed; for the worker, of all tenants."""
    found = connection.execute(
        "select stream, partition, base_offset, tries from kit_log_failures where set_aside_at is null"
    )
    return {(stream, partition, base): count for stream, partition, base, count in found}


def set_aside_lately(connection: Connection) -> int:
    """How many rows of all tenants were set aside within the last hour; for the worker."""
    row = connection.execute(
        "select count(*) from kit_log_failures where set_aside_at > clock_timestamp() - interval '1 hour'"
    ).fetchone()
    return 0 if row is None else int(row[0])


def set_aside_counts(connection: Connection) -> dict[uuid.UUID, tuple[int, int]]:
    """(rows, records) that are set aside, by tenant."""
    found = connection.execute("select tenant_id, log_rows, records from kit_log_set_aside_counts()").fetchall()
    return {tenant: (int(rows), int(records)) for tenant, rows, records in found}


def set_aside(tx: Tx, row: LogRow) -> None:
    """Move a row whose failures were noted out of the log; nothing of it is lost."""
    tx.write("select kit_log_set_aside(%s, %s, %s, %s)", (row.tenant, *place_of(row)))


def list_set_aside(tx: Tx) -> list[SetAside]:
    """What of this tenant is set aside, in the order of the log."""
    query = sa.select(*(log_failures.c[name] for name in SetAside.__struct_fields__)).where(*_mine(tx))
    order = (log_failures.c.stream, log_failures.c.partition, log_failures.c.base_offset)
    return [SetAside(**row._mapping) for row in tx.connection.execute(query.order_by(*order))]


def put_back(tx: Tx, one: SetAside) -> int | None:
    """Append a row that was set aside to the log again; its new base offset, None when somebody else was quicker."""
    same = (
        log_failures.c.stream == one.stream,
        log_failures.c.partition == one.partition,
        log_failures.c.base_offset == one.base_offset,
    )
    gone = log_failures.delete().where(*_mine(tx), *same).returning(log_failures.c.payload)
    payload = tx.connection.execute(gone).scalar_one_or_none()
    if payload is None:
        return None
    placed = tx.connection.exec_driver_sql(
        "select kit_log_append(%s, %s, %s, %s, %s, %s)",
        (one.stream, one.partition, tx.tenant, one.header, one.count, payload),
    )
    return int(placed.scalar_one())


def _mine(tx: Tx) -> tuple[sa.ColumnElement[bool], ...]:
    conditions: tuple[Any, ...] = (log_failures.c.tenant_id == tx.tenant, log_failures.c.set_aside_at.is_not(None))
    return conditions
