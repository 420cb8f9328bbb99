"""What was told of events later, and how much of it each window holds.

An entity of this kind keeps no events: only rows that are told enter it, each with a time and a weight, and an event
reads what is there at its own time. Rows are few where events are many, so they lie in one array in the order of (key,
time) with the sum of all weights before each. A window is then the difference of two sums, found by two searches: it
is the same whatever was read before, in which order, and an event that comes late costs no more than another.

A directory says by the highest bits of a key where its rows begin, as in the tables of `memory`, so that a key of which
nothing was told, which is nearly every one, costs one look.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from finer.features.types import Entity, FeatureDefinition
from finer.kit.pointers import pointer

Array = np.ndarray[Any, np.dtype[Any]]
Int = Any  # a word of 64 bits, which numba and NumPy name differently
Pointer = Any

_FIRST_BITS, _LAST_BITS = 6, 26


@nb.njit(nogil=True, inline="always")
def _after(key: np.uint64, time: Int, low: Int, high: Int, keys: Pointer, times: Pointer) -> Any:
    """The first place from `low` to `high` whose row comes after (key, time)."""
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < key or (keys[middle] == key and times[middle] <= time):
            low = middle + 1
        else:
            high = middle
    return low


@nb.njit(cache=True, nogil=True)
def read_told(
    wanted_: Array, at_: Array, skip: Array, keys_: Array, times_: Array, sums_: Array, starts_: Array,
    shift: np.uint64, windows: Array, places: Array, out_: Array, nulls: Array,
) -> None:  # fmt: skip
    """Write what each event of a batch finds in every window; null for events without a key, and skipped ones."""
    wanted, at, keys, times = pointer(wanted_), pointer(at_), pointer(keys_), pointer(times_)
    sums, starts, out = pointer(sums_), pointer(starts_), pointer(out_)
    n, masked = len(wanted_), len(skip) > 0
    for i in range(n):
        key = wanted[i]
        if key == 0 or (masked and skip[i]):
            for f in range(len(places)):
                out[places[f] * n + i] = np.nan
                nulls[places[f]] += 1
            continue
        bucket = np.intp(key >> shift)
        low, high = np.int64(starts[bucket]), np.int64(starts[bucket + 1])
        if low == high:
            for f in range(len(places)):
                out[places[f] * n + i] = 0.0
            continue
        end = _after(key, at[i], low, high, keys, times)
        for f in range(len(places)):
            begin = _after(key, at[i] - windows[f], low, end, keys, times)
            out[places[f] * n + i] = float(sums[end] - sums[begin])


@nb.njit(cache=True, nogil=True)
def merge_told(
    keys: Array, times: Array, weights: Array, more_keys: Array, more_times: Array, more_weights: Array
) -> tuple[Array, Array, Array, Array]:
    """Two sets of rows, each in order, as one: keys, times, weights, and the sums of weights before each row."""
    count = len(keys) + len(more_keys)
    out_keys, out_times = np.empty(count, np.uint64), np.empty(count, np.int64)
    out_weights, sums = np.empty(count, np.int64), np.empty(count + 1, np.int64)
    a = b = total = 0
    for i in range(count):
        if b == len(more_keys) or (
            a < len(keys) and (keys[a] < more_keys[b] or (keys[a] == more_keys[b] and times[a] <= more_times[b]))
        ):
            out_keys[i], out_times[i], out_weights[i] = keys[a], times[a], weights[a]
            a += 1
        else:
            out_keys[i], out_times[i], out_weights[i] = more_keys[b], more_times[b], more_weights[b]
            b += 1
        sums[i] = total
        total += out_weights[i]
    sums[count] = total
    return out_keys, out_times, out_weights, sums


@nb.njit(cache=True, nogil=True)
def begin_buckets(keys: Array, bits: int) -> Array:
    """Where the rows of every bucket begin among keys in order, int32, shape (2^bits + 1,)."""
    starts = np.zeros((1 << bits) + 1, np.int32)
    shift = np.uint64(64 - bits)
    for i in range(len(keys)):
        starts[np.intp(keys[i] >> shift) + 1] += 1
    for bucket in range(1 << bits):
        starts[bucket + 1] += starts[bucket]
    return starts


class ToldState:
    """What was told of one entity, of all tenants. `places` are the places of its features in the feature set."""

    def __init__(self, entity: Entity, places: list[int], definitions: list[FeatureDefinition], limit: int) -> None:
        """`limit` bounds the rows that are kept; those with the oldest times go first."""
        self.entity = entity
        self.limit = limit
        self.truncated = 0
        self._places = np.array(places, np.int64)
        self._windows = np.array([one.window_us for one in definitions], np.int64)
        nothing = np.empty(0, np.int64)
        self._rows = (np.empty(0, np.uint64), nothing, nothing)
        self.tell(*self._rows)

    def tell(self, keys: Array, times: Array, weights: Array) -> None:
        """Take in rows: keys uint64 (0 is none), times and weights int64, each of shape (rows,)."""
        known = np.flatnonzero(keys)
        order = known[np.lexsort((times[known], keys[known]))]
        *rows, self._sums = merge_told(*self._rows, keys[order], times[order], weights[order])
        self._rows = self._within_limit(*rows)
        if len(self._rows[0]) < len(rows[0]):
            self._sums = np.concatenate((np.zeros(1, np.int64), np.cumsum(self._rows[2])))
        bits = min(max(len(self._rows[0]).bit_length() + 1, _FIRST_BITS), _LAST_BITS)
        self._shift = np.uint64(64 - bits)
        self._starts = begin_buckets(self._rows[0], bits)

    def forget(self, keys: Array) -> None:
        """Drop the rows of entities."""
        kept = ~np.isin(self._rows[0], keys)
        rest = (self._rows[0][kept], self._rows[1][kept], self._rows[2][kept])
        self._rows = (self._rows[0][:0], self._rows[1][:0], self._rows[2][:0])
        self.tell(*rest)

    def _within_limit(self, keys: Array, times: Array, weights: Array) -> tuple[Array, Array, Array]:
        over = len(keys) - self.limit
        if over <= 0:
            return keys, times, weights
        # All rows of one moment go together: what was taken back goes with what takes it back.
        kept = times > np.partition(times, over - 1)[over - 1]
        self.truncated += int((~kept & (times > times.max() - self._windows.max())).sum())
        return keys[kept], times[kept], weights[kept]

    def step(self, wanted: Array, times: Array, skip: Array, out: Array, nulls: Array) -> None:
        """Write this entity's rows of `out`, float64 (features, rows), for events with these keys and times."""
        keys, known, _ = self._rows
        read_told(
            wanted, times, skip, keys, known, self._sums, self._starts, self._shift, self._windows, self._places,
            out, nulls,
        )  # fmt: skip

    @property
    def rows(self) -> int:
        """Rows held now."""
        return len(self._rows[0])

    def arrays(self) -> dict[str, Array]:
        """The state as arrays."""
        keys, times, weights = self._rows
        return {"keys": keys, "times": times, "weights": weights, "truncated": np.array([self.truncated])}

    def load(self, arrays: dict[str, Array]) -> None:
        """Take over the arrays of another state of the same entity."""
        self.limit = max(self.limit, len(arrays["keys"]))
        self.tell(arrays["keys"], arrays["times"], arrays["weights"])
        self.truncated = int(arrays["truncated"][0])

    def nbytes(self) -> int:
        """Bytes of state in use."""
        return sum(array.nbytes for array in (*self._rows, self._sums, self._starts))
