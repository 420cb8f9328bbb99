"""Throughput, and latencies as counts per bucket with the percentiles that they tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from finer.ingest.types.receipts import Activity, ContractCounts, Latency, Throughput

Array = np.ndarray[Any, np.dtype[Any]]
BOUNDS_MS: Array = 0.25 * 1.2 ** np.arange(72)
"""Upper bounds of all buckets but the last, in milliseconds: 0.25 ms to 105 s, each a fifth above the former."""

RECENT = timedelta(minutes=5)
_BUCKET = timedelta(seconds=5)


def histogram(latencies_ms: Array) -> list[int]:
    """How many latencies fall in each of the 73 buckets."""
    places = np.searchsorted(BOUNDS_MS, np.maximum(latencies_ms, 0.0))
    return [int(count) for count in np.bincount(places, minlength=len(BOUNDS_MS) + 1)]


def percentile(counts: Sequence[int] | Array, share: float) -> float | None:
    """The latency in milliseconds below which `share` of them lie, interpolated in its bucket; None without any."""
    found = np.asarray(counts, np.float64)
    total = found.sum() if found.size else 0.0
    if total == 0:
        return None
    summed = np.cumsum(found)
    place = int(np.searchsorted(summed, share * total))
    place = min(place, len(BOUNDS_MS))
    low = 0.0 if place == 0 else float(BOUNDS_MS[place - 1])
    high = float(BOUNDS_MS[min(place, len(BOUNDS_MS) - 1)])
    before = 0.0 if place == 0 else float(summed[place - 1])
    inside = (share * total - before) / found[place] if found[place] else 0.0
    return float(round(low + (high - low) * inside, 3))


def latency_of(histograms: Iterable[Sequence[int] | Array]) -> Latency:
    """The percentiles of all latencies of some histograms together; an empty one holds none."""
    whole: Array = np.zeros(len(BOUNDS_MS) + 1, np.int64)
    for counts in histograms:
        whole = whole + np.asarray(counts, np.int64) if len(counts) else whole
    return Latency(*(percentile(whole, share) for share in (0.5, 0.95, 0.99)))


def activity_of(now: datetime, contracts: Iterable[str], buckets: Iterable[Any], counts: Iterable[Any]) -> Activity:
    """What came in, in the order of `contracts`.

    `buckets` are rows (contract, bucket, accepted, latency) of the last minutes, `counts` rows (contract, received,
    accepted, duplicate, quarantined, released, last moment) of the last day. The present bucket is not over yet, so
    that it counts in no rate: that of a contract is of the two buckets before it.
    """
    rates: dict[str, float] = {}
    per_bucket: dict[datetime, int] = {}
    waits: list[Sequence[int]] = []
    for name, bucket, accepted, waited in buckets:
        if bucket + _BUCKET <= now:
            per_bucket[bucket] = per_bucket.get(bucket, 0) + accepted
        if now - 3 * _BUCKET <= bucket < now - _BUCKET:
            rates[name] = rates.get(name, 0.0) + accepted / (2 * _BUCKET.total_seconds())
        waits.append(waited)
    found = {row[0]: row for row in counts}
    return Activity(
        contracts=[_counts(found.get(name, (name, 0, 0, 0, 0, 0, None)), rates.get(name, 0.0)) for name in contracts],
        throughput=[
            Throughput(bucket, count / _BUCKET.total_seconds()) for bucket, count in sorted(per_bucket.items())
        ],
        latency=latency_of(waits),
    )


def _counts(row: Any, rate: float) -> ContractCounts:
    contract, received, accepted, duplicate, quarantined, released, last_event_at = row
    return ContractCounts(
        contract=contract,
        received=received,
        accepted=accepted,
        duplicate=duplicate,
        quarantined=quarantined,
        released=released,
        accepted_per_s=round(rate, 1),
        last_event_at=last_event_at,
    )
