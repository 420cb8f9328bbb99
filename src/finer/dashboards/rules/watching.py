"""What an alert on a metric is about, and which time counts for it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import msgspec

from finer.dashboards.types import MetricAlert
from finer.workspace.types import Watch

BAND = ("low", "high")
NAMES = ("value", "change", *BAND)
STEP = timedelta(minutes=1)
"""How often alerts are looked at."""
_STRAYS = timedelta(minutes=5)
"""Looks that are further apart than this are no measure of the time between them."""
_WORD = re.compile(r"[a-z]+")


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """What conditions are about, None where it is not known; `value` and the band are in major units of `currency`."""

    value: float | None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    currency: str = ""

    def named(self) -> dict[str, float | None]:
        """The numbers by the names that conditions have for them."""
        return {name: getattr(self, name) for name in NAMES}


def names_of(*conditions: str) -> frozenset[str]:
    """The numbers that conditions are about."""
    return frozenset(NAMES).intersection(_WORD.findall(" ".join(conditions)))


def uses_band(alert: MetricAlert) -> bool:
    """Whether an alert's conditions are about what is usual."""
    return not names_of(alert.condition, alert.settles).isdisjoint(BAND)


def unknown(condition: str, numbers: Numbers) -> bool:
    """Whether a condition is about a number that is not known."""
    known = numbers.named()
    return any(known[name] is None for name in names_of(condition))


def strayed(looked_at: datetime | None, now: datetime) -> bool:
    """Whether a clock jumped since the last look, or nobody looked: the time between is nothing to judge by."""
    return looked_at is not None and not timedelta(0) <= now - looked_at <= _STRAYS


def steadied(before: Watch, looked_at: datetime | None, now: datetime) -> Watch:
    """Where an alert stood, moved so that one step lies between the last look and now.

    A pending period and a cooldown count minutes in which somebody looked, not those that a clock made up or left out.
    """
    if looked_at is None or not strayed(looked_at, now):
        return before
    by = now - looked_at - STEP
    return msgspec.structs.replace(before, since=_moved(before.since, by), told_at=_moved(before.told_at, by))


def _moved(at: datetime | None, by: timedelta) -> datetime | None:
    return None if at is None else at + by
