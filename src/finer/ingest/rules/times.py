"""Dates and times as text, exactly. Timestamps are int64 microseconds since 1970 UTC, dates are days since 1970.

A text without a zone is UTC. Digits behind the microsecond are cut off.
"""

from __future__ import annotations

import re
from datetime import date

_DATE = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
_TIME = r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,12}))?)?"
_ZONE = r"(Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_TIMESTAMP = re.compile(rf"{_DATE}[Tt ]{_TIME}{_ZONE}")
_DATE_ONLY = re.compile(_DATE)
_TIME_ONLY = re.compile(_TIME + _ZONE)
DAY = 86_400_000_000
_EPOCH = date(1970, 1, 1).toordinal()


def days_of(year: int, month: int, day: int) -> int | None:
    """Days since 1970 of a date of the proleptic Gregorian calendar, years 0 to 9999; None when there is none."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    try:
        # Year 0 is a leap year like 400, 146,097 days earlier; Python's calendar begins at 1.
        return date(year or 400, month, day).toordinal() - _EPOCH - (0 if year else 146_097)
    except ValueError:
        return None


def read_date(text: str) -> int | None:
    """Days since 1970 of `YYYY-MM-DD`, or None."""
    match = _DATE_ONLY.fullmatch(text)
    return days_of(int(match[1]), int(match[2]), int(match[3])) if match else None


def read_timestamp(text: str) -> int | None:
    """Microseconds of an ISO 8601 date and time (`T` or a space between them), or None."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    days = days_of(int(match[1]), int(match[2]), int(match[3]))
    time = _time_of(*match.group(4, 5, 6, 7, 8))
    return None if days is None or time is None else days * DAY + time


def names_zone(text: str) -> bool:
    """Whether a date and time says its zone."""
    match = _TIMESTAMP.fullmatch(text)
    return match is not None and match[8] is not None


def combine(date_text: str, time_text: str) -> int | None:
    """Microseconds of a date and a time of day given apart, or None."""
    days = read_date(date_text)
    match = _TIME_ONLY.fullmatch(time_text)
    time = _time_of(*match.groups()) if match else None
    return None if days is None or time is None else days * DAY + time


def _time_of(
    hours: str | None, minutes: str | None, seconds: str | None, fraction: str | None, zone: str | None
) -> int | None:
    h, m, s = int(hours or 0), int(minutes or 0), int(seconds or 0)
    if h > 23 or m > 59 or s > 59:
        return None
    value = ((h * 60 + m) * 60 + s) * 1_000_000 + int((fraction or "0")[:6].ljust(6, "0"))
    if zone in (None, "Z", "z"):
        return value
    digits = zone[1:].replace(":", "")
    offset_hours, offset_minutes = int(digits[:2]), int(digits[2:] or 0)
    if offset_hours > 23 or offset_minutes > 59:
        return None
    offset = (offset_hours * 60 + offset_minutes) * 60_000_000
    return value - offset if zone[0] == "+" else value + offset
