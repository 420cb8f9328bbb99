"""The event log by days: each day is a table partition of its own, made ahead and dropped as a whole."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from finer.kit.log import Position  # with it comes Arrow, which whoever only makes a partition never needs

_ROWS_ARE_ELSEWHERE = "23514"  # check_violation: rows of the default partition belong to the new one


def add_day(connection: psycopg.Connection, day: date) -> bool:
    """Make the partition of a day, unless it is there.

    False when records of that day came before it: they stay in the partition for everything else.
    """
    try:
        connection.execute("select kit_log_add_partition(%s)", (day,))
    except psycopg.Error as error:
        if error.sqlstate != _ROWS_ARE_ELSEWHERE:
            raise
        return False
    return True


def drop_days(connection: psycopg.Connection, before: date) -> int:
    """Drop the partitions of all days before `before`, whatever is in them; returns how many."""
    row = connection.execute("select kit_log_drop_partitions(%s)", (before,)).fetchone()
    return 0 if row is None else int(row[0])


def first_kept(connection: psycopg.Connection, tenant: uuid.UUID, position: Position, reached: int) -> datetime | None:
    """When a tenant's first record at or after the offset `reached` was appended; None without one."""
    row = connection.execute(
        "select min(appended_at) from kit_log where tenant_id = %s and stream = %s and partition = %s "
        "and base_offset + count > %s",
        (tenant, *position, reached),
    ).fetchone()
    return None if row is None else row[0]
