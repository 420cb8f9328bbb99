"""From places of values in bytes to typed columns (numba). What a kernel does not know for sure it marks as bad.

Every kernel reads one field of n records: value i is `b[starts[i] : starts[i] + sizes[i]]` where bit `bit` of
`present[i]` is set. It writes the column and sets `bad[i]` to 1 for every record that the slow path has to look at.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba as nb
import numpy as np

from finer.kit.hashing import mix
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


_I64 = np.int64
_MONEY_DIGITS = 17
_NUMBER_DIGITS = 15
_LIMIT = _I64(10) ** 17


@nb.njit(cache=True, nogil=True)
def _has(mask: Any, bit: Any) -> Any:
    return (mask >> bit) & 1


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
def _room(sizes: Any, source_sizes: Any, present: Any, bit: Any, source_bit: Any, filling: Any, cell: Any) -> Any:
    """Bytes that a text column takes at most."""
    room = 0
    for i in range(len(present)):
        if _has(present[i], bit):
            room += min(sizes[i], cell)
        elif source_bit >= 0 and _has(present[i], source_bit):
            room += min(source_sizes[i], cell)
        else:
            room += filling
    return room


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
def text_column(b: Any, starts: Any, sizes: Any, present: Any, bit: Any, bare: Any, from_number: Any,
                source_starts: Any, source_sizes: Any, source_bit: Any, filling: Any, required: Any, rules: Any,
                classes: Any, allowed: Any, bad: Any) -> Any:  # fmt: skip
    """A text column: (offsets int32[n + 1], data uint8, valid bool[n], nulls).

    An absent value is taken from the source field (source_bit >= 0), then from `filling` (when not empty).
    """
    n = len(bad)
    cell = 4 * rules.longest
    offsets = np.empty(n + 1, np.int32)
    valid = np.ones(n, np.bool_)
    data = np.empty(_room(sizes, source_sizes, present, bit, source_bit, len(filling), cell), np.uint8)
    nulls = 0
    o: Any = 0
    bytes_, data_, filling_, classes_ = pointer(b), pointer(data), pointer(filling), pointer(classes)
    allowed_ = Allowed(pointer(allowed.texts), pointer(allowed.sizes), allowed.many, allowed.width)
    for i in range(n):
        offsets[i] = o
        start, size, taken = _I64(0), _I64(0), bit
        if _has(present[i], bit):
            start, size = _I64(starts[i]), _I64(sizes[i])
        elif source_bit >= 0 and _has(present[i], source_bit):
            start, size, taken = _I64(source_starts[i]), _I64(source_sizes[i]), source_bit
        elif len(filling) > 0:
            _copy(filling_, 0, len(filling), data_, o)
            o += len(filling)
            continue
        else:
            valid[i] = False
            nulls += 1
            bad[i] |= required
            continue
        number = _has(bare[i], taken)
        if size > cell or (number and not (from_number and _is_digits(bytes_, start, size))):
            bad[i] = 1
            continue
        if not _put(bytes_, start, size, data_, o, rules, classes_, allowed_):
            bad[i] = 1
        o += size
    offsets[n] = o
    return offsets, data[:o], valid, nulls


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
    byte is ASCII and none is zero. Marks in `bad` what breaks the rules, as `text_column` does.
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
def currency_exponents(offsets: Any, data: Any, exponents: Any, out: Any, bad: Any) -> None:
    """The exponent of every record's currency, int8[n]; a text that is not three capital letters is bad."""
    for i in range(len(out)):
        out[i] = 2
        start = offsets[i]
        if offsets[i + 1] - start != 3:
            bad[i] = 1
            continue
        place: Any = _I64(0)
        good: Any = True
        for j in range(3):
            c = _I64(data[start + j]) - 65
            good &= 0 <= c < 26
            place = place * 26 + c
        if good:
            out[i] = exponents[place]
        else:
            bad[i] = 1


@nb.njit(cache=True, nogil=True)
def nulls_of(present: Any, bit: Any, required: Any, valid: Any, bad: Any) -> Any:
    """Fill `valid`, mark records without a required value as bad, and count those without."""
    nulls = 0
    for i in range(len(valid)):
        valid[i] = _has(present[i], bit)
        if not valid[i]:
            nulls += 1
            bad[i] |= required
    return nulls


@nb.njit(cache=True, nogil=True)
def _decimal(b: Any, j: Any, end: Any, digits_max: Any) -> Any:
    """A decimal like -12.34 in [j, end): (digits as an integer with sign, decimals), or decimals -1 when it is none."""
    negative = bool(b[j] == 45)
    if negative:
        j += 1
    value: Any = _I64(0)
    first = j
    point = _I64(-1)
    while j < end:
        c = _I64(b[j]) - 48
        if 0 <= c <= 9:
            value = value * 10 + c
        elif c == -2 and point < 0:
            point = j
        else:
            return value, -1
        j += 1
        if j - first > digits_max + 1:
            return value, -1
    decimals = end - point - 1 if point >= 0 else 0
    digits = end - first - (1 if point >= 0 else 0)
    if digits == 0 or digits > digits_max or point == first or point == end - 1:
        return value, -1
    return (-value if negative else value), decimals


