"""What those who steer a firm hold it to unless they say otherwise, and figures held to a target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import TypeVar

from finer.operations.types.goals import Goal, Point, Target

T = TypeVar("T")
PERIODS = {"7d": 7, "30d": 30, "90d": 90}
"""The periods that are shown, in days; today is the last of them."""
FRESH_S = 5.0
"""Records that take longer into the lake than this are late."""
TARGETS = {
    "latency": Target(unit="ms", value=500, at_most=True),
    "false_positives": Target(unit="share", value=0.001, at_most=True),
    "coverage": Target(unit="share", value=1, at_most=False),
    "freshness": Target(unit="share", value=0.999, at_most=False),
    "quality": Target(unit="share", value=0.99, at_most=False),
    "protected": Target(unit="share", value=0.9, at_most=False),
}


def days_of(today: date, days: int) -> list[date]:
    """The `days` days up to today, the earliest first."""
    return [today - timedelta(days=back) for back in range(days - 1, -1, -1)]


def goal(
    name: str,
    target: Target,
    days: Sequence[date],
    by_day: Mapping[date, T],
    value: Callable[[Sequence[T]], float | None],
    parts: Callable[[Sequence[T]], dict[str, int]],
) -> Goal:
    """A figure of `days` held to its target and to as many days before them.

    `by_day` has what was measured on each day, and `value` makes the figure of what was measured on some of them.
    """
    before = days_of(days[0] - timedelta(days=1), len(days))
    here = [by_day[day] for day in days if day in by_day]
    found = value(here)
    return Goal(
        name=name,
        target=target,
        value=found,
        before=value([by_day[day] for day in before if day in by_day]),
        holds=None if found is None else holds(target, found),
        series=[Point(day, value([by_day[day]]) if day in by_day else None) for day in days],
        parts=parts(here),
    )


def holds(target: Target, value: float) -> bool:
    """Whether a figure reaches its target."""
    return value <= target.value if target.at_most else value >= target.value


def share(part: int, whole: int) -> float | None:
    """A part of the whole; None of nothing."""
    return None if whole == 0 else part / whole
