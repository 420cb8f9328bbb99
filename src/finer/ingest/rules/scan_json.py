"""Find the values of JSON records in bytes without making an object of anything (numba).

A record is *simple* when it is one flat object with known and unknown keys, texts without escapes, numbers, true,
false and null. Of a simple record the place of every value is noted; every other record is marked for the slow path,
which decides what it is. So the scan may give up on anything, but must never take what the slow path would refuse.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba as nb
import numpy as np

from finer.kit.pointers import pointer

SIMPLE, ODD = 0, 1
UNKNOWN_MAX = 10
KEY_BYTES_MAX = 40
TABLE_SIZE = 1024
_NULL, _TEXT, _BARE = 0, 1, 2
_LINE, _ANY = 32, 10  # what counts as space: blanks, tabs and carriage returns; or line feeds too
_GUESSES = 64
_TRUE, _NIL, _FALS = (int.from_bytes(word, "little") for word in (b"true", b"null", b"fals"))


class Keys(NamedTuple):
    """The names of a contract for the scan.

    `names` is (keys, KEY_BYTES_MAX) bytes, `table` finds a key by its hash, `slots` says where its value goes, `stop`
    marks the bytes at which a text is looked at more closely. `guess[p]` is the key that stood at position p of the
    record before: feeds repeat their order.
    """

    names: Any
    sizes: Any
    slots: Any
    table: Any
    stop: Any
    guess: Any


class Places(NamedTuple):
    """Where values were found: `starts` and `sizes` are (slots, room), the masks have a bit per slot."""

    starts: Any
    sizes: Any
    present: Any
    bare: Any
    room: int


class Unknown(NamedTuple):
    """Names that are no fields: `places` holds (owner, start, size) of each, `count[0]` says how many."""

    places: Any
    count: Any
    room: int


def no_guess() -> Any:
    """The `guess` of `Keys` before the first record."""
    return np.full(_GUESSES, -1, np.int64)


@nb.njit(cache=True, nogil=True)
def _pointers(keys: Any, places: Any, unknown: Any) -> Any:
    """The same three with addresses for arrays, for everything below."""
    return (
        Keys(
            pointer(keys.names), pointer(keys.sizes), pointer(keys.slots), pointer(keys.table), pointer(keys.stop),
            pointer(keys.guess),
        ),
        Places(
            pointer(places.starts), pointer(places.sizes), pointer(places.present), pointer(places.bare), places.room
        ),
        Unknown(pointer(unknown.places), pointer(unknown.count), unknown.room),
    )  # fmt: skip


@nb.njit(cache=True, nogil=True)
def _at(b: Any, i: Any, end: Any) -> Any:
    return b[i] if i < end else np.uint8(0)


@nb.njit(cache=True, nogil=True)
def _is_space(c: Any, space: Any) -> Any:
    return c == 32 or c == 9 or c == 13 or c == space


@nb.njit(cache=True, nogil=True)
def _skip(b: Any, i: Any, end: Any, space: Any) -> Any:
    while i < end and _is_space(b[i], space):
        i += 1
    return i


@nb.njit(cache=True, nogil=True)
def _digits_end(b: Any, i: Any, end: Any) -> Any:
    while i < end and 48 <= b[i] <= 57:
        i += 1
    return i


@nb.njit(cache=True, nogil=True)
def _same(b: Any, i: Any, words: Any, k: Any, size: Any) -> Any:
    for j in range(size):  # noqa: SIM110 - numba compiles no generators
        if b[i + j] != words[k * KEY_BYTES_MAX + j]:
            return False
    return True


@nb.njit(cache=True, nogil=True)
def _number_end(b: Any, i: Any, end: Any) -> Any:
    """The end of a JSON number that begins at i, or -1."""
    if b[i] == 45:
        i += 1
    c = _at(b, i, end)
    if c == 48:
        i += 1
    elif 49 <= c <= 57:
        i = _digits_end(b, i, end)
    else:
        return -1
    if _at(b, i, end) == 46:
        first = i + 1
        i = _digits_end(b, first, end)
        if i == first:
            return -1
    if _at(b, i, end) | 32 == 101:
        c = _at(b, i + 1, end)
        first = i + 2 if c == 43 or c == 45 else i + 1
        i = _digits_end(b, first, end)
        if i == first:
            return -1
    return i


@nb.njit(cache=True, nogil=True)
def _four(b: Any, i: Any) -> Any:
    return np.int64(b[i]) | np.int64(b[i + 1]) << 8 | np.int64(b[i + 2]) << 16 | np.int64(b[i + 3]) << 24


@nb.njit(cache=True, nogil=True)
def _word_end(b: Any, i: Any, end: Any) -> Any:
    """The end of true, false or null that begins at i, or -1."""
    if i + 4 > end:
        return -1
    word = _four(b, i)
    if word == _TRUE or word == _NIL:
        return i + 4
    if word == _FALS and _at(b, i + 4, end) == 101:
        return i + 5
    return -1


@nb.njit(cache=True, nogil=True)
def _find_key(b: Any, start: Any, size: Any, keys: Any) -> Any:
    """The number of the key at [start, start + size), or -1 when it is unknown."""
    if size > KEY_BYTES_MAX:
        return -1
    h = np.uint32(size)
    for j in range(size):
        h = h * np.uint32(31) + np.uint32(b[start + j])
    place = np.int64(h) & (TABLE_SIZE - 1)
    while keys.table[place] >= 0:
        k = keys.table[place]
        if keys.sizes[k] == size and _same(b, start, keys.names, k, size):
            return k
        place = (place + 1) & (TABLE_SIZE - 1)
    return -1


@nb.njit(cache=True, nogil=True)
def _key(b: Any, i: Any, end: Any, keys: Any, position: Any) -> Any:
    """The key whose opening quote is at i: (its number or -1, its size, the place behind it or -1)."""
    if _at(b, i, end) != 34:
        return -1, 0, -1
    start = i + 1
    position = min(position, _GUESSES - 1)
    key = keys.guess[position]
    if key >= 0:
        size = keys.sizes[key]
        if _at(b, start + size, end) == 34 and _same(b, start, keys.names, key, size):
            return key, size, start + size + 1
    i = start
    while i < end and keys.stop[b[i]] == 0:
        i += 1
    if _at(b, i, end) != 34:
        return -1, 0, -1
    key = _find_key(b, start, i - start, keys)
    if key >= 0:
        keys.guess[position] = key
    return key, i - start, i + 1


@nb.njit(cache=True, nogil=True)
def _value(b: Any, i: Any, end: Any, stop: Any) -> Any:
    """The plain value at i: (what it is, its start, its size, the place behind it or -1)."""
    c = _at(b, i, end)
    if c == 34:
        start = i + 1
        i = start
        while i < end and stop[b[i]] == 0:
            i += 1
        if _at(b, i, end) != 34:
            return _TEXT, start, 0, -1
        return _TEXT, start, i - start, i + 1
    numeric = c == 45 or 48 <= c <= 57
    last = _number_end(b, i, end) if numeric else _word_end(b, i, end)
    return (_NULL if c == 110 else _BARE), i, last - i, last


@nb.njit(cache=True, nogil=True)
def _same_text(b: Any, i: Any, other: Any, size: Any) -> Any:
    for j in range(size):  # noqa: SIM110 - numba compiles no generators
        if b[i + j] != b[other + j]:
            return False
    return True


@nb.njit(cache=True, nogil=True)
def _note_unknown(b: Any, start: Any, size: Any, owner: Any, unknown: Any, count: Any) -> Any:
    """Remember the place of an unknown key, once per name and owner, ten per owner at most; returns the new count."""
    places = unknown.places
    first = count
    while first > 0 and places[(first - 1) * 3] == owner:
        first -= 1
    if count - first >= UNKNOWN_MAX or count >= unknown.room:
        return count
    for k in range(first, count):
        if places[k * 3 + 2] == size and _same_text(b, start, places[k * 3 + 1], size):
            return count
    places[count * 3] = owner
    places[count * 3 + 1] = start
    places[count * 3 + 2] = size
    return count + 1


@nb.njit(cache=True, nogil=True)
def _record(b: Any, i: Any, end: Any, space: Any, keys: Any, row: Any, places: Any, owner: Any, unknown: Any) -> Any:
    """Scan the object that begins at i; returns the place behind its closing brace, or -1 for an odd record."""
    if b[i] != 123:
        return -1
    i = _skip(b, i + 1, end, space)
    seen, here, plain = np.int64(0), np.int64(0), np.int64(0)
    position = np.int64(0)  # A plain 0 would be a type of its own, for which all that takes it is compiled once more.
    count = unknown.count[0]
    more = _at(b, i, end) != 125
    while more:
        start = i + 1
        key, size, i = _key(b, i, end, keys, position)
        if i < 0:
            return -1
        position += 1
        i = _skip(b, i, end, space)
        if _at(b, i, end) != 58:
            return -1
        slot, bit = np.int64(-1), np.int64(0)
        if key >= 0:
            slot = keys.slots[key]
            bit = np.int64(1) << slot
        else:
            count = _note_unknown(b, start, size, owner, unknown, count)
        kind, start, size, i = _value(b, _skip(b, i + 1, end, space), end, keys.stop)
        if i < 0 or seen & bit:
            return -1
        seen |= bit
        if slot >= 0 and kind != _NULL and size > 0:
            places.starts[slot * places.room + row] = start
            places.sizes[slot * places.room + row] = size
            here |= bit
            plain |= bit if kind == _BARE else np.int64(0)
        i = _skip(b, i, end, space)
        more = _at(b, i, end) == 44
        if more:
            i = _skip(b, i + 1, end, space)
    if _at(b, i, end) != 125:
        return -1
    places.present[row] = here
    places.bare[row] = plain
    unknown.count[0] = count
    return i + 1


@nb.njit(cache=True, nogil=True)
def scan_lines(b: Any, position: Any, line: Any, owner: Any, ends: Any, keys: Any, places: Any, odd: Any, spans: Any,
               lines: Any, owners: Any, unknown: Any) -> Any:  # fmt: skip
    """Scan NDJSON from `position` until the arrays are full or the bytes end; bodies end at `ends`.

    Returns rows, the next position, the next line number and the body it is in.
    """
    n = len(b)
    rows = np.int64(0)
    keys_, places_, unknown_ = _pointers(keys, places, unknown)
    bytes_ = pointer(b)
    while rows < len(odd):
        position = _skip(bytes_, position, n, _LINE)
        if position >= n:
            break
        while position >= ends[owner]:
            owner += 1
            line = 1
        if bytes_[position] == 10:
            line += 1
            position += 1
            continue
        i = _record(bytes_, position, n, _LINE, keys_, rows, places_, owner, unknown_)
        if i >= 0:
            i = _skip(bytes_, i, n, _LINE)
        odd[rows] = SIMPLE
        if i < 0 or _at(bytes_, i, n) != (10 if i < n else 0):
            odd[rows] = ODD
            places.present[rows] = 0
            places.bare[rows] = 0
            i = position
            while i < n and bytes_[i] != 10:
                i += 1
        spans[rows, 0] = position
        spans[rows, 1] = i
        lines[rows] = line
        owners[rows] = owner
        rows += 1
        position = i
    return rows, position, line, owner


@nb.njit(cache=True, nogil=True)
def scan_spans(b: Any, keys: Any, places: Any, odd: Any, spans: Any, unknown: Any) -> None:
    """Scan the records at `spans`, shape (rows, 2): the elements of a JSON array."""
    keys_, places_, unknown_ = _pointers(keys, places, unknown)
    bytes_ = pointer(b)
    for row in range(len(odd)):
        first, end = spans[row, 0], spans[row, 1]
        i = _record(bytes_, first, end, _ANY, keys_, row, places_, np.int64(0), unknown_) if first < end else -1
        odd[row] = SIMPLE if i >= 0 and _skip(bytes_, i, end, _ANY) == end else ODD
        if odd[row]:
            places.present[row] = 0
            places.bare[row] = 0


@nb.njit(cache=True, nogil=True)
def _text_end(b: Any, i: Any, n: Any) -> Any:
    """The place behind the closing quote of the text whose content begins at i; n when it is not closed."""
    while i < n and b[i] != 34:
        i += 2 if b[i] == 92 else 1
    return min(i + 1, n)


@nb.njit(cache=True, nogil=True)
def _element(b: Any, i: Any, n: Any) -> Any:
    """The element that begins at i: (the end of its content, the place of its separator or -1)."""
    depth = 0
    last = i
    while i < n:
        c = b[i]
        if c == 34:
            i = _text_end(b, i + 1, n)
            last = i
            continue
        if depth == 0 and (c == 44 or c == 93):
            return last, i
        if c == 123 or c == 91:
            depth += 1
        elif c == 125 or c == 93:
            depth = max(depth - 1, 0)
        i += 1
        if not _is_space(c, _ANY):
            last = i
    return last, -1


@nb.njit(cache=True, nogil=True)
def split_array(b: Any, position: Any, spans: Any) -> Any:
    """Find the elements of a JSON array whose `[` or `,` was passed; fills `spans` with (start, end), shape (rows, 2).

    Returns rows, the place behind the last separator passed, and whether the closing bracket was met. An element is
    complete when its separator is there; brackets are counted, texts are skipped, nothing else is checked.
    """
    n = len(b)
    bytes_ = pointer(b)
    for rows in range(len(spans)):
        first = _skip(bytes_, position, n, _ANY)
        last, i = _element(bytes_, first, n)
        if i < 0:
            return rows, position, False
        spans[rows, 0] = first
        spans[rows, 1] = last
        position = i + 1
        if bytes_[i] == 93:
            return rows + 1, position, True
    return len(spans), position, False
