"""What a firm plans for its months, spread evenly over them, and what of its targets can be kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from finer.operations.errors import TargetsNotAcceptable
from finer.operations.rules.goals import TARGETS
from finer.operations.types.goals import Plan, Target, Targets

PLANNED = ("revenue", "gross_profit", "ordered", "payments", "refunds", "cash_out")
"""The figures that a plan can be made for."""
MONTHS_MAX = 60
SHOWN = timedelta(days=400)
"""How far back plans are kept: pages show half a year at most. Older versions of targets have the older ones."""
_MOST_MINOR = 10**17
_LONGEST_MS = 3_600_000.0
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


def planned(plans: Sequence[Plan], name: str, currency: str, span: tuple[datetime, datetime], zone: str) -> int | None:
    """Minor units that the months of a span (its end not included) promise of a figure.

    None when a month of it has no plan for it in this currency. Months are those of `zone`.
    """
    by_month = {one.month: one.amounts_minor.get(name) for one in plans if one.currency == currency}
    since, until = span
    promised, at = 0.0, since
    while at < until:
        month, begins, ends = _month_of(at, zone)
        amount = by_month.get(month)
        if amount is None:
            return None
        here = min(ends, until)
        promised += amount * ((here - at) / (ends - begins))
        at = here
    return round(promised)


def target_of(name: str, targets: Targets) -> Target:
    """What a figure has to reach: what the firm wants, or what the house does."""
    house = TARGETS[name]
    return Target(unit=house.unit, value=targets.goals.get(name, house.value), at_most=house.at_most)


def checked(targets: Targets, oldest: str = "") -> Targets:
    """Targets as they are kept: plans by month from `oldest` on, and no goal that is the house's own.

    Raises TargetsNotAcceptable.
    """
    for name, value in targets.goals.items():
        _check_goal(name, value)
    months = [plan.month for plan in targets.plans]
    plans = sorted((plan for plan in targets.plans if plan.amounts_minor and plan.month >= oldest), key=_month)
    if len(plans) > MONTHS_MAX or len(set(months)) < len(months):
        raise TargetsNotAcceptable(f"A month has one plan, and at most {MONTHS_MAX} months have one.")
    for plan in targets.plans:
        _check_plan(plan)
    return Targets(
        goals={name: value for name, value in sorted(targets.goals.items()) if value != TARGETS[name].value},
        plans=plans,
    )


def _month(plan: Plan) -> str:
    return plan.month


def _check_goal(name: str, value: float) -> None:
    if name not in TARGETS:
        raise TargetsNotAcceptable(f"There is no goal {name[:40]!r}. Goals are {', '.join(TARGETS)}.")
    most = _LONGEST_MS if TARGETS[name].unit == "ms" else 1.0
    if not 0 < value <= most:
        raise TargetsNotAcceptable(f"The goal {name} is more than 0 and at most {most:g} {TARGETS[name].unit}.")


def _check_plan(plan: Plan) -> None:
    if not _MONTH.fullmatch(plan.month):
        raise TargetsNotAcceptable(f"A month is written like 2026-11, not {plan.month[:20]!r}.")
    if unknown := sorted(plan.amounts_minor.keys() - set(PLANNED)):
        raise TargetsNotAcceptable(f"No plan is made for {unknown[0][:40]!r}. Figures are {', '.join(PLANNED)}.")
    if any(not 0 <= amount <= _MOST_MINOR for amount in plan.amounts_minor.values()):
        raise TargetsNotAcceptable(f"Amounts of {plan.month} are from 0 to {_MOST_MINOR} minor units.")


def _month_of(at: datetime, zone: str) -> tuple[str, datetime, datetime]:
    """The month of `zone` that a moment lies in, its beginning, and that of the one after it."""
    here = at.astimezone(ZoneInfo(zone))
    begins = here.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    after = begins.replace(year=begins.year + begins.month // 12, month=begins.month % 12 + 1)
    # In UTC: of one zone, Python would count the hours of the clock, of which a month may have one more or less.
    return f"{begins:%Y-%m}", begins.astimezone(UTC), after.astimezone(UTC)
