"""The kernels: one pass over a batch brings the rows of an entity up to date and writes its features."""

from __future__ import annotations

import inspect
import zlib
from typing import Any

import numba as nb
import numpy as np

from finer.features.rules import arithmetic, memory, plan, reading, sliding
from finer.features.rules.memory import home_shift, prefetch
from finer.features.rules.plan import EVENT_HEADER
from finer.features.rules.reading import read, update_ever, write_null
from finer.features.rules.sliding import (
    CAPACITY,
    EVENTS,
    FLAGS,
    HEAD,
    NEXT,
    PLACE,
    SEQUENCES,
    evict,
    link,
    push,
    seek_back,
)
from finer.kit import hashing
from finer.kit.pointers import pointer

Array = np.ndarray[Any, np.dtype[Any]]
Int = Any  # a word of 64 bits, which numba and NumPy name differently
Pointer = Any  # to words of 64 bits, except `links`: the pool again, in words of 32

_FAR, _NEAR = 16, 8

# A compiled kernel is kept on disk until its own file changes, but it contains what it calls in these files too. The
# stamp of their sources is part of its closure, and a closure is part of the key by which numba finds it.
_STAMP = zlib.crc32("".join(map(inspect.getsource, (arithmetic, hashing, memory, plan, reading, sliding))).encode())


@nb.njit(nogil=True, inline="always")
def _ask_ahead(
    i: Int, n: Int, places: Pointer, rows: Pointer, width: Int, pool: Pointer, links: Pointer, depth: Int, mask: Int,
    meta: Pointer,
) -> None:  # fmt: skip
    """Ask for the memory of the rows to come: the entity's row first, then the event its cursor is on."""
    if i + _FAR < n:
        r = np.int64(max(places[i + _FAR], 0)) * width
        for line in range(0, width, 8):
            prefetch(rows, r + line)
    if i + _NEAR < n:
        cursor = rows[np.int64(max(places[i + _NEAR], 0)) * width + 1]
        if cursor >= 0:
            prefetch(pool, (cursor & mask) * depth)
    if meta[EVENTS] > mask:
        oldest = (meta[HEAD] - meta[EVENTS] + _NEAR) & mask
        r = np.int64(links[2 * oldest * depth + PLACE]) * width
        for line in range(0, width, 8):
            prefetch(rows, r + line)


def _make_run_ever(stamp: int) -> Any:
    @nb.njit(cache=True, nogil=True)
    def run_ever(
        places_: Array, times_: Array, flags_: Array, values_: Array, rows_: Array, width: Int, counters: Array,
        meta_: Array, ever_: Array, early_: Array, early_scales_: Array, late_: Array, late_scales_: Array, out_: Array,
        bits_: Array, nulls_: Array,
    ) -> None:  # fmt: skip
        """One batch over an entity that has no windows. `places` is -1 for rows that do not take part."""
        _ = stamp
        n, n_ever, n_early, n_late = len(places_), len(ever_), len(early_), len(late_)
        places, times, flags = pointer(places_), pointer(times_), pointer(flags_)
        values, rows = pointer(values_), pointer(rows_)
        seen, seen_shift, meta = pointer(counters), home_shift(len(counters)), pointer(meta_)
        ever, early, late = pointer(ever_), pointer(early_), pointer(late_)
        early_scales, late_scales = pointer(early_scales_), pointer(late_scales_)
        out, bits, nulls = pointer(out_), pointer(bits_), pointer(nulls_)
        for i in range(n):
            if i + _FAR < n:
                prefetch(rows, max(places[i + _FAR], 0) * width)
            place = np.int64(places[i])
            if place < 0:
                write_null(i, n, early, n_early, bits, nulls)
                write_null(i, n, late, n_late, bits, nulls)
                continue
            r, t = place * width, times[i]
            read(i, n, t, r, 0, 0, rows, rows, times, early, n_early, early_scales, out, bits, nulls)
            update_ever(i, n, r, place, t, flags[i], rows, values, seen, seen_shift, meta, ever, n_ever)
            read(i, n, t, r, 0, 0, rows, rows, times, late, n_late, late_scales, out, bits, nulls)

    return run_ever


