"""Find the values of JSON records in bytes without making an object of anything (numba).

A record is *simple* when it is one flat object with known and unknown keys, texts without escapes, numbers, true,
false and null. Of a simple record the place of every value is noted; every other record is marked for the slow path,
which decides what it is. So the scan may give up on anything, but must never take what the slow path would refuse.
"""

from __future__ import annotations

import numba as nb
import numpy as np

SIMPLE, ODD = 0, 1
UNKNOWN_MAX = 10
_KEY_BYTES = 40


@nb.njit(cache=True, nogil=True, inline="always")
def _space(c, newlines):
    return c == 32 or c == 9 or c == 13 or (newlines and c == 10)


@nb.njit(cache=True, nogil=True)
def _number_end(b, i, end):
    """The end of a JSON number that begins at i, or -1."""
    if i < end and b[i] == 45:
        i += 1
    if i >= end or b[i] < 48 or b[i] > 57:
        return -1
    if b[i] == 48:
        i += 1
    else:
        while i < end and 48 <= b[i] <= 57:
            i += 1
    if i < end and b[i] == 46:
        i += 1
        first = i
        while i < end and 48 <= b[i] <= 57:
            i += 1
        if i == first:
            return -1
    if i < end and (b[i] == 101 or b[i] == 69):
        i += 1
        if i < end and (b[i] == 43 or b[i] == 45):
            i += 1
        first = i
        while i < end and 48 <= b[i] <= 57:
            i += 1
        if i == first:
            return -1
    return i


@nb.njit(cache=True, nogil=True)
def _literal_end(b, i, end):
    """The end of true, false or null that begins at i, or -1."""
    if i + 4 <= end and b[i] == 116 and b[i + 1] == 114 and b[i + 2] == 117 and b[i + 3] == 101:
        return i + 4
    if i + 4 <= end and b[i] == 110 and b[i + 1] == 117 and b[i + 2] == 108 and b[i + 3] == 108:
        return i + 4
    if i + 5 <= end and b[i] == 102 and b[i + 1] == 97 and b[i + 2] == 108 and b[i + 3] == 115 and b[i + 4] == 101:
        return i + 5
    return -1


@nb.njit(cache=True, nogil=True)
def _find_key(b, start, size, keys, key_sizes, table):
    """The number of the key at [start, start + size), or -1 when it is unknown."""
    if size > _KEY_BYTES:
        return -1
    h = np.uint32(size)
    for j in range(size):
        h = h * np.uint32(31) + np.uint32(b[start + j])
    place = np.int64(h) & (len(table) - 1)
    while table[place] >= 0:
        k = table[place]
        if key_sizes[k] == size:
            same = True
            for j in range(size):
                if b[start + j] != keys[k, j]:
                    same = False
                    break
            if same:
                return k
        place = (place + 1) & (len(table) - 1)
    return -1


@nb.njit(cache=True, nogil=True)
def _note_unknown(b, start, size, owner, unknown, unknown_count):
    """Remember the place of an unknown key, once per name and owner, ten per owner at most."""
    first = unknown_count
    while first > 0 and unknown[first - 1, 0] == owner:
        first -= 1
    if unknown_count - first >= UNKNOWN_MAX or unknown_count >= len(unknown):
        return unknown_count
    for k in range(first, unknown_count):
        if unknown[k, 2] == size:
            same = True
            for j in range(size):
                if b[unknown[k, 1] + j] != b[start + j]:
                    same = False
                    break
            if same:
                return unknown_count
    unknown[unknown_count, 0] = owner
    unknown[unknown_count, 1] = start
    unknown[unknown_count, 2] = size
    return unknown_count + 1


