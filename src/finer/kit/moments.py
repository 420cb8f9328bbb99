"""Moments as whole microseconds since 1970 UTC, the form they have in columns and cursors. Reads no clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from finer.kit.errors import InvalidInput, MomentToCome

_CLOCKS_DIFFER = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(at: datetime) -> int:
    """Microseconds since 1970 UTC, exact (no float in between)."""
    return (at - EPOCH) // timedelta(microseconds=1)


def from_microseconds(value: int) -> datetime:
    """The inverse of `microseconds`."""
    return EPOCH + timedelta(microseconds=value)


def moment_in_query(name: str, text: str | None) -> datetime | None:
    """A date and time in a query, in UTC unless it names a zone.

    Left to the framework, a number would count as seconds since 1970. Raises InvalidInput for any other text.
    """
    if text is None:
        return None
    try:
        found = msgspec.convert(text, datetime)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{name} is {text[:40]!r}; it must be a date and time like 2026-11-20T10:00:00Z.") from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def refuse_to_come(as_of: datetime, now: datetime) -> None:
    """Raise MomentToCome when nothing can be seen as of a moment yet. A minute is let through: clocks differ."""
    if as_of > now + _CLOCKS_DIFFER:
        raise MomentToCome(
            f"Nothing can be seen as of {as_of.isoformat()} yet: it is {now.isoformat(timespec='seconds')} now. Give a "
            "moment that has passed, or none for the newest state."
        )