run_ever = _make_run_ever(_STAMP)


def _make_run_windows(stamp: int) -> Any:
    @nb.njit(cache=True, nogil=True)
    def run_windows(
        places_: Array, times_: Array, flags_: Array, values_: Array, rows_: Array, width: Int, emptied: Int,
        blank_: Array, pool_: Array, links_: Array, depth: Int, counters: Array, meta_: Array, windows_: Array,
        sum_starts_: Array, sums_: Array, scan_starts_: Array, scans_: Array, latest_: Array, ever_: Array,
        early_: Array, early_scales_: Array, late_: Array, late_scales_: Array, out_: Array, bits_: Array,
        nulls_: Array, carried: Int,
    ) -> Array:  # fmt: skip
        """One batch over an entity that has windows. Returns the table of distinct values, which may have grown.

        `places` is -1 for rows that do not take part; `carried` says how many of the values an event keeps.
        """
        _ = stamp
        n, mask = len(places_), meta_[CAPACITY] - 1
        n_windows, n_latest, n_ever, n_early, n_late = len(windows_), len(latest_), len(ever_), len(early_), len(late_)
        places, times, flags = pointer(places_), pointer(times_), pointer(flags_)
        values, rows = pointer(values_), pointer(rows_)
        blank, pool, links = pointer(blank_), pointer(pool_), pointer(links_)
        meta, windows = pointer(meta_), pointer(windows_)
        sum_starts, sums = pointer(sum_starts_), pointer(sums_)
        scan_starts, scans = pointer(scan_starts_), pointer(scans_)
        latest, ever, early, late = pointer(latest_), pointer(ever_), pointer(early_), pointer(late_)
        early_scales, late_scales = pointer(early_scales_), pointer(late_scales_)
        out, bits, nulls = pointer(out_), pointer(bits_), pointer(nulls_)
        seen, seen_shift = pointer(counters), home_shift(len(counters))
        for i in range(n):
            _ask_ahead(i, n, places, rows, width, pool, links, depth, mask, meta)
            place = np.int64(places[i])
            if place < 0:
                write_null(i, n, early, n_early, bits, nulls)
                write_null(i, n, late, n_late, bits, nulls)
                continue
            r, t = place * width, times[i]
            if meta[EVENTS] > mask:
                evict(
                    t, depth, mask, width, emptied, rows, pool, links, seen, seen_shift, meta,
                    windows, n_windows, sum_starts, sums, scan_starts, scans, latest, n_latest, blank,
                )  # fmt: skip
            sequence = meta[HEAD]
            meta[HEAD] = (sequence + 1) & SEQUENCES
            meta[EVENTS] += 1
            p = (sequence & mask) * depth
            pool[p] = t
            links[2 * p + PLACE], links[2 * p + FLAGS] = place, flags[i]
            for v in range(carried):
                pool[p + EVENT_HEADER + v] = values[v * n + i]
            if link(sequence, p, t, r, depth, mask, rows, pool, links, meta, n_windows):
                counters = seek_back(
                    sequence, r, place, depth, mask, rows, pool, links, counters, meta,
                    windows, n_windows, sum_starts, sums, scan_starts, scans, latest, n_latest,
                )  # fmt: skip
                seen, seen_shift = pointer(counters), home_shift(len(counters))
            else:
                step = rows[r + 1]
                while step != sequence:
                    step = np.int64(links[2 * (step & mask) * depth + NEXT]) if step >= 0 else sequence
                    push(
                        step, r, place, depth, mask, rows, pool, links, seen, seen_shift, meta,
                        windows, n_windows, sum_starts, sums, scan_starts, scans, latest, n_latest,
                    )  # fmt: skip
            read(i, n, t, r, depth, mask, rows, pool, windows, early, n_early, early_scales, out, bits, nulls)
            update_ever(i, n, r, place, t, flags[i], rows, values, seen, seen_shift, meta, ever, n_ever)
            read(i, n, t, r, depth, mask, rows, pool, windows, late, n_late, late_scales, out, bits, nulls)
        return counters

    return run_windows


run_windows = _make_run_windows(_STAMP)
