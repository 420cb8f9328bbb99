"""Durable jobs: a job exists if and only if the transaction that asked for it commits (procrastinate, PostgreSQL)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from finer.kit.tx import Tx

_DEFER = (
    "select procrastinate_defer_jobs_v1(array_agg(row(%s, %s, 0, %s, null, about, %s::timestamptz)"
    "::procrastinate_job_to_defer_v1 order by place)) from unnest(%s::jsonb[]) with ordinality as job(about, place)"
)

# The first of the states of a job is that of one that waits.
_TAKE = """
with taken as (
  delete from procrastinate_jobs where id in (
    select id from procrastinate_jobs where task_name = %s and lock = %s and status = enum_first(status)
    order by id limit %s for update skip locked)
  returning id, args)
select args from taken order by id
"""


def defer(
    tx: Tx,
    task: str,
    arguments: dict[str, Any],
    *,
    queue: str = "default",
    lock: str | None = None,
    at: datetime | None = None,
) -> None:
    """Ask for a job in the caller's transaction. Jobs of one `lock` run one after the other."""
    payload = msgspec.json.encode(arguments).decode()
    tx.connection.exec_driver_sql(_DEFER, (queue, task, lock, at, [payload]))


def defer_each(tx: Tx, task: str, arguments: Sequence[dict[str, Any]], *, queue: str, lock: str) -> None:
    """Ask for a job for each of `arguments`, in their order and in one statement; they run one after the other."""
    payloads = [msgspec.json.encode(one).decode() for one in arguments]
    tx.connection.exec_driver_sql(_DEFER, (queue, task, lock, None, payloads))


def take_waiting(tx: Tx, task: str, lock: str, limit: int) -> list[dict[str, Any]]:
    """The arguments of up to `limit` jobs that wait for their turn, in their order, for a job that does their work too.

    They are gone when, and only when, the caller's transaction commits.
    """
    return list(tx.connection.exec_driver_sql(_TAKE, (task, lock, limit)).scalars())
