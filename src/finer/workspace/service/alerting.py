"""Conditions over a few numbers, and what follows from them over time: as for alerts on results."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa

from finer.workspace.rules import alerts
from finer.workspace.types import AlertRule, AlertTest, Watch


def check_condition(condition: str, names: tuple[str, ...]) -> None:
    """Raise CannotBeUsed, with the `position` in it, unless this is a condition over numbers of these names."""
    alerts.compiled(_rule(condition), pa.schema([(name, pa.float64()) for name in names]))


def holds(condition: str, values: Mapping[str, float | None]) -> bool:
    """Whether a condition holds of these numbers; of what is not known it does not. Raises CannotBeUsed."""
    table = pa.table({name: pa.array([value], pa.float64()) for name, value in values.items()})
    return alerts.holds(_rule(condition), table)[0]


def follow(
    before: Watch, *, held: bool, reason: str, now: datetime, pending_minutes: int, cooldown_minutes: int
) -> tuple[Watch, bool, bool]:
    """Where an alert stands after a look, whether people are told of it, and whether what they were told is over."""
    rule = _rule("true", pending_minutes=pending_minutes, cooldown_minutes=cooldown_minutes)
    return alerts.judged(rule, before, held, reason, now)


def _rule(condition: str, *, pending_minutes: int = 0, cooldown_minutes: int = 0) -> AlertRule:
    return AlertRule(
        test=AlertTest.FIRST_ROW, condition=condition, pending_minutes=pending_minutes,
        cooldown_minutes=cooldown_minutes,
    )  # fmt: skip
