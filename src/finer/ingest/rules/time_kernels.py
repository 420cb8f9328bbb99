"""Dates and times from bytes (numba), for the fast path; `times` is what they mean. Same conventions as `kernels`."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from finer.ingest.rules.kernels import nulls_of
from finer.kit.pointers import pointer

_I64 = np.int64
_NO_DATE = _I64(-10_000_000)
_NO_TIME = _I64(-1_000_000_000_000_000)
_TIME_MIN = _I64(-1_000_000_000_000)


@nb.njit(cache=True, nogil=True)
def _digits2(b: Any, i: Any) -> Any:
    high, low = _I64(b[i]) - 48, _I64(b[i + 1]) - 48
    return high * 10 + low if 0 <= high <= 9 and 0 <= low <= 9 else _I64(-1_000_000)


@nb.njit(cache=True, nogil=True)
def _is_day(year: Any, month: Any, day: Any) -> Any:
    if year < 1 or not 1 <= month <= 12:
        return False
    longest = 30 + ((month + (month >> 3)) & 1)
    if month == 2:
        longest = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 1 <= day <= longest


@nb.njit(cache=True, nogil=True)
def _date(b: Any, i: Any) -> Any:
    """Days since 1970 of YYYY-MM-DD at i, years 1 to 9999, or _NO_DATE (ten bytes must be there)."""
    year = _digits2(b, i) * 100 + _digits2(b, i + 2)
    month, day = _digits2(b, i + 5), _digits2(b, i + 8)
    if b[i + 4] != 45 or b[i + 7] != 45 or not _is_day(year, month, day):
        return _NO_DATE
    # Days from civil: the year begins in March, so the leap day is its last.
    y = year - 1 if month <= 2 else year
    era = y // 400
    of_era = y - era * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@nb.njit(cache=True, nogil=True)
def _fraction(b: Any, i: Any, end: Any) -> Any:
    """Microseconds of the digits from i on, and the place behind them."""
    value = _I64(0)
    unit = _I64(100_000)
    while i < end and 48 <= b[i] <= 57:
        value += (_I64(b[i]) - 48) * unit
        unit //= 10
        i += 1
    return value, i


@nb.njit(cache=True, nogil=True)
def _zone(b: Any, i: Any, end: Any) -> Any:
    """Microseconds by which the zone in [i, end) is ahead of UTC, or _NO_TIME."""
    if i == end or (b[i] == 90 and i + 1 == end):
        return _I64(0)
    if i + 6 != end or (b[i] != 43 and b[i] != 45) or b[i + 3] != 58:
        return _NO_TIME
    h, m = _digits2(b, i + 1), _digits2(b, i + 4)
    if not 0 <= h <= 23 or not 0 <= m <= 59:
        return _NO_TIME
    ahead = (h * 60 + m) * 60_000_000
    return ahead if b[i] == 43 else -ahead


@nb.njit(cache=True, nogil=True)
def _time(b: Any, i: Any, end: Any) -> Any:
    """Microseconds since midnight of HH:MM:SS[.fraction][Z|+HH:MM] in [i, end), shifted by the zone, or _NO_TIME."""
    if end - i < 8 or b[i + 2] != 58 or b[i + 5] != 58:
        return _NO_TIME
    h, m, s = _digits2(b, i), _digits2(b, i + 3), _digits2(b, i + 6)
    if not 0 <= h <= 23 or not 0 <= m <= 59 or not 0 <= s <= 59:
        return _NO_TIME
    value = ((h * 60 + m) * 60 + s) * 1_000_000
    i += 8
    if i < end and b[i] == 46:
        first = i + 1
        fraction, i = _fraction(b, first, end)
        if i == first or i - first > 12:
            return _NO_TIME
        value += fraction
    ahead = _zone(b, i, end)
    return _NO_TIME if ahead == _NO_TIME else value - ahead


@nb.njit(cache=True, nogil=True)
def _whole(b: Any, start: Any, size: Any, local: Any) -> Any:
    """(days, time) of a date and time in one text; with `local`, one that names no zone."""
    if size < 19 or (b[start + 10] != 84 and b[start + 10] != 32):
        return _NO_DATE, _NO_TIME
    end = start + size
    # A zone is a Z or six characters like +08:00; behind a bare time stand digits only.
    if local and (b[end - 1] == 90 or (size > 19 and b[end - 3] == 58)):
        return _NO_DATE, _NO_TIME
    return _date(b, start), _time(b, start + 11, end)


@nb.njit(cache=True, nogil=True)
def _parted(b: Any, date_start: Any, date_size: Any, time_start: Any, time_size: Any) -> Any:
    """(days, time) of a date and a time of day given apart."""
    if date_size != 10:
        return _NO_DATE, _NO_TIME
    return _date(b, date_start), _time(b, time_start, time_start + time_size)


@nb.njit(cache=True, nogil=True)
def timestamp_column(b: Any, starts: Any, sizes: Any, present: Any, bit: Any, bare: Any, date_starts: Any,
                     date_sizes: Any, date_bit: Any, time_starts: Any, time_sizes: Any, time_bit: Any, required: Any,
                     filled: Any, filling: Any, local: Any, low: Any, high: Any, out: Any, valid: Any,
                     bad: Any) -> Any:  # fmt: skip
    """Microseconds since 1970 UTC, int64[n], of ISO 8601 texts, or of a date and a time given apart. Counts nulls."""
    nulls = 0
    own = _I64(1) << bit
    bytes_ = pointer(b)
    apart = _I64(0) if date_bit < 0 else (_I64(1) << date_bit) | (_I64(1) << time_bit)
    for i in range(len(out)):
        out[i] = filling
        valid[i] = True
        given = present[i] & (own | apart)
        if given == 0:
            valid[i] = filled
            nulls += 0 if filled else 1
            bad[i] |= required and not filled
            continue
        days, time = _NO_DATE, _NO_TIME
        if bare[i] & given == 0 and given == own:
            days, time = _whole(bytes_, _I64(starts[i]), _I64(sizes[i]), local)
        elif bare[i] & given == 0 and given == apart:
            days, time = _parted(bytes_, _I64(date_starts[i]), date_sizes[i], _I64(time_starts[i]), time_sizes[i])
        value = days * 86_400_000_000 + time
        if days == _NO_DATE or time < _TIME_MIN or value < low or value > high:
            bad[i] = 1
        out[i] = value
    return nulls


@nb.njit(cache=True, nogil=True)
def date_column(b: Any, starts: Any, sizes: Any, present: Any, bit: Any, bare: Any, required: Any, low: Any, high: Any,
                out: Any, valid: Any, bad: Any) -> Any:  # fmt: skip
    """Days since 1970, int32[n], of YYYY-MM-DD. Counts nulls."""
    nulls = nulls_of(present, bit, required, valid, bad)
    bytes_ = pointer(b)
    for i in range(len(out)):
        out[i] = 0
        if not valid[i]:
            continue
        days = _NO_DATE
        if sizes[i] == 10 and not (bare[i] >> bit) & 1:
            days = _date(bytes_, _I64(starts[i]))
        if days == _NO_DATE or days < low or days > high:
            bad[i] = 1
            continue
        out[i] = days
    return nulls
