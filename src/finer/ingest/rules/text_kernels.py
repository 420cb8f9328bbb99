"""Texts from places in bytes to columns (numba): all text fields of a contract in one call.

A call of a compiled function costs as much as a hundred short texts, so that fields one by one would cost a record
that comes alone more than everything else that is done with it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba as nb
import numpy as np

from finer.ingest.rules.kernels import has
from finer.kit.pointers import pointer


class TextRules(NamedTuple):
    """Lengths in code points, the last position of the pattern's classes (-1: no pattern), and case folding.

    The classes are (positions, 256) of allowed bytes, the last one for all positions that follow.
    """

    shortest: int
    longest: int
    last_class: int
    fold: bool


class Allowed(NamedTuple):
    """The `many` allowed values of a field as rows of `width` bytes, and their sizes; none: everything is allowed."""

    texts: Any
    sizes: Any
    many: int
    width: int


class Texts(NamedTuple):
    """What is known of text fields: a row of `places` for each, see `_SLOT` and its neighbours.

    `bytes` holds their fillings, the classes of their patterns and their allowed values, `sizes` those of the latter.
    """

    places: Any
    bytes: Any
    sizes: Any


_SLOT, _SOURCE, _FROM_NUMBER, _REQUIRED, _SHORTEST, _LONGEST, _LAST_CLASS, _FOLD = 0, 1, 2, 3, 4, 5, 6, 7
_FILLING, _FILLING_SIZE, _CLASSES, _ALLOWED, _ALLOWED_SIZES, _MANY, _WIDTH = 8, 9, 10, 11, 12, 13, 14
_I64 = np.int64


@nb.njit(cache=True, nogil=True)
def _lower(c: Any) -> Any:
    return c + 32 if 65 <= c <= 90 else c


@nb.njit(cache=True, nogil=True)
def _equals(b: Any, start: Any, size: Any, allowed: Any, first: Any, fold: Any) -> Any:
    for j in range(size):
        c = b[start + j]
        if c != allowed[first + j] and not (fold and _lower(c) == allowed[first + j]):
            return False
    return True


@nb.njit(cache=True, nogil=True)
def _allowed_value(b: Any, start: Any, size: Any, allowed: Any, fold: Any) -> Any:
    """Where the allowed value begins that stands here, or -1; as it is spelled before any other case."""
    for k in range(allowed.many):
        if allowed.sizes[k] == size and _equals(b, start, size, allowed.texts, k * allowed.width, False):
            return k * allowed.width
    if fold:
        for k in range(allowed.many):
            if allowed.sizes[k] == size and _equals(b, start, size, allowed.texts, k * allowed.width, True):
                return k * allowed.width
    return -1


@nb.njit(cache=True, nogil=True)
def _is_digits(b: Any, start: Any, size: Any) -> Any:
    for j in range(size):
        if b[start + j] < 48 or b[start + j] > 57:
            return False
    return size > 0


@nb.njit(cache=True, nogil=True)
def _copy(b: Any, start: Any, size: Any, data: Any, o: Any) -> Any:
    """Copy a text; returns its length in code points, or -1 when it holds a zero byte."""
    union = np.uint8(0)
    zero = False
    for j in range(size):
        c = b[start + j]
        data[o + j] = c
        union |= c
        zero |= c == 0
    if zero:
        return -1
    points = size
    if union >= 128:
        for j in range(size):
            points -= 1 if (b[start + j] & 0xC0) == 0x80 else 0
    return points


@nb.njit(cache=True, nogil=True)
def _fits(b: Any, start: Any, size: Any, classes: Any, last_class: Any) -> Any:
    """Whether every byte is one of those that the pattern allows at its position."""
    for j in range(size):  # noqa: SIM110 - numba compiles no generators
        if classes[min(j, last_class) * 256 + b[start + j]] == 0:
            return False
    return True


@nb.njit(cache=True, nogil=True)
def _put(b: Any, start: Any, size: Any, data: Any, o: Any, rules: Any, classes: Any, allowed: Any) -> Any:
    """Write one text at data[o]; whether it keeps the rules of its field."""
    if allowed.many > 0:
        first = _allowed_value(b, start, size, allowed, rules.fold)
        if first >= 0:
            _copy(allowed.texts, first, size, data, o)
        return first >= 0
    points = _copy(b, start, size, data, o)
    if points < rules.shortest or points > rules.longest:
        return False
    return rules.last_class < 0 or _fits(b, start, size, classes, rules.last_class)


@nb.njit(cache=True, nogil=True)
def _points(b: Any, start: Any, size: Any) -> Any:
    """The length of a text in code points, or -1 when it holds a zero byte."""
    points = size
    for j in range(size):
        c = b[start + j]
        if c == 0:
            return -1
        points -= 1 if (c & 0xC0) == 0x80 else 0
    return points


@nb.njit(cache=True, nogil=True)
def text_stays(offsets: Any, data: Any, valid: Any, plain: Any, required: Any, rules: Any, classes: Any, allowed: Any,
               bad: Any) -> Any:  # fmt: skip
    """Whether a text column may stay as it is: not with an empty text, nor with one that is allowed in another case.

    `offsets` int32[n + 1] and `data` are Arrow's; an empty `valid` says that every row has a value, `plain` that every
    byte is ASCII and none is zero. Marks in `bad` what breaks the rules, as `text_columns` does.
    """
    cell = 4 * rules.longest
    bytes_, classes_ = pointer(data), pointer(classes)
    allowed_ = Allowed(pointer(allowed.texts), pointer(allowed.sizes), allowed.many, allowed.width)
    for i in range(len(bad)):
        if len(valid) > 0 and not valid[i]:
            bad[i] |= required
            continue
        start = _I64(offsets[i])
        size = offsets[i + 1] - start
        if size == 0:
            return False
        if allowed.many > 0:
            if _allowed_value(bytes_, start, size, allowed_, False) < 0:
                if rules.fold and _allowed_value(bytes_, start, size, allowed_, True) >= 0:
                    return False
                bad[i] = 1
            continue
        points = size if plain or size > cell else _points(bytes_, start, size)
        fits = rules.last_class < 0 or _fits(bytes_, start, size, classes_, rules.last_class)
        if not fits or points < rules.shortest or points > rules.longest:
            bad[i] = 1
    return True


@nb.njit(cache=True, nogil=True)
def text_room(sizes: Any, present: Any, places: Any) -> Any:
    """Bytes that the text columns take at most."""
    room = 0
    for c in range(len(places)):
        slot, source, cell = places[c, _SLOT], places[c, _SOURCE], 4 * places[c, _LONGEST]
        for i in range(len(present)):
            if has(present[i], slot):
                room += min(_I64(sizes[slot, i]), cell)
            elif source >= 0 and has(present[i], source):
                room += min(_I64(sizes[source, i]), cell)
            else:
                room += places[c, _FILLING_SIZE]
    return room


@nb.njit(cache=True, nogil=True)
def text_columns(b: Any, starts: Any, sizes: Any, present: Any, bare: Any, plain: Any, fields: Any, data: Any,
                 offsets: Any, valid: Any, counts: Any, bad: Any) -> None:  # fmt: skip
    """Write every text field of n records: `offsets` int32[fields, n + 1] from 0, `valid` bool[fields, n], and `data`.

    The texts of the fields stand in `data` one behind the other; `counts` int64[fields, 2] says how many bytes and how
    many nulls each has. `plain` says that the source writes everything as text. An absent value is taken from the
    source field, then from the filling.
    """
    bytes_, pool = pointer(b), pointer(fields.bytes)
    begin: Any = 0
    for c in range(len(fields.places)):
        own = fields.places[c]
        slot, source, longest = own[_SLOT], own[_SOURCE], own[_LONGEST]
        rules = TextRules(own[_SHORTEST], longest, own[_LAST_CLASS], own[_FOLD] != 0)
        spellings, spelt = fields.bytes[own[_ALLOWED] :], fields.sizes[own[_ALLOWED_SIZES] :]
        allowed = Allowed(pointer(spellings), pointer(spelt), own[_MANY], own[_WIDTH])
        classes, data_ = pointer(fields.bytes[own[_CLASSES] :]), pointer(data[begin:])
        numbers = plain or own[_FROM_NUMBER] != 0
        o: Any = _I64(0)  # A plain 0 would be a type of its own, for which all that takes it is compiled once more.
        nulls = 0
        for i in range(len(bad)):
            offsets[c, i] = o
            valid[c, i] = True
            start, size, taken = _I64(0), _I64(0), slot
            if has(present[i], slot):
                start, size = _I64(starts[slot, i]), _I64(sizes[slot, i])
            elif source >= 0 and has(present[i], source):
                start, size, taken = _I64(starts[source, i]), _I64(sizes[source, i]), source
            elif own[_FILLING_SIZE] > 0:
                _copy(pool, own[_FILLING], own[_FILLING_SIZE], data_, o)
                o += own[_FILLING_SIZE]
                continue
            else:
                valid[c, i] = False
                nulls += 1
                bad[i] |= np.uint8(own[_REQUIRED])
                continue
            number = has(bare[i], taken)
            if size > 4 * longest or (number and not (numbers and _is_digits(bytes_, start, size))):
                bad[i] = 1
                continue
            if not _put(bytes_, start, size, data_, o, rules, classes, allowed):
                bad[i] = 1
            o += size
        offsets[c, len(bad)] = o
        counts[c, 0], counts[c, 1] = o, nulls
        begin += o
