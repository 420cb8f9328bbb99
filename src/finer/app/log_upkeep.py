"""The log's partitions, one a day: made ahead of time, dropped when nobody needs what is in them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from finer.ingest.types.receipts import READER
from finer.kit.db import WORKER, connect
from finer.kit.log import Position, PostgresLog
from finer.kit.log_days import add_day, drop_days, first_kept
from finer.operations.service import rollups

_log = structlog.get_logger(__name__)
_PARTITIONS_AHEAD_DAYS = 3


def prepare_log(url: str, now: datetime) -> None:
    """Make the log's partitions of the days from `now` on; doing it again changes nothing.

    A day whose records came before its partition was made, because nothing made it for days, stays where they are, in
    the partition for everything else, which is never dropped.
    """
    with connect(url, WORKER, name="finer-jobs") as connection:
        for ahead in range(_PARTITIONS_AHEAD_DAYS):
            day = now.date() + timedelta(days=ahead)
            if not add_day(connection, day):
                _log.warning("records of this day came before its log partition was made", day=str(day))


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
