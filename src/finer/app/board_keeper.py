"""What dashboards show that no batch of records tells: asked or read by jobs, and kept for all who look."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from finer.app.job_types import Ground
from finer.kit.actors import SYSTEM
from finer.kit.runs import Counts, Run
from finer.operations.service import behaviour, executive, gauges, orders
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.service import lake as warehouse

_OF_LATE_S = 120.0
"""A table whose newest row is older says nothing of how long rows take into it now."""


def age_orders(ground: Ground, run: Run) -> Counts:
    """Look for orders that wait for too long."""
    with ground.database.transaction(run.tenant, SYSTEM) as tx, _lake(ground) as reader:
        if not orders.has_orders(tx):
            return {"stuck": 0}
        try:
            return {
                "stuck": orders.look_at_ages(tx, lambda query, given: reader.read(run.tenant, query, given).to_pylist())
            }
        except LakeEmpty:
            return {"stuck": 0}  # the first orders are on their way


def measure_outcomes(ground: Ground, run: Run) -> Counts:
    """Look what became of the payments of the last half year."""
    with ground.database.transaction(run.tenant, SYSTEM) as tx, _lake(ground) as reader:

        def read(tenant: uuid.UUID, statement: str, given: dict[str, Any]) -> list[dict[str, Any]] | None:
            try:
                rows: list[dict[str, Any]] = reader.read(tenant, statement, given).to_pylist()
            except LakeEmpty:
                return None
            return rows

        return {"days": executive.measure_outcomes(tx, read)}


def count_sessions(ground: Ground, run: Run) -> Counts:
    """Count the sessions of the last days."""
    with ground.database.transaction(run.tenant, SYSTEM) as tx, _lake(ground) as reader:
        try:
            return {
                "sessions": behaviour.count_sessions(
                    tx, lambda query, given: reader.read(run.tenant, query, given).to_pylist()
                )
            }
        except LakeEmpty:
            return {"sessions": 0}  # nobody has done anything yet


def take_gauges(ground: Ground, run: Run) -> Counts:
    """Read how the firm's part of the system does."""
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        begun = time.monotonic()
        tables = warehouse.freshness(tx)
        database_ms = (time.monotonic() - begun) * 1000
        delays = {one.table: one.delay_s for one in tables if one.seconds is not None and one.seconds < _OF_LATE_S}
        return {"readings": gauges.take(tx, delays, database_ms)}


@contextmanager
def _lake(ground: Ground) -> Iterator[warehouse.LakeReader]:
    """A reader that takes little from those who work."""
    reader = warehouse.LakeReader(ground.url, ground.settings, memory_mb=512, threads=1)
    try:
        yield reader
    finally:
        reader.close()
