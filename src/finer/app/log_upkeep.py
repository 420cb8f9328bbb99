"""The log's partitions, one a day: dropped when nobody needs what is in them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime

import structlog

from finer.fraud.service import forgotten
from finer.identity.service import tenants
from finer.ingest.types.receipts import READER
from finer.kit.actors import SYSTEM
from finer.kit.db import NO_TENANT, WORKER, Database, connect
from finer.kit.log import Position, PostgresLog
from finer.kit.log_days import drop_days, first_kept
from finer.operations.service import rollups

_log = structlog.get_logger(__name__)


def trim_log(url: str, before: datetime, in_lake: Callable[[uuid.UUID], dict[Position, int]]) -> int:
    """Drop the partitions of the days before that of `before`; returns how many.

    A record that the pipeline has not finished, that its tenant's lake does not hold (`in_lake` gives the next offset
    of each position there), or that no sum counts yet, keeps its day and all later ones, however old it is: its sender
    was told that it is safe.
    """
    with connect(url, WORKER, name="finer-jobs") as connection:
        consumed = PostgresLog.consumed(connection, READER)
        summed = PostgresLog.consumed(connection, rollups.CONSUMER)
        oldest = before
        for tenant, stream, partition, end in PostgresLog.tenant_ends(connection):
            position = (stream, partition)
            reached = min(consumed.get(position, 0), in_lake(tenant).get(position, 0))
            if stream in rollups.SUMMED_UP:
                reached = min(reached, summed.get(position, 0))
            if reached < end:
                waiting = first_kept(connection, tenant, position, reached)
                oldest = oldest if waiting is None else min(oldest, waiting)
        if oldest.date() < before.date():
            _log.error(
                "the log is kept for longer than it should be: records wait to be decided, stored or summed up",
                oldest=oldest.isoformat(),
            )
        return drop_days(connection, oldest.date())


def drop_forgotten(url: str, database: Database) -> int:
    """Delete what says whom the windows forgot, where the log holds no record from before; returns how many rows."""
    with connect(url, WORKER, name="finer-jobs") as connection:
        begins = PostgresLog.begins(connection, PostgresLog.consumed(connection, READER))
    with database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
        firms = tenants.list_tenants(tx)
    dropped = 0
    for firm in firms:
        with database.transaction(firm.id, SYSTEM) as tx:
            dropped += forgotten.drop(tx, begins)
    return dropped
