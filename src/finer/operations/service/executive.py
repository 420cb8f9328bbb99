"""What a firm is held to by those who steer it: each figure with its target and its days.

Every figure comes from the part that computes it: how long records wait from ingest, what became of payments from
fraud, which asks the lake, and so is asked by a job and kept here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from finer.decisions.service import alerts
from finer.fraud.service import performance
from finer.fraud.service.performance import Asked, Period, ReadLake
from finer.identity.service import tenants
from finer.identity.types.access import Permission
from finer.ingest.service import activity
from finer.ingest.types.receipts import PassedCount, WaitedCount
from finer.kit.tx import Tx
from finer.operations.errors import UnknownSpan
from finer.operations.rules.goals import PERIODS, days_of, goal, share
from finer.operations.rules.plans import target_of
from finer.operations.service.gauges import DELAY, LATE
from finer.operations.service.tiles import each
from finer.operations.store.gauges import GaugeStore, OutcomeStore
from finer.operations.store.targets import TargetStore
from finer.operations.types.goals import Goal, OutcomeDay, Outcomes, Targets
from finer.operations.types.sums import DAY_S, HOUR_S
from finer.operations.types.system import Readings

T = TypeVar("T")

OUTCOMES_JOB = "measure_outcomes"
DECIDED = "transaction"
"""The contract whose records are decided on."""
NEEDS = {
    "latency": Permission.PIPELINE_READ,
    "freshness": Permission.LAKE_READ,
    "quality": Permission.QUALITY_READ,
    "incidents": Permission.QUALITY_READ,
    "false_positives": Permission.PERFORMANCE_READ,
    "coverage": Permission.PERFORMANCE_READ,
    "protected": Permission.PERFORMANCE_READ,
    "measured_at": Permission.PERFORMANCE_READ,
    "alerts": Permission.ALERTS_SUMMARISE,
}
"""The permission without which a tile is not pulled at all."""
_MEASURED = timedelta(days=2 * max(PERIODS.values()))


@dataclass(frozen=True)
class _Time:
    """Which days are shown, the firm's own and those of UTC, and the moments at which these begin and end."""

    now: datetime
    targets: Targets
    days: list[date]
    utc_days: list[date]
    since: datetime
    before: datetime

    def goal(
        self, name: str, days: Sequence[date], by_day: Mapping[date, T], value: Callable[[Sequence[T]], float | None],
        parts: Callable[[Sequence[T]], dict[str, int]],
    ) -> Goal:  # fmt: skip
        """A figure of some days held to what the firm wants of it."""
        return goal(name, target_of(name, self.targets), days, by_day, value, parts)


def executive(
    tx: Tx, span: str, sees: Collection[str], incidents: Callable[[Tx], int]
) -> tuple[datetime, datetime, dict[str, Any], list[str]]:
    """Now, since when, the tiles that `sees` allows by name, and which of them failed. Raises UnknownSpan.

    `incidents` says how many incidents of data quality are open.
    """
    at = _time(tx, span)
    kept = OutcomeStore(tx).find() if Permission.PERFORMANCE_READ in sees else None
    measured = {one.day: one for one in kept.days} if kept else {}
    tiles: dict[str, Callable[[], Any]] = {
        "latency": lambda: _latency(tx, at),
        "freshness": lambda: _freshness(tx, at),
        "quality": lambda: _quality(tx, at),
        "incidents": lambda: incidents(tx),
        "false_positives": lambda: at.goal("false_positives", at.days, measured, _false_positives, _judged),
        "coverage": lambda: at.goal("coverage", at.days, measured, _covered, _high_value),
        "protected": lambda: at.goal("protected", at.days, measured, _protected, _stopped),
        "measured_at": lambda: kept.as_of if kept else None,
        "alerts": lambda: alerts.summarise(tx),
    }
    found, failed = each(tx, {name: tile for name, tile in tiles.items() if NEEDS[name] in sees})
    return at.now, at.since, dict.fromkeys(tiles) | found, failed


def to_be_measured(tx: Tx) -> Asked:
    """What the lake is asked about the firm's payments with."""
    return performance.asked_of(tx)


def measure_outcomes(now: datetime, about: Asked, read: ReadLake) -> Outcomes:
    """Ask the lake what became of the payments of the last half year.

    `read` may take its time, which is why there is no transaction here; `about` was read in one before.
    """
    of = Period(since=now - _MEASURED - timedelta(days=1), until=now, as_of=now)
    high = {one.day: one for one in performance.high_value(about, read, of)}
    days = [
        OutcomeDay(
            day=one.day, payments=one.payments, fraud=one.fraud, caught=one.caught, legitimate=one.legitimate,
            protected_usd_minor=one.protected_usd_minor, missed_usd_minor=one.missed_usd_minor,
            high_value=high[one.day].payments if one.day in high else 0,
            high_value_covered=high[one.day].covered if one.day in high else 0,
        )
        for one in performance.by_day(about, read, of)
    ]  # fmt: skip
    return Outcomes(as_of=now, days=days)


