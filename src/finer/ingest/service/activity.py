"""How much came in and how fast, counted as it happens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from finer.ingest.rules.columns import Array
from finer.ingest.rules.rates import RECENT, activity_of, histogram, latency_of
from finer.ingest.service.contracts import load
from finer.ingest.store.rollups import LIVE, LOADED, RollupStore
from finer.ingest.types.receipts import READER, Activity, Latency, PassedCount, StepCount, WaitedCount
from finer.kit.log import PostgresLog
from finer.kit.moments import EPOCH, microseconds
from finer.kit.tx import Tx

_LIVE_US = 5 * 60 * 1_000_000
"""What came at most this long after it had happened came live; whatever is older was loaded later."""


def record_processed(tx: Tx, stream: str, occurred_us: Array, received_us: Array, status: Array) -> None:
    """Count what a worker has just finished: records, those seen before, and the time since they arrived.

    What came live is counted apart from what was loaded later, which waits behind much of its own kind.
    """
    now = tx.now()
    waited_ms = (microseconds(now) - received_us) / 1000.0
    late = received_us - occurred_us > _LIVE_US
    for writer, rows in ((LIVE, ~late), (LOADED, late)):
        count = int(np.count_nonzero(rows))
        if count:
            again = int(np.count_nonzero(status[rows]))
            waited = histogram(waited_ms[rows])
            RollupStore(tx).add_rollup(stream, writer, now, accepted=count - again, duplicates=again, latency=waited)


def activity(tx: Tx) -> Activity:
    """Counts by contract of the last 24 hours, and throughput and latency of the last five minutes."""
    now = tx.now()
    store = RollupStore(tx)
    return activity_of(now, load(tx).current, store.buckets(now - RECENT), store.counts(now - timedelta(hours=24)))


def accepted_by_contract(tx: Tx) -> dict[str, int]:
    """Records of each contract that the pipeline has finished and that were no duplicates, since the beginning."""
    return {row[0]: row[2] for row in RollupStore(tx).counts(EPOCH) if row[2]}


def counts_by_step(tx: Tx, since: datetime, until: datetime, step_s: int) -> list[StepCount]:
    """What came in a span by contract and step of time.

    `step_s` is a multiple of an hour, or of five seconds when `since` is at most a day ago.
    """
    return [StepCount(*row) for row in RollupStore(tx).by_step(since, until, step_s)]


def waited_by_step(
    tx: Tx, since: datetime, until: datetime, step_s: int, contract: str | None = None, *, live: bool = False
) -> list[WaitedCount]:
    """How long records waited to be decided, by contract and step of time; the earliest first.

    `step_s` is a multiple of an hour, or of five seconds when `since` is at most a day ago. With `live` only of records
    that came within five minutes of what they tell of.
    """
    return [WaitedCount(*row) for row in RollupStore(tx).waited(since, until, step_s, contract, live=live)]


def latency_of_steps(steps: Iterable[WaitedCount]) -> Latency:
    """The percentiles of some steps together."""
    return latency_of(step.counts for step in steps)


def passed_since(tx: Tx, since: datetime, *, fine: bool = False) -> dict[str, PassedCount]:
    """Records by contract that came in from the hour of `since` on, and those that passed when they did.

    With `fine` from `since` itself on, which may be a day ago at most.
    """
    return {row[0]: PassedCount(since, row[1], row[2]) for row in RollupStore(tx).passed(since, fine=fine)}


def passed_by(
    tx: Tx, unit: Literal["hour", "day"], since: datetime, contract: str | None = None
) -> dict[str, list[PassedCount]]:
    """Like `passed_since`, hour by hour or day by day (UTC), the earliest first."""
    found: dict[str, list[PassedCount]] = {}
    for name, at, received, passed in RollupStore(tx).passed_by(unit, since, contract):
        found.setdefault(name, []).append(PassedCount(at, received, passed))
    return found


def is_behind(tx: Tx, contract: str) -> bool:
    """Whether records of this firm and contract wait in the event log for the pipeline; for the worker's role."""
    return PostgresLog.waits(tx.connection, tx.tenant, contract, READER)
