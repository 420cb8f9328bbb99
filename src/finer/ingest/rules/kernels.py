"""From places of values in bytes to typed columns (numba). What a kernel does not know for sure it marks as bad.

Every kernel reads one field of n records: value i is `b[starts[i] : starts[i] + sizes[i]]` where bit `bit` of
`present[i]` is set. It writes the column and sets `bad[i]` to 1 for every record that the slow path has to look at.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from finer.kit.hashing import mix
from finer.kit.pointers import pointer

_I64 = np.int64
_MONEY_DIGITS = 17
_NUMBER_DIGITS = 15
_LIMIT = _I64(10) ** 17


@nb.njit(cache=True, nogil=True)
def has(mask: Any, bit: Any) -> Any:
    """Whether a record has a value in the slot `bit`."""
    return (mask >> bit) & 1


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
        valid[i] = has(present[i], bit)
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
        if places != 0 or value < low or value > high or not (texts or has(bare[i], bit)):
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
        if places < 0 or not (texts or has(bare[i], bit)):
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
        if not has(bare[i], bit) or (first != 116 and first != 102):
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