@nb.njit(cache=True, nogil=True)
def money_column(b: Any, starts: Any, sizes: Any, present: Any, bit: Any, required: Any, exponents: Any, lows: Any,
                 highs: Any, out: Any, valid: Any, bad: Any) -> Any:  # fmt: skip
    """Minor units, int64[n], of decimals like -12.34, exact; limits are per exponent. Counts nulls."""
    nulls = nulls_of(present, bit, required, valid, bad)
    bytes_ = pointer(b)
    for i in range(len(out)):
        out[i] = 0
        if not valid[i]:
            continue
        value, places = _decimal(bytes_, _I64(starts[i]), _I64(starts[i]) + sizes[i], _MONEY_DIGITS)
        exponent = _I64(exponents[i])
        while places > exponent and value % 10 == 0:
            value //= 10
            places -= 1
        while 0 <= places < exponent and -_LIMIT < value < _LIMIT:
            value *= 10
            places += 1
        if places != exponent or value < lows[exponent] or value > highs[exponent]:
            bad[i] = 1
        out[i] = value
    return nulls


@nb.njit(cache=True, nogil=True)
def integer_column(b: Any, starts: Any, sizes: Any, present: Any, bit: Any, bare: Any, texts: Any, required: Any,
                   low: Any, high: Any, out: Any, valid: Any, bad: Any) -> Any:  # fmt: skip
    """Integers, int64[n]; `texts` says whether texts hold numbers (CSV). Counts nulls."""
    nulls = nulls_of(present, bit, required, valid, bad)
    bytes_ = pointer(b)
    for i in range(len(out)):
        out[i] = 0
        if not valid[i]:
            continue
        value, places = _decimal(bytes_, _I64(starts[i]), _I64(starts[i]) + sizes[i], _MONEY_DIGITS)
        if places != 0 or value < low or value > high or not (texts or _has(bare[i], bit)):
            bad[i] = 1
        out[i] = value
    return nulls


@nb.njit(cache=True, nogil=True)
def number_column(b: Any, starts: Any, sizes: Any, present: Any, bit: Any, bare: Any, texts: Any, required: Any,
                  low: Any, high: Any, powers: Any, out: Any, valid: Any, bad: Any) -> Any:  # fmt: skip
    """Numbers, float64[n], of at most 15 digits: then one division of two exact values rounds correctly."""
    nulls = nulls_of(present, bit, required, valid, bad)
    bytes_ = pointer(b)
    for i in range(len(out)):
        out[i] = 0.0
        if not valid[i]:
            continue
        start = _I64(starts[i])
        value, places = _decimal(bytes_, start, start + sizes[i], _NUMBER_DIGITS)
        if places < 0 or not (texts or _has(bare[i], bit)):
            bad[i] = 1
            continue
        number = np.float64(value) / powers[places]
        if value == 0 and b[start] == 45:
            number = -number
        if not low <= number <= high:
            bad[i] = 1
        out[i] = number
    return nulls


@nb.njit(cache=True, nogil=True)
def boolean_column(b: Any, starts: Any, present: Any, bit: Any, bare: Any, required: Any, out: Any,
                   valid: Any, bad: Any) -> Any:  # fmt: skip
    """Booleans, bool[n], of the bare words true and false. Counts nulls."""
    nulls = nulls_of(present, bit, required, valid, bad)
    for i in range(len(out)):
        out[i] = False
        if not valid[i]:
            continue
        first = b[starts[i]]
        if not _has(bare[i], bit) or (first != 116 and first != 102):
            bad[i] = 1
        out[i] = first == 116
    return nulls


@nb.njit(cache=True, nogil=True)
def spread(words: Any) -> Any:
    """A hash of every word, uint64[n], never 0."""
    out = np.empty(len(words), np.uint64)
    for i in range(len(words)):
        h = mix(words[i] ^ np.uint64(0x9E3779B97F4A7C15))
        out[i] = h if h != 0 else np.uint64(1)
    return out


@nb.njit(cache=True, nogil=True)
def fold(state: Any, hashes: Any) -> Any:
    """A running hash per row, uint64[n], with one more column folded in; the order of the columns matters."""
    out = np.empty(len(state), np.uint64)
    for i in range(len(state)):
        out[i] = mix(state[i] * np.uint64(0xBF58476D1CE4E5B9) + mix(hashes[i] ^ np.uint64(0x94D049BB133111EB)))
    return out


@nb.njit(cache=True, nogil=True)
def fold_all(hashes: Any) -> Any:
    """One running hash per row, uint64[n], over the columns of `hashes` (columns, n); their order matters."""
    state = np.full(hashes.shape[1], np.uint64(0x452821E638D01377), np.uint64)
    for column in range(hashes.shape[0]):
        for i in range(hashes.shape[1]):
            state[i] = mix(
                state[i] * np.uint64(0xBF58476D1CE4E5B9) + mix(hashes[column, i] ^ np.uint64(0x94D049BB133111EB))
            )
    return state
