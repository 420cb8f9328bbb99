"""From places of values in bytes to typed columns (numba). What a kernel does not know for sure it marks as bad.

Every kernel reads one field of n records: value i is `b[starts[i] : starts[i] + sizes[i]]` where bit `bit` of
`present[i]` is set. It writes the column and sets `bad[i]` to 1 for every record that the slow path has to look at.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from finer.kit.hashing import mix

_CURRENCIES = 26 * 26 * 26
_LIMIT = np.int64(10) ** 17
_I64 = np.int64


@nb.njit(cache=True, nogil=True)
def _allowed_value(b, start, size, allowed, allowed_sizes, fold):
    """The number of the allowed value that stands here, or -1."""
    for k in range(len(allowed_sizes)):
        if allowed_sizes[k] != size:
            continue
        same = True
        for j in range(size):
            if b[start + j] != allowed[k, j]:
                same = False
                break
        if same:
            return k
    if not fold:
        return -1
    for k in range(len(allowed_sizes)):
        if allowed_sizes[k] != size:
            continue
        same = True
        for j in range(size):
            c = b[start + j]
            if 65 <= c <= 90:
                c += 32
            if c != allowed[k, j]:
                same = False
                break
        if same:
            return k
    return -1


@nb.njit(cache=True, nogil=True)
def _is_digits(b, start, size):
    for j in range(size):
        if b[start + j] < 48 or b[start + j] > 57:
            return False
    return size > 0


@nb.njit(cache=True, nogil=True)
def text_column(b, starts, sizes, present, bit, bare, from_number, source_starts, source_sizes, source_bit,
                default, required, shortest, longest, classes, last_class, allowed, allowed_sizes, fold, bad):  # fmt: skip
    """A text column: (offsets int32[n + 1], data uint8, valid bool[n], nulls).

    An absent value is taken from the source field (source_bit >= 0), then from `default` (when not empty).
    Lengths count code points; `classes` is (positions, 256) of allowed bytes, the last one for all that follow.
    """
    n = len(bad)
    offsets = np.empty(n + 1, np.int32)
    valid = np.empty(n, np.bool_)
    room = 0
    for i in range(n):
        if (present[i] >> bit) & 1:
            room += min(sizes[i], 4 * longest)
        elif source_bit >= 0 and (present[i] >> source_bit) & 1:
            room += min(source_sizes[i], 4 * longest)
        else:
            room += len(default)
    data = np.empty(room, np.uint8)
    nulls = 0
    o = 0
    for i in range(n):
        offsets[i] = o
        valid[i] = True
        if (present[i] >> bit) & 1:
            start, size, field_bit = starts[i], sizes[i], bit
        elif source_bit >= 0 and (present[i] >> source_bit) & 1:
            start, size, field_bit = source_starts[i], source_sizes[i], source_bit
        elif len(default) > 0:
            for j in range(len(default)):
                data[o + j] = default[j]
            o += len(default)
            continue
        else:
            valid[i] = False
            nulls += 1
            if required:
                bad[i] = 1
            continue
        if size > 4 * longest or ((bare[i] >> field_bit) & 1 and not (from_number and _is_digits(b, start, size))):
            bad[i] = 1
            continue
        if len(allowed_sizes) > 0:
            k = _allowed_value(b, start, size, allowed, allowed_sizes, fold)
            if k < 0:
                bad[i] = 1
                continue
            for j in range(size):
                data[o + j] = allowed[k, j]
            o += size
            continue
        points = size
        union = np.uint8(0)
        zero = False
        for j in range(size):
            c = b[start + j]
            data[o + j] = c
            union |= c
            zero |= c == 0
        if union >= 128:
            for j in range(size):
                points -= 1 if (b[start + j] & 0xC0) == 0x80 else 0
        if zero or points < shortest or points > longest:
            bad[i] = 1
        if last_class >= 0:
            for j in range(size):
                if not classes[min(j, last_class), b[start + j]]:
                    bad[i] = 1
                    break
        o += size
    offsets[n] = o
    return offsets, data[:o], valid, nulls


@nb.njit(cache=True, nogil=True)
def currency_exponents(offsets, data, exponents, out, bad):
    """The exponent of every record's currency, int8[n]; a text that is not three capital letters is bad."""
    for i in range(len(out)):
        out[i] = 2
        start = offsets[i]
        if offsets[i + 1] - start != 3:
            bad[i] = 1
            continue
        place = _I64(0)
        good = True
        for j in range(3):
            c = _I64(data[start + j]) - 65
            good &= 0 <= c < 26
            place = place * 26 + c
        if good:
            out[i] = exponents[place]
        else:
            bad[i] = 1


