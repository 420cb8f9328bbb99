"""What dashboards show that no batch of records tells: asked or read by jobs, and kept for all who look."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from finer.app.job_types import Ground
from finer.kit.actors import SYSTEM
from finer.kit.runs import Counts, Run
from finer.operations.service import behaviour, executive, gauges, orders
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.service import lake as warehouse

_Rows: TypeAlias = list[dict[str, Any]]
_OF_LATE_S = 120.0
"""A table whose newest row is older says nothing of how long rows take into it now."""


def age_orders(ground: Ground, run: Run) -> Counts:
    """Look for orders that wait for too long."""
    with ground.database.transaction(run.tenant, SYSTEM, read_only=True) as tx:
        if not orders.has_orders(tx):
            return {"stuck": 0}
    try:
        with _lake(ground, run.tenant) as read:
            found = orders.look_at_ages(ground.database.clock.now(), read)
    except LakeEmpty:
        return {"stuck": 0}  # the first orders are on their way
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        return {"stuck": orders.keep_ages(tx, found)}


def measure_outcomes(ground: Ground, run: Run) -> Counts:
    """Look what became of the payments of the last half year."""
    with ground.database.transaction(run.tenant, SYSTEM, read_only=True) as tx:
        about = executive.to_be_measured(tx)
    with _lake(ground, run.tenant) as read:

        def rows(_tenant: uuid.UUID, statement: str, given: dict[str, Any]) -> _Rows | None:
            try:
                return read(statement, given)
            except LakeEmpty:
                return None

        found = executive.measure_outcomes(ground.database.clock.now(), about, rows)
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        return {"days": executive.keep_outcomes(tx, found)}


def count_sessions(ground: Ground, run: Run) -> Counts:
    """Count the sessions of the last days, or of the day that the run names."""
    with ground.database.transaction(run.tenant, SYSTEM, read_only=True) as tx:
        asked = behaviour.sessions_to_count(tx, run.day)
    try:
        with _lake(ground, run.tenant) as read:
            found = behaviour.count_sessions(asked, read)
    except LakeEmpty:
        return {"sessions": 0}  # nobody has done anything yet
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        return behaviour.keep_sessions(tx, asked, found)


def take_gauges(ground: Ground, run: Run) -> Counts:
    """Read how the firm's part of the system does."""
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        begun = time.monotonic()
        tables = warehouse.freshness(tx)
        database_ms = (time.monotonic() - begun) * 1000
        delays = {one.table: one.delay_s for one in tables if one.seconds is not None and one.seconds < _OF_LATE_S}
        return {"readings": gauges.take(tx, delays, database_ms)}


@contextmanager
def _lake(ground: Ground, tenant: uuid.UUID) -> Iterator[Callable[[str, dict[str, Any]], _Rows]]:
    """Asks a firm's lake, and takes little from those who work.

    No transaction is open meanwhile: the database ends one that is idle for a minute, and a lake may take longer.
    """
    reader = warehouse.LakeReader(ground.url, ground.settings, memory_mb=512, threads=1)
    try:
        yield lambda statement, given: reader.read(tenant, statement, given).to_pylist()
    finally:
        reader.close()
