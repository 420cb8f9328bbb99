"""What is read of a firm's part of the system once a minute, so that there is a history of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from finer.ingest.service import contracts, receipts
from finer.ingest.types.receipts import READER
from finer.kit import runs
from finer.kit.tx import Tx
from finer.operations.rules.goals import FRESH_S
from finer.operations.rules.spans import KEPT
from finer.operations.service.rollups import behind_since
from finer.operations.store.gauges import GaugeStore
from finer.operations.types.sums import HOUR_S, MINUTE_S
from finer.operations.types.system import Gauge

JOB = "take_gauges"
DELAY, LATE = "lake_delay_s", "lake_late"
"""How many seconds records take into each table of the lake, and 1 when any of them takes too long, 0 otherwise."""
WAITING = "waiting_s"
"""For how many seconds the firm's oldest records wait at each stage; 0 while it keeps up."""
JOBS = "jobs_waiting"
DATABASE = "database_ms"
"""How long the database takes to answer a question about the firm."""
_KEEPS_UP = timedelta(seconds=5)
_HOURS_KEPT = timedelta(days=400)


def take(tx: Tx, delays_s: Mapping[str, float], database_ms: float) -> int:
    """Keep what is read of the firm's part of the system now; returns how many readings.

    `delays_s` are the seconds that records take into tables of the lake, of those tables alone that got some of late.
    """
    read = [Gauge(DELAY, table, delay_s) for table, delay_s in sorted(delays_s.items())]
    if read:
        read.append(Gauge(LATE, "", float(max(delays_s.values()) > FRESH_S)))
    read += [Gauge(WAITING, stage, waiting_s) for stage, waiting_s in waiting(tx).items()]
    read += [Gauge(JOBS, "", float(len(runs.under_way(tx)))), Gauge(DATABASE, "", database_ms)]
    GaugeStore(tx).add(tx.now(), read, (MINUTE_S, HOUR_S))
    return len(read)


def waiting(tx: Tx) -> dict[str, float]:
    """For how many seconds the firm's oldest records wait to be decided and to be summed up; 0 where all is done."""
    since = {
        "decided": receipts.waiting_since(tx, READER, sorted(contracts.load(tx).current), _KEEPS_UP),
        "sums": behind_since(tx),
    }
    return {stage: 0.0 if at is None else (tx.now() - at).total_seconds() for stage, at in since.items()}


def forget_old(tx: Tx) -> int:
    """Delete readings that have had their time: of minutes after two days, of hours after 400."""
    now = tx.now()
    return GaugeStore(tx).forget({MINUTE_S: now - KEPT[MINUTE_S], HOUR_S: now - _HOURS_KEPT})