def keep_outcomes(tx: Tx, found: Outcomes) -> int:
    """Keep what was measured in the place of what was known; returns how many days it has."""
    OutcomeStore(tx).keep(found)
    return len(found.days)


def _time(tx: Tx, span: str) -> _Time:
    length = PERIODS.get(span)
    if length is None:
        raise UnknownSpan(f"There is no period {span[:20]!r} here. Periods are {', '.join(PERIODS)}.")
    now = tx.now()
    utc_days = days_of(now.astimezone(UTC).date(), length)
    since = datetime.combine(utc_days[0], time(), UTC)
    today = now.astimezone(ZoneInfo(tenants.get_tenant(tx).timezone)).date()
    return _Time(now, TargetStore(tx).newest(), days_of(today, length), utc_days, since, since - timedelta(days=length))


def _latency(tx: Tx, at: _Time) -> Goal:
    steps = activity.waited_by_step(tx, at.before, at.now + timedelta(hours=1), DAY_S, DECIDED, live=True)

    def slow(of: Sequence[WaitedCount]) -> float | None:
        return activity.latency_of_steps(of).p99_ms

    def parts(of: Sequence[WaitedCount]) -> dict[str, int]:
        half = activity.latency_of_steps(of).p50_ms
        return {"payments": sum(sum(one.counts) for one in of)} | ({} if half is None else {"p50_us": int(half * 1000)})

    return at.goal("latency", at.utc_days, {one.at.date(): one for one in steps}, slow, parts)


def _freshness(tx: Tx, at: _Time) -> Goal:
    read = GaugeStore(tx).by_bucket((LATE,), HOUR_S, DAY_S, (at.before, at.now))
    recent = GaugeStore(tx).by_bucket((DELAY,), 60, 60, (at.now - timedelta(minutes=5), at.now))
    latest = [one.highest for one in recent if one.at == recent[-1].at]

    def in_time(of: Sequence[Readings]) -> float | None:
        minutes = sum(one.samples for one in of)
        return share(minutes - _late(of), minutes)

    def parts(of: Sequence[Readings]) -> dict[str, int]:
        counted = {"minutes": sum(one.samples for one in of), "late": _late(of)}
        return counted | ({"delay_ms": int(max(latest) * 1000)} if latest else {})

    return at.goal("freshness", at.utc_days, {one.at.date(): one for one in read}, in_time, parts)


def _late(of: Sequence[Readings]) -> int:
    return round(sum(one.total for one in of))


def _quality(tx: Tx, at: _Time) -> Goal:
    by_day: dict[date, PassedCount] = {}
    for counts in activity.passed_by(tx, "day", at.before).values():
        for one in counts:
            known = by_day.get(one.at.date(), PassedCount(one.at, 0, 0))
            by_day[one.at.date()] = PassedCount(one.at, known.received + one.received, known.passed + one.passed)

    def passed(of: Sequence[PassedCount]) -> float | None:
        return share(sum(one.passed for one in of), sum(one.received for one in of))

    def parts(of: Sequence[PassedCount]) -> dict[str, int]:
        received = sum(one.received for one in of)
        return {"records": received, "refused": received - sum(one.passed for one in of)}

    return at.goal("quality", at.utc_days, by_day, passed, parts)


def _sum(of: Sequence[OutcomeDay], name: str) -> int:
    return sum(getattr(one, name) for one in of)


def _false_positives(of: Sequence[OutcomeDay]) -> float | None:
    counted = (_sum(of, name) for name in ("legitimate", "caught", "payments", "fraud"))
    return performance.false_positives(*counted).value


def _judged(of: Sequence[OutcomeDay]) -> dict[str, int]:
    return {name: _sum(of, name) for name in ("payments", "legitimate", "fraud")}


def _covered(of: Sequence[OutcomeDay]) -> float | None:
    return share(_sum(of, "high_value_covered"), _sum(of, "high_value"))


def _high_value(of: Sequence[OutcomeDay]) -> dict[str, int]:
    return {"payments": _sum(of, "high_value"), "covered": _sum(of, "high_value_covered")}


def _protected(of: Sequence[OutcomeDay]) -> float | None:
    stopped = _sum(of, "protected_usd_minor")
    return share(stopped, stopped + _sum(of, "missed_usd_minor"))


def _stopped(of: Sequence[OutcomeDay]) -> dict[str, int]:
    return {name: _sum(of, name) for name in ("protected_usd_minor", "missed_usd_minor")}