@nb.njit(cache=True, nogil=True)
def _record(b, i, end, newlines, keys, key_sizes, key_slots, table, stop, guess,
            row, starts, sizes, present, bare, owner, unknown, counts):  # fmt: skip
    """Scan the object that begins at i; returns the place behind its closing brace, or -1 for an odd record.

    `guess[p]` is the key that stood at position p of the record before: feeds repeat their order.
    """
    if i >= end or b[i] != 123:
        return -1
    i += 1
    seen = np.int64(0)
    here = np.int64(0)
    plain = np.int64(0)
    position = 0
    noted = counts[0]
    while True:
        while i < end and _space(b[i], newlines):
            i += 1
        if i >= end:
            return -1
        if b[i] == 125 and position == 0:
            i += 1
            break
        if b[i] != 34:
            return -1
        i += 1
        key = guess[position] if position < len(guess) else -1
        size = key_sizes[key] if key >= 0 else 0
        if key >= 0 and i + size < end and b[i + size] == 34:
            for j in range(size):
                if b[i + j] != keys[key, j]:
                    key = -1
                    break
        else:
            key = -1
        if key < 0:
            first = i
            while i < end and stop[b[i]] == 0:
                i += 1
            if i >= end or b[i] != 34:
                return -1
            size = i - first
            key = _find_key(b, first, size, keys, key_sizes, table)
            if key >= 0 and position < len(guess):
                guess[position] = key
            elif key < 0:
                noted = _note_unknown(b, first, size, owner, unknown, noted)
        else:
            i += size
        i += 1
        position += 1
        while i < end and _space(b[i], newlines):
            i += 1
        if i >= end or b[i] != 58:
            return -1
        i += 1
        while i < end and _space(b[i], newlines):
            i += 1
        if i >= end:
            return -1
        slot = np.int64(-1)
        bit = np.int64(0)
        if key >= 0:
            slot = key_slots[key]
            bit = np.int64(1) << slot
            if seen & bit:
                return -1
            seen |= bit
        c = b[i]
        if c == 34:
            i += 1
            first = i
            while i < end and stop[b[i]] == 0:
                i += 1
            if i >= end or b[i] != 34:
                return -1
            if slot >= 0 and i > first:
                starts[slot, row] = first
                sizes[slot, row] = i - first
                here |= bit
            i += 1
        else:
            first = i
            i = _number_end(b, i, end) if c == 45 or 48 <= c <= 57 else _literal_end(b, i, end)
            if i < 0:
                return -1
            if slot >= 0 and c != 110:
                starts[slot, row] = first
                sizes[slot, row] = i - first
                here |= bit
                plain |= bit
        while i < end and _space(b[i], newlines):
            i += 1
        if i >= end:
            return -1
        if b[i] == 44:
            i += 1
            while i < end and _space(b[i], newlines):
                i += 1
            if i >= end or b[i] != 34:
                return -1
            continue
        if b[i] != 125:
            return -1
        i += 1
        break
    present[row] = here
    bare[row] = plain
    counts[0] = noted
    return i


@nb.njit(cache=True, nogil=True)
def scan_lines(b, position, line, owner, ends, keys, key_sizes, key_slots, table, stop, guess,
               starts, sizes, present, bare, odd, spans, lines, owners, unknown, counts):  # fmt: skip
    """Scan NDJSON from `position` until the arrays are full or the bytes end; bodies end at `ends`.

    Returns rows, the next position, the next line number and the body it is in. `counts[0]` is the number of
    unknown keys noted.
    """
    n = len(b)
    rows = 0
    while position < n and rows < len(odd):
        while position >= ends[owner]:
            owner += 1
            line = 1
        c = b[position]
        if c == 10:
            line += 1
            position += 1
            continue
        if _space(c, False):
            position += 1
            continue
        first = position
        i = _record(b, position, n, False, keys, key_sizes, key_slots, table, stop, guess,
                    rows, starts, sizes, present, bare, owner, unknown, counts)  # fmt: skip
        state = SIMPLE
        if i < 0:
            state = ODD
        else:
            while i < n and _space(b[i], False):
                i += 1
            if i < n and b[i] != 10:
                state = ODD
        if state == ODD:
            present[rows] = 0
            bare[rows] = 0
            i = first
            while i < n and b[i] != 10:
                i += 1
        odd[rows] = state
        spans[rows, 0] = first
        spans[rows, 1] = i
        lines[rows] = line
        owners[rows] = owner
        rows += 1
        position = i
    return rows, position, line, owner


@nb.njit(cache=True, nogil=True)
def scan_spans(b, first_row, keys, key_sizes, key_slots, table, stop, guess,
               starts, sizes, present, bare, odd, spans, unknown, counts):  # fmt: skip
    """Scan the records at `spans`, shape (rows, 2): the elements of a JSON array."""
    for row in range(len(odd)):
        first, end = spans[row, 0], spans[row, 1]
        i = _record(b, first, end, True, keys, key_sizes, key_slots, table, stop, guess,
                    row, starts, sizes, present, bare, 0, unknown, counts)  # fmt: skip
        while 0 <= i < end and _space(b[i], True):
            i += 1
        odd[row] = SIMPLE if i == end else ODD
        if odd[row]:
            present[row] = 0
            bare[row] = 0


@nb.njit(cache=True, nogil=True)
def split_array(b, position, spans):
    """Find the elements of a JSON array whose `[` or `,` was passed; fills `spans` with (start, end), shape (rows, 2).

    Returns rows, the place behind the last separator passed, and whether the closing bracket was met. An element is
    complete when its separator is there; brackets are counted, texts are skipped, nothing else is checked.
    """
    n = len(b)
    rows = 0
    while rows < len(spans):
        i = position
        while i < n and _space(b[i], True):
            i += 1
        first = i
        last = i
        depth = 0
        text = False
        closed = False
        found = False
        while i < n:
            c = b[i]
            if text:
                if c == 92:
                    i += 1
                elif c == 34:
                    text = False
                last = i + 1
            elif c == 34:
                text = True
                last = i + 1
            elif depth == 0 and (c == 44 or c == 93):
                found = True
                closed = c == 93
                break
            elif c == 123 or c == 91:
                depth += 1
                last = i + 1
            elif c == 125 or c == 93:
                depth = max(depth - 1, 0)
                last = i + 1
            elif not _space(c, True):
                last = i + 1
            i += 1
        if not found:
            return rows, position, False
        position = i + 1
        spans[rows, 0] = first
        spans[rows, 1] = last
        rows += 1
        if closed:
            return rows, position, True
    return rows, position, False
