"""What a feature is read from, and what is kept over "ever"."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from finer.features.rules.arithmetic import add_square, sample_deviation
from finer.features.rules.memory import count_reference
from finer.features.rules.plan import (
    ABSENT,
    COUNT,
    DISTINCT,
    EXTREME,
    FIRST,
    NEVER,
    READ_DELAYED,
    READ_DELAYED_MEAN,
    READ_EVER,
    READ_EVER_SINCE,
    READ_EXTREME,
    READ_MEAN,
    READ_NUMBER,
    READ_PREVIOUS,
    READ_SINCE,
    READ_STDDEV,
    SQUARES,
    SUM,
)
from finer.features.rules.sliding import REFERENCES, value_key

Array = np.ndarray[Any, np.dtype[Any]]
Int = Any  # a word of 64 bits, which numba and NumPy name differently
Pointer = Any  # to words of 64 bits, except `links`: the pool again, in words of 32

EVER_COLUMNS, READ_COLUMNS = 5, 9
_MICRO = 1e-6
_NULL_BITS = int(np.array([np.nan]).view(np.int64)[0])


@nb.njit(nogil=True, inline="always")
def update_ever(
    i: Int, n: Int, r: Int, place: Int, t: Int, flags: Int, rows: Pointer, values: Pointer, seen: Pointer,
    seen_shift: np.uint64, meta: Pointer, ever: Pointer, n_ever: Int,
) -> None:  # fmt: skip
    """Add an event to the aggregates that have no window."""
    for a in range(n_ever):
        if (flags >> ever[EVER_COLUMNS * a + 3]) & 1:
            kind, word, source = ever[EVER_COLUMNS * a], r + ever[EVER_COLUMNS * a + 1], ever[EVER_COLUMNS * a + 2]
            if kind == COUNT:
                rows[word] += 1
            elif kind == SUM:
                rows[word] += values[source * n + i]
            elif kind == SQUARES:
                add_square(rows, word, values[source * n + i], 1)
            elif kind == DISTINCT:
                key = value_key(place, ever[EVER_COLUMNS * a + 4], values[source * n + i])
                changed = count_reference(seen, seen_shift, key, 1)
                rows[word] += changed
                meta[REFERENCES] += changed
            elif kind == EXTREME:
                rows[word] = min(rows[word], ever[EVER_COLUMNS * a + 4] * values[source * n + i])
            elif kind != FIRST or rows[word + 1] == NEVER:
                rows[word] = values[source * n + i] if source >= 0 else 0
                rows[word + 1] = t


@nb.njit(nogil=True, inline="always")
def _number(kind: Int, a: Int, b: Int, c: Int, d: Int, sign: Int, rows: Pointer) -> float:
    """A feature that is computed from sums or extremes; NaN is null."""
    if kind == READ_NUMBER:
        return float(rows[a])
    if kind == READ_MEAN:
        return rows[a] / rows[b] if rows[b] > 0 else np.nan
    if kind == READ_STDDEV:
        return sample_deviation(rows[b], rows[a], np.uint64(rows[c]), np.uint64(rows[c + 1]))
    if kind == READ_DELAYED:
        return float(rows[a] - rows[b])
    if kind == READ_DELAYED_MEAN:
        count = rows[c] - rows[d]
        return (rows[a] - rows[b]) / count if count > 0 else np.nan
    found = min(rows[a], rows[a + 1])
    return float(sign * found) if found != ABSENT else np.nan


@nb.njit(nogil=True, inline="always")
def _picked(
    kind: Int, a: Int, window: Int, value: Int, t: Int, depth: Int, mask: Int, rows: Pointer, pool: Pointer,
    windows: Pointer,
) -> tuple[Int, bool, float]:  # fmt: skip
    """A feature that is one event's value or time: (value, whether there is one, seconds since)."""
    if kind >= READ_EVER:
        known = rows[a + 1] != NEVER and (kind == READ_EVER or rows[a + 1] <= t)
        return rows[a], known, (t - rows[a + 1]) * _MICRO if known else np.nan
    sequence = rows[a + 1] if kind >= READ_PREVIOUS else rows[a]
    if sequence < 0:
        return np.int64(0), False, np.nan
    p = (sequence & mask) * depth
    if pool[p] <= t - windows[window]:
        return np.int64(0), False, np.nan
    return pool[p + value], True, (t - pool[p]) * _MICRO


@nb.njit(nogil=True, inline="always")
def read(
    i: Int, n: Int, t: Int, r: Int, depth: Int, mask: Int, rows: Pointer, pool: Pointer, windows: Pointer,
    reads: Pointer, n_reads: Int, scales: Pointer, out: Pointer, bits: Pointer, nulls: Pointer,
) -> None:  # fmt: skip
    """Write features of row i: numbers to `out`, hashes of texts to `bits`, the same memory as integers."""
    for f in range(n_reads):
        at = READ_COLUMNS * f
        kind, a, place = reads[at], r + reads[at + 1], reads[at + 7]
        if kind <= READ_EXTREME:
            b, c, d = r + reads[at + 2], r + reads[at + 3], r + reads[at + 4]
            number = _number(kind, a, b, c, d, reads[at + 6], rows) / scales[f]
        else:
            window, source = reads[at + 4], reads[at + 5]
            value, known, since = _picked(kind, a, window, source, t, depth, mask, rows, pool, windows)
            if reads[at + 8]:
                bits[place * n + i] = value if known else 0
                nulls[place] += not known
                continue
            number = value / scales[f] if known else np.nan
            if kind == READ_SINCE or kind == READ_EVER_SINCE:
                number = since
        out[place * n + i] = number
        nulls[place] += np.isnan(number)


@nb.njit(nogil=True, inline="always")
def write_null(i: Int, n: Int, reads: Pointer, n_reads: Int, bits: Pointer, nulls: Pointer) -> None:
    """Write null to features of row i."""
    for f in range(n_reads):
        place = reads[READ_COLUMNS * f + 7]
        bits[place * n + i] = 0 if reads[READ_COLUMNS * f + 8] else _NULL_BITS
        nulls[place] += 1
