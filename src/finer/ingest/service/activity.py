"""How much came in and how fast, counted as it happens."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from finer.ingest.rules.columns import Array
from finer.ingest.rules.rates import RECENT, activity_of, histogram
from finer.ingest.service.contracts import load
from finer.ingest.store.rollups import RollupStore
from finer.ingest.types.receipts import Activity
from finer.kit.moments import EPOCH, microseconds
from finer.kit.tx import Tx


def record_processed(tx: Tx, stream: str, received_us: Array, status: Array) -> None:
    """Count what a worker has just finished: records, those seen before, and the time since they arrived."""
    now = tx.now()
    again = int(np.count_nonzero(status))
    waited_ms = (microseconds(now) - received_us) / 1000.0
    RollupStore(tx).add_rollup(
        stream, "worker", now, accepted=len(status) - again, duplicates=again, latency=histogram(waited_ms)
    )


def activity(tx: Tx) -> Activity:
    """Counts by contract of the last 24 hours, and throughput and latency of the last five minutes."""
    now = tx.now()
    store = RollupStore(tx)
    return activity_of(now, load(tx).current, store.buckets(now - RECENT), store.counts(now - timedelta(hours=24)))


def accepted_by_contract(tx: Tx) -> dict[str, int]:
    """Records of each contract that the pipeline has finished and that were no duplicates, since the beginning."""
    return {row[0]: row[2] for row in RollupStore(tx).counts(EPOCH) if row[2]}