@nb.njit(cache=True, nogil=True)
def money_column(b, starts, sizes, present, bit, required, exponents, lows, highs, out, valid, bad):
    """Minor units, int64[n], of decimals like -12.34, exact; `lows` and `highs` are limits per exponent. Counts nulls."""
    nulls = 0
    for i in range(len(out)):
        out[i] = 0
        valid[i] = True
        if not (present[i] >> bit) & 1:
            valid[i] = False
            nulls += 1
            if required:
                bad[i] = 1
            continue
        j, end = _I64(starts[i]), _I64(starts[i]) + sizes[i]
        negative = j < end and b[j] == 45
        if negative:
            j += 1
        value = _I64(0)
        digits = 0
        decimals = -1
        while j < end:
            c = _I64(b[j]) - 48
            if 0 <= c <= 9 and value < _LIMIT:
                value = value * 10 + c
                digits += 1
                if decimals >= 0:
                    decimals += 1
            elif c == -2 and decimals < 0 and digits > 0:
                decimals = 0
            else:
                break
            j += 1
        if j != end or digits == 0 or decimals == 0:
            bad[i] = 1
            continue
        exponent = _I64(exponents[i])
        places = _I64(max(decimals, 0))
        while places > exponent and value % 10 == 0:
            value //= 10
            places -= 1
        while places < exponent and value < _LIMIT:
            value *= 10
            places += 1
        if negative:
            value = -value
        if places != exponent or value < lows[exponent] or value > highs[exponent]:
            bad[i] = 1
        out[i] = value
    return nulls


@nb.njit(cache=True, nogil=True)
def integer_column(b, starts, sizes, present, bit, bare, texts, required, low, high, out, valid, bad):
    """Integers, int64[n]; `texts` says whether texts hold numbers (CSV). Counts nulls."""
    nulls = 0
    for i in range(len(out)):
        out[i] = 0
        valid[i] = True
        if not (present[i] >> bit) & 1:
            valid[i] = False
            nulls += 1
            if required:
                bad[i] = 1
            continue
        j, end = _I64(starts[i]), _I64(starts[i]) + sizes[i]
        negative = b[j] == 45
        if negative:
            j += 1
        if end - j > 17 or not _is_digits(b, j, end - j) or not (texts or (bare[i] >> bit) & 1):
            bad[i] = 1
            continue
        value = _I64(0)
        while j < end:
            value = value * 10 + _I64(b[j]) - 48
            j += 1
        if negative:
            value = -value
        if value < low or value > high:
            bad[i] = 1
        out[i] = value
    return nulls


@nb.njit(cache=True, nogil=True)
def number_column(b, starts, sizes, present, bit, bare, texts, required, low, high, powers, out, valid, bad):
    """Numbers, float64[n]: up to 15 digits and 22 decimals, where one division of exact values rounds correctly."""
    nulls = 0
    for i in range(len(out)):
        out[i] = 0.0
        valid[i] = True
        if not (present[i] >> bit) & 1:
            valid[i] = False
            nulls += 1
            if required:
                bad[i] = 1
            continue
        j, end = _I64(starts[i]), _I64(starts[i]) + sizes[i]
        negative = b[j] == 45
        if negative:
            j += 1
        value = _I64(0)
        digits = 0
        decimals = -1
        while j < end:
            c = _I64(b[j]) - 48
            if 0 <= c <= 9 and digits < 15:
                value = value * 10 + c
                digits += 1
                if decimals >= 0:
                    decimals += 1
            elif c == -2 and decimals < 0 and digits > 0:
                decimals = 0
            else:
                break
            j += 1
        if j != end or digits == 0 or decimals == 0 or not (texts or (bare[i] >> bit) & 1):
            bad[i] = 1
            continue
        number = np.float64(value)
        if decimals > 0:
            number /= powers[decimals]
        if negative:
            number = -number
        if not low <= number <= high:
            bad[i] = 1
        out[i] = number
    return nulls


@nb.njit(cache=True, nogil=True)
def boolean_column(b, starts, sizes, present, bit, bare, required, out, valid, bad):
    """Booleans, bool[n], of the bare words true and false. Counts nulls."""
    nulls = 0
    for i in range(len(out)):
        out[i] = False
        valid[i] = True
        if not (present[i] >> bit) & 1:
            valid[i] = False
            nulls += 1
            if required:
                bad[i] = 1
            continue
        first = b[starts[i]]
        if not (bare[i] >> bit) & 1 or (first != 116 and first != 102):
            bad[i] = 1
        out[i] = first == 116
    return nulls


@nb.njit(cache=True, nogil=True)
def spread(words):
    """A hash of every word, uint64[n], never 0."""
    out = np.empty(len(words), np.uint64)
    for i in range(len(words)):
        h = mix(words[i] ^ np.uint64(0x9E3779B97F4A7C15))
        out[i] = h if h != 0 else np.uint64(1)
    return out


@nb.njit(cache=True, nogil=True)
def fold(state, hashes):
    """A running hash per row, uint64[n], with one more column folded in; the order of the columns matters."""
    out = np.empty(len(state), np.uint64)
    for i in range(len(state)):
        out[i] = mix(state[i] * np.uint64(0xBF58476D1CE4E5B9) + mix(hashes[i] ^ np.uint64(0x94D049BB133111EB)))
    return out
