"""What a firm wants to reach, and how far it is."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec


class OutcomeDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day of the firm's calendar: payments, what is known of them by now, and those of high value.

    `caught` are the known frauds that were reviewed or blocked.
    """

    day: date
    payments: int
    fraud: int
    caught: int = 0
    legitimate: int
    protected_usd_minor: int
    missed_usd_minor: int
    high_value: int = 0
    high_value_covered: int = 0


class Outcomes(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the firm's payments day by day, as known at a moment."""

    as_of: datetime
    days: list[OutcomeDay]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure has to reach: at most or at least `value`, in milliseconds or as a share (1 is all)."""

    unit: Literal["ms", "share"]
    value: float
    at_most: bool


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What figures are to reach in a month (2026-11) of the firm's calendar: minor units by name."""

    month: str
    currency: str
    amounts_minor: dict[str, int]


class Targets(msgspec.Struct, frozen=True, kw_only=True):
    """What a firm wants to reach: goals by name where they are not those of the house, and plans by month."""

    goals: dict[str, float] = {}
    plans: list[Plan] = []
    version: int = 0
    changed_by: str | None = None
    changed_at: datetime | None = None


class Point(msgspec.Struct, frozen=True):
    """A figure on one day; None where nothing was measured."""

    day: date
    value: float | None


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of a period held to its target, and day by day.

    `value` and `before` (the period before) are in the target's unit, None when nothing was measured; `holds` is None
    then too. `parts` are the numbers that the value is made of.
    """

    name: str
    target: Target
    value: float | None
    before: float | None
    holds: bool | None
    series: list[Point]
    parts: dict[str, int]
