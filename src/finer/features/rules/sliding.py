"""The windows of one entity: how an event enters them and leaves them.

An entity's events hang together in a doubly linked list in the order of (event time, offset). A row describes the
windows as they are at its cursor, which is always the event that arrived last. An event that arrives in order moves
the cursor forward by one; a late one is put into its place and the cursor moves back to it, which costs as many
steps as there are events in between; the next one moves it forward again. So every value is exact for its event,
there is one way to compute it, and a single future-dated event is in nobody's way.

Events live in a ring in the order of arrival, addressed by a 31-bit sequence number. When the ring is full the
oldest is taken out of its list and out of the windows that hold it. Links forward always lead to a living event;
a link back may lead to one that has gone, which its age tells, so taking out the first of a list touches no other.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from finer.features.rules.arithmetic import add_square
from finer.features.rules.memory import count_reference, home_shift, rehash
from finer.features.rules.plan import ABSENT, COUNT, EXTREME, HEADER, NEVER, SQUARES, SUM
from finer.kit.hashing import mix
from finer.kit.pointers import pointer

Array = np.ndarray[Any, np.dtype[Any]]
Int = Any  # a word of 64 bits, which numba and NumPy name differently
Pointer = Any  # to words of 64 bits, except `links`: the pool again, in words of 32

# Places in `meta`, the few numbers of a state that change with every event.
HEAD, EVENTS, TRUNCATED, LATE, REFERENCES, CAPACITY = 0, 1, 2, 3, 4, 5
SEQUENCES = 0x7FFFFFFF
NEXT, PREVIOUS, PLACE, FLAGS = 2, 3, 4, 5  # int32 words of an event
SUM_COLUMNS, SCAN_COLUMNS = 5, 6
_ADVANCE = -2  # a FIRST whose event has left: the next one has to be found
_SALT = np.uint64(0xD6E8FEB86659FD93)


@nb.njit(nogil=True, inline="always")
def alive(sequence: Int, meta: Pointer) -> Any:
    """Whether a sequence number is that of an event still in the ring."""
    return sequence >= 0 and ((meta[HEAD] - 1 - sequence) & SEQUENCES) < meta[EVENTS]


@nb.njit(nogil=True, inline="always")
def value_key(place: Int, salt: Int, value: Int) -> np.uint64:
    """The key of one entity and value in the table of distinct values; `salt` tells aggregates apart."""
    key = mix(np.uint64(value) ^ mix(np.uint64(place) * _SALT + np.uint64(salt)))
    return key if key != 0 else np.uint64(1)


@nb.njit(nogil=True, inline="always")
def apply(
    sign: Int, first: Int, last: Int, p: Int, r: Int, place: Int, rows: Pointer, pool: Pointer, flags: Int,
    sums: Pointer, seen: Pointer, seen_shift: np.uint64, meta: Pointer,
) -> None:  # fmt: skip
    """Put the event at `p` into the sums first..last (sign 1), or take it out (-1)."""
    for a in range(first, last):
        if (flags >> sums[SUM_COLUMNS * a + 3]) & 1:
            kind, word, value = sums[SUM_COLUMNS * a], r + sums[SUM_COLUMNS * a + 1], p + sums[SUM_COLUMNS * a + 2]
            if kind == COUNT:
                rows[word] += sign
            elif kind == SUM:
                rows[word] += sign * pool[value]
            elif kind == SQUARES:
                add_square(rows, word, pool[value], sign)
            else:
                key = value_key(place, sums[SUM_COLUMNS * a + 4], pool[value])
                changed = count_reference(seen, seen_shift, key, sign)
                rows[word] += changed
                meta[REFERENCES] += changed


@nb.njit(nogil=True)
def _rescan(
    w: Int, newest: Int, r: Int, depth: Int, mask: Int, rows: Pointer, pool: Pointer, links: Pointer,
    scan_starts: Pointer, scans: Pointer, force: bool,
) -> None:  # fmt: skip
    """Bring minima, maxima and firsts of window w up to date after its oldest event changed.

    A minimum is kept as two stacks: for the events up to a split, each event holds the best from itself to the split;
    for those after it the row holds the running best. When the split itself has left, the split moves to the
    newest event, so every event is looked at once more in its life, whatever the values.
    """
    tail = rows[r + HEADER + 2 * w]
    for s in range(scan_starts[w], scan_starts[w + 1]):
        word, bit = r + scans[SCAN_COLUMNS * s + 1], scans[SCAN_COLUMNS * s + 3]
        if scans[SCAN_COLUMNS * s] == EXTREME:
            value, sign, best = scans[SCAN_COLUMNS * s + 2], scans[SCAN_COLUMNS * s + 4], scans[SCAN_COLUMNS * s + 5]
            if rows[word + 2] >= 0 and not force:
                rows[word + 1] = pool[(tail & mask) * depth + best]
                continue
            found, q = ABSENT, newest
            while True:
                p = (q & mask) * depth
                if (links[2 * p + FLAGS] >> bit) & 1:
                    found = min(found, sign * pool[p + value])
                pool[p + best] = found
                if q == tail:
                    break
                q = np.int64(links[2 * p + PREVIOUS])
            rows[word], rows[word + 1], rows[word + 2] = ABSENT, found, newest
        elif rows[word] == _ADVANCE or force:
            q = tail
            while True:
                p = (q & mask) * depth
                if (links[2 * p + FLAGS] >> bit) & 1:
                    break
                if q == newest:
                    q = -1
                    break
                q = np.int64(links[2 * p + NEXT])
            rows[word] = q


@nb.njit(nogil=True, inline="always")
def _leave(w: Int, sequence: Int, r: Int, rows: Pointer, scan_starts: Pointer, scans: Pointer) -> None:
    """Note that an event has left window w, for the aggregates that pointed at it."""
    for s in range(scan_starts[w], scan_starts[w + 1]):
        word = r + scans[SCAN_COLUMNS * s + 1]
        if scans[SCAN_COLUMNS * s] == EXTREME:
            if rows[word + 2] == sequence:
                rows[word + 2] = -1
        elif rows[word] == sequence:
            rows[word] = _ADVANCE


@nb.njit(nogil=True, inline="always")
def _enter(
    sequence: Int, p: Int, r: Int, flags: Int, rows: Pointer, pool: Pointer, scan_from: Int, scan_to: Int,
    scans: Pointer,
) -> None:  # fmt: skip
    """Show a new newest event to the minima, maxima and firsts of a window."""
    for s in range(scan_from, scan_to):
        if (flags >> scans[SCAN_COLUMNS * s + 3]) & 1:
            word = r + scans[SCAN_COLUMNS * s + 1]
            if scans[SCAN_COLUMNS * s] == EXTREME:
                rows[word] = min(rows[word], scans[SCAN_COLUMNS * s + 4] * pool[p + scans[SCAN_COLUMNS * s + 2]])
            elif rows[word] == -1:
                rows[word] = sequence


@nb.njit(nogil=True, inline="always")
def push(
    sequence: Int, r: Int, place: Int, depth: Int, mask: Int, rows: Pointer, pool: Pointer, links: Pointer,
    seen: Pointer, seen_shift: np.uint64, meta: Pointer, windows: Pointer, n_windows: Int, sum_starts: Pointer,
    sums: Pointer, scan_starts: Pointer, scans: Pointer, latest: Pointer, n_latest: Int,
) -> None:  # fmt: skip
    """Move the cursor forward to the event that follows it."""
    p = (sequence & mask) * depth
    flags, t = links[2 * p + FLAGS], pool[p]
    alone = rows[r + 1] < 0
    rows[r], rows[r + 1] = t, sequence
    for w in range(n_windows):
        word = r + HEADER + 2 * w
        if alone:
            rows[word], rows[word + 1] = sequence, t
        apply(1, sum_starts[w], sum_starts[w + 1], p, r, place, rows, pool, flags, sums, seen, seen_shift, meta)
        _enter(sequence, p, r, flags, rows, pool, scan_starts[w], scan_starts[w + 1], scans)
        limit = t - windows[w]
        if rows[word + 1] <= limit:
            tail, tail_time = rows[word], rows[word + 1]
            while tail_time <= limit:
                q = (tail & mask) * depth
                gone = links[2 * q + FLAGS]
                apply(-1, sum_starts[w], sum_starts[w + 1], q, r, place, rows, pool, gone, sums, seen, seen_shift, meta)
                _leave(w, tail, r, rows, scan_starts, scans)
                tail = np.int64(links[2 * q + NEXT])
                tail_time = pool[(tail & mask) * depth]
            rows[word], rows[word + 1] = tail, tail_time
            if scan_starts[w] < scan_starts[w + 1]:
                _rescan(w, sequence, r, depth, mask, rows, pool, links, scan_starts, scans, False)
    for k in range(n_latest):
        word = r + latest[2 * k]
        rows[word + 1] = rows[word]
        if (flags >> latest[2 * k + 1]) & 1:
            rows[word] = sequence


@nb.njit(nogil=True)
def _picked_before(
    sequence: Int, bit: Int, depth: Int, mask: Int, pool: Pointer, links: Pointer, meta: Pointer, until: Int,
) -> Int:  # fmt: skip
    """The latest event from `sequence` backwards that has the flag and is later than `until`; -1 if there is none."""
    q = np.int64(sequence)
    while alive(q, meta):
        p = (q & mask) * depth
        if pool[p] <= until:
            break
        if (links[2 * p + FLAGS] >> bit) & 1:
            return q
        q = np.int64(links[2 * p + PREVIOUS])
    return np.int64(-1)


@nb.njit(nogil=True)
def _room(counters: Array, meta: Array, more: Int) -> Array:
    """The table of distinct values, larger when `more` references might not fit."""
    while (meta[REFERENCES] + more) * 8 > len(counters) * 3:
        larger = np.zeros(len(counters) * 2, np.uint64)
        rehash(counters, larger)
        counters = larger
    return counters


@nb.njit(nogil=True)
def seek_back(
    sequence: Int, r: Int, place: Int, depth: Int, mask: Int, rows: Pointer, pool: Pointer, links: Pointer,
    counters: Array, meta: Pointer, windows: Pointer, n_windows: Int, sum_starts: Pointer, sums: Pointer,
    scan_starts: Pointer, scans: Pointer, latest: Pointer, n_latest: Int,
) -> Array:  # fmt: skip
    """Move the cursor back to a late event that has just been linked in. Returns the table of distinct values."""
    p0 = (sequence & mask) * depth
    t = pool[p0]
    cursor = rows[r + 1]
    rows[r], rows[r + 1] = t, sequence
    meta[LATE] += 1
    seen, seen_shift = pointer(counters), home_shift(len(counters))
    for w in range(n_windows):
        first, last, word = sum_starts[w], sum_starts[w + 1], r + HEADER + 2 * w
        tail, q, start = rows[word], cursor, rows[word]
        while q != sequence:
            p = (q & mask) * depth
            apply(-1, first, last, p, r, place, rows, pool, links[2 * p + FLAGS], sums, seen, seen_shift, meta)
            if q == tail:
                start = np.int64(sequence)
                break
            q = np.int64(links[2 * p + PREVIOUS])
        counters = _room(counters, meta, last - first)
        seen, seen_shift = pointer(counters), home_shift(len(counters))
        apply(1, first, last, p0, r, place, rows, pool, links[2 * p0 + FLAGS], sums, seen, seen_shift, meta)
        limit = t - windows[w]
        tail = start
        q = np.int64(links[2 * (tail & mask) * depth + PREVIOUS])
        while alive(q, meta) and pool[(q & mask) * depth] > limit:
            counters = _room(counters, meta, last - first)
            seen, seen_shift = pointer(counters), home_shift(len(counters))
            p = (q & mask) * depth
            apply(1, first, last, p, r, place, rows, pool, links[2 * p + FLAGS], sums, seen, seen_shift, meta)
            tail = q
            q = np.int64(links[2 * p + PREVIOUS])
        rows[word], rows[word + 1] = tail, pool[(tail & mask) * depth]
        _rescan(w, sequence, r, depth, mask, rows, pool, links, scan_starts, scans, True)
    until = t - windows[n_windows - 1]
    for k in range(n_latest):
        word, bit = r + latest[2 * k], latest[2 * k + 1]
        rows[word] = _picked_before(sequence, bit, depth, mask, pool, links, meta, until)
        rows[word + 1] = _picked_before(links[2 * p0 + PREVIOUS], bit, depth, mask, pool, links, meta, until)
    return counters


@nb.njit(nogil=True)
def evict(
    now: Int, depth: Int, mask: Int, width: Int, emptied: Int, rows: Pointer, pool: Pointer, links: Pointer,
    seen: Pointer, seen_shift: np.uint64, meta: Pointer, windows: Pointer, n_windows: Int, sum_starts: Pointer,
    sums: Pointer, scan_starts: Pointer, scans: Pointer, latest: Pointer, n_latest: Int, blank: Pointer,
) -> None:  # fmt: skip
    """Take the oldest arrival out of the ring, of its list, and of the windows that hold it."""
    sequence = (meta[HEAD] - meta[EVENTS]) & SEQUENCES
    p = (sequence & mask) * depth
    t, flags, place = pool[p], links[2 * p + FLAGS], np.int64(links[2 * p + PLACE])
    r = place * width
    if t > now - windows[n_windows - 1]:
        meta[TRUNCATED] += 1
    meta[EVENTS] -= 1
    if rows[r + 1] == sequence:
        # The cursor is the entity's latest arrival, so nothing else of the entity is left.
        apply(-1, 0, sum_starts[n_windows], p, r, place, rows, pool, flags, sums, seen, seen_shift, meta)
        for k in range(emptied):
            rows[r + k] = blank[k]
        return
    following, before = np.int64(links[2 * p + NEXT]), np.int64(links[2 * p + PREVIOUS])
    if alive(before, meta):
        links[2 * (before & mask) * depth + NEXT] = following
        if following >= 0:
            links[2 * (following & mask) * depth + PREVIOUS] = before
    for k in range(n_latest):
        word, bit = r + latest[2 * k], latest[2 * k + 1]
        for which in range(2):
            if rows[word + which] == sequence:
                rows[word + which] = _picked_before(before, bit, depth, mask, pool, links, meta, NEVER)
    cursor_time, cursor = rows[r], rows[r + 1]
    if t > cursor_time:
        return
    for w in range(n_windows - 1, -1, -1):
        if t <= cursor_time - windows[w]:
            break
        word = r + HEADER + 2 * w
        apply(-1, sum_starts[w], sum_starts[w + 1], p, r, place, rows, pool, flags, sums, seen, seen_shift, meta)
        _leave(w, sequence, r, rows, scan_starts, scans)
        inside = rows[word] != sequence
        if not inside:
            rows[word], rows[word + 1] = following, pool[(following & mask) * depth]
        if scan_starts[w] < scan_starts[w + 1]:
            _rescan(w, cursor, r, depth, mask, rows, pool, links, scan_starts, scans, inside)


@nb.njit(nogil=True, inline="always")
def link(
    sequence: Int, p: Int, t: Int, r: Int, depth: Int, mask: Int, rows: Pointer, pool: Pointer, links: Pointer,
    meta: Pointer, n_windows: Int,
) -> bool:  # fmt: skip
    """Put a new event into its place in the entity's list; returns whether that is before the cursor."""
    before, following, late = rows[r + 1], np.int64(-1), False
    if before >= 0:
        if t >= rows[r]:
            following = np.int64(links[2 * (before & mask) * depth + NEXT])
            while following >= 0 and pool[(following & mask) * depth] <= t:
                before = following
                following = np.int64(links[2 * (before & mask) * depth + NEXT])
        else:
            late = True
            for w in range(n_windows):
                # Windows grow, so the last of these is the oldest known event that is later than the new one.
                if rows[r + HEADER + 2 * w + 1] > t:
                    before = rows[r + HEADER + 2 * w]
            while before >= 0 and pool[(before & mask) * depth] > t:
                following = before
                before = np.int64(links[2 * (before & mask) * depth + PREVIOUS])
                if not alive(before, meta):
                    before = np.int64(-1)
        if before >= 0:
            links[2 * (before & mask) * depth + NEXT] = sequence
        if following >= 0:
            links[2 * (following & mask) * depth + PREVIOUS] = sequence
    links[2 * p + NEXT], links[2 * p + PREVIOUS] = following, before
    return late
