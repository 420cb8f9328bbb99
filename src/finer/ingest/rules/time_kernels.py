"""Dates and times from bytes (numba), for the fast path; `times` is what they mean. Same conventions as `kernels`."""

from __future__ import annotations

import numba as nb
import numpy as np

_I64 = np.int64


@nb.njit(cache=True, nogil=True, inline="always")
def _digits2(b, i):
    high, low = _I64(b[i]) - 48, _I64(b[i + 1]) - 48
    return high * 10 + low if 0 <= high <= 9 and 0 <= low <= 9 else _I64(-1_000_000)


@nb.njit(cache=True, nogil=True)
def _date(b, i):
    """Days since 1970 of YYYY-MM-DD at i, years 1 to 9999; -10 million when it is none (ten bytes must be there)."""
    year = _digits2(b, i) * 100 + _digits2(b, i + 2)
    month, day = _digits2(b, i + 5), _digits2(b, i + 8)
    if year < 1 or b[i + 4] != 45 or b[i + 7] != 45 or not 1 <= month <= 12 or day < 1:
        return _I64(-10_000_000)
    longest = 31
    if month == 2:
        longest = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    elif month == 4 or month == 6 or month == 9 or month == 11:
        longest = 30
    if day > longest:
        return _I64(-10_000_000)
    # Days from civil: the year begins in March, so the leap day is its last.
    y = year - 1 if month <= 2 else year
    era = y // 400
    of_era = y - era * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@nb.njit(cache=True, nogil=True)
def _time(b, i, end):
    """Microseconds since midnight of HH:MM:SS[.fraction][Z|+HH:MM] in [i, end), shifted by the zone; -10**15 if none."""
    none = _I64(-1_000_000_000_000_000)
    if end - i < 8:
        return none
    h, m, s = _digits2(b, i), _digits2(b, i + 3), _digits2(b, i + 6)
    if b[i + 2] != 58 or b[i + 5] != 58 or not 0 <= h <= 23 or not 0 <= m <= 59 or not 0 <= s <= 59:
        return none
    value = ((h * 60 + m) * 60 + s) * 1_000_000
    i += 8
    if i < end and b[i] == 46:
        i += 1
        first = i
        unit = _I64(100_000)
        while i < end and 48 <= b[i] <= 57:
            value += (_I64(b[i]) - 48) * unit
            unit //= 10
            i += 1
        if i == first or i - first > 12:
            return none
    if i == end:
        return value
    if b[i] == 90 and i + 1 == end:
        return value
    if i + 6 != end or (b[i] != 43 and b[i] != 45) or b[i + 3] != 58:
        return none
    h, m = _digits2(b, i + 1), _digits2(b, i + 4)
    if not 0 <= h <= 23 or not 0 <= m <= 59:
        return none
    shift = (h * 60 + m) * 60_000_000
    return value - shift if b[i] == 43 else value + shift


@nb.njit(cache=True, nogil=True)
def timestamp_column(b, starts, sizes, present, bit, bare, date_starts, date_sizes, date_bit, time_starts, time_sizes,
                     time_bit, required, has_default, default, local, low, high, out, valid, bad):  # fmt: skip
    """Microseconds since 1970 UTC, int64[n], of ISO 8601 texts, or of a date and a time given apart. Counts nulls."""
    nulls = 0
    for i in range(len(out)):
        out[i] = 0
        valid[i] = True
        apart = date_bit >= 0 and ((present[i] >> date_bit) & 1 or (present[i] >> time_bit) & 1)
        if apart:
            both = (present[i] >> date_bit) & 1 and (present[i] >> time_bit) & 1
            if not both or (present[i] >> bit) & 1 or date_sizes[i] != 10:
                bad[i] = 1
                continue
            if (bare[i] >> date_bit) & 1 or (bare[i] >> time_bit) & 1:
                bad[i] = 1
                continue
            days = _date(b, date_starts[i])
            time = _time(b, time_starts[i], _I64(time_starts[i]) + time_sizes[i])
        elif (present[i] >> bit) & 1:
            start, size = _I64(starts[i]), sizes[i]
            if (bare[i] >> bit) & 1 or size < 19 or (b[start + 10] != 84 and b[start + 10] != 32):
                bad[i] = 1
                continue
            days = _date(b, start)
            time = _time(b, start + 11, start + size)
            # A zone is a Z or six characters like +08:00; behind a bare time stand digits only.
            if local and (b[start + size - 1] == 90 or (size > 19 and b[start + size - 3] == 58)):
                bad[i] = 1
        else:
            if has_default:
                out[i] = default
                continue
            valid[i] = False
            nulls += 1
            if required:
                bad[i] = 1
            continue
        value = days * 86_400_000_000 + time
        if days <= -10_000_000 or time <= -1_000_000_000_000 or value < low or value > high:
            bad[i] = 1
        out[i] = value
    return nulls


@nb.njit(cache=True, nogil=True)
def date_column(b, starts, sizes, present, bit, bare, required, low, high, out, valid, bad):
    """Days since 1970, int32[n], of YYYY-MM-DD. Counts nulls."""
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
        if sizes[i] != 10 or (bare[i] >> bit) & 1:
            bad[i] = 1
            continue
        days = _date(b, starts[i])
        if days < low or days > high:
            bad[i] = 1
            continue
        out[i] = days
    return nulls
