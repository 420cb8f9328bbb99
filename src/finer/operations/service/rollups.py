"""Sums of the firm's records: what a batch adds to the minutes, hours and days in which its records happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from finer.ingest.service import receipts
from finer.kit.columns import Columns
from finer.kit.log import Position
from finer.kit.tx import Tx
from finer.operations.rules.grouping import MEASURED, group
from finer.operations.rules.spans import kept_since
from finer.operations.store.rollups import RollupStore
from finer.operations.types import DAY_S, Array

CHANNEL = "finer_operations"
"""Notified with the tenant's id whenever sums have changed."""
CONSUMER = "rollups"
"""The consumer of the event log that keeps the sums; it follows the pipeline."""
SUMMED_UP = frozenset(MEASURED)
"""The contracts whose records are summed up."""
_KEEPS_UP = timedelta(seconds=5)
"""Sums that hold everything older than this keep up: ten times what they usually are behind."""
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


def begin(tx: Tx, position: Position, offset: int) -> None:
    """Note that sums hold the records of a stream from this offset on; only the first call says something."""
    RollupStore(tx).begin(*position, offset)


def add(tx: Tx, contract: str, columns: Columns, fresh: Array) -> int:
    """Add records to the sums; returns to how many. `fresh`, shape (rows,), bool: seen for the first time.

    Call it in the transaction that moves the consumer. A late record counts in the minute in which it happened, unless
    minutes of then are not kept any more.
    """
    groups = group(columns, MEASURED[contract], fresh)
    if groups is None:
        return 0
    RollupStore(tx).add(contract, groups, {**kept_since(tx.now()), DAY_S: _ALWAYS})
    tx.notify(CHANNEL, [str(tx.tenant)])
    return len(groups.minutes)


def behind_since(tx: Tx) -> datetime | None:
    """When the firm's oldest records came that its sums do not hold yet; None while they keep up."""
    return receipts.waiting_since(tx, CONSUMER, sorted(SUMMED_UP), _KEEPS_UP)


def forget_old(tx: Tx) -> int:
    """Delete sums of minutes and hours that have had their time; those of days stay."""
    return RollupStore(tx).forget(kept_since(tx.now()))
