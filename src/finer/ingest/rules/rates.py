"""Latencies as counts per bucket, and the percentiles that they tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
BOUNDS_MS: Array = 0.25 * 1.2 ** np.arange(72)
"""Upper bounds of all buckets but the last, in milliseconds: 0.25 ms to 105 s, each a fifth above the former."""


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
