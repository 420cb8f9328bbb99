"""Durable jobs: a job exists if and only if the transaction that asked for it commits (procrastinate, PostgreSQL)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from finer.kit.tx import Tx

_DEFER = (
    "select procrastinate_defer_jobs_v1(array[row(%s, %s, 0, %s, %s, %s::jsonb, %s::timestamptz)]"
    "::procrastinate_job_to_defer_v1[])"
)


def defer(
    tx: Tx,
    task: str,
    arguments: dict[str, Any],
    *,
    queue: str = "default",
    lock: str | None = None,
    queueing_lock: str | None = None,
    at: datetime | None = None,
) -> None:
    """Ask for a job in the caller's transaction. Jobs of one `lock` run one after the other."""
    payload = msgspec.json.encode(arguments).decode()
    tx.connection.exec_driver_sql(_DEFER, (queue, task, lock, queueing_lock, payload, at))
