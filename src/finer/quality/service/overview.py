"""How the records of each contract are: scores, monitors, history."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from finer.identity.service.audit import record_audit
from finer.identity.service.authorisation import reach_of
from finer.identity.types.access import Permission
from finer.ingest.service import activity, contracts
from finer.ingest.types.receipts import PassedCount
from finer.kit.ids import show_id
from finer.kit.tx import Tx
from finer.quality.errors import ChangedMeanwhile, MonitorNotFound, MuteTooLong
from finer.quality.rules import bands, learning
from finer.quality.store.incidents import IncidentStore
from finer.quality.store.watches import WatchStore
from finer.quality.types import (
    HOUR_S,
    STEP_S,
    ContractQuality,
    Incident,
    Monitor,
    MonitorKind,
    MonitorState,
    Point,
    Score,
    ScorePoint,
    Sensitivity,
    Watch,
)

PREFIX = "mon"
NEEDED = bands.SPEAKS_AFTER
"""Observations that a band needs to rest on."""
_HOUR, _DAY, _MONTH = 1, 24, 720
_MUTE_MAX = timedelta(days=90)
_POINTS = 360


def list_qualities(tx: Tx) -> list[ContractQuality]:
    """Every contract of the firm with its scores, the last day by hour, and what is open; worst first."""
    reach_of(tx.actor, Permission.QUALITY_READ)
    found = _qualities(tx, sorted(contracts.load(tx).current))
    return sorted(found, key=lambda one: (not one.incidents, -one.scores[-1].received, one.contract))


def get_quality(tx: Tx, contract: str) -> ContractQuality:
    """One contract; its history has thirty days. Raises UnknownContract."""
    reach_of(tx.actor, Permission.QUALITY_READ)
    contracts.load(tx).named(contract)
    return _qualities(tx, [contract], by_day=True)[0]


def score(tx: Tx, contract: str) -> Score:
    """The share of the last day's records that passed when they arrived."""
    reach_of(tx.actor, Permission.QUALITY_READ)
    found = activity.passed_since(tx, tx.now() - timedelta(hours=_DAY), fine=True).get(contract)
    return _score(_DAY, found)


def _qualities(tx: Tx, names: Sequence[str], *, by_day: bool = False) -> list[ContractQuality]:
    now, store = tx.now(), WatchStore(tx)
    counts = [
        (hours, activity.passed_since(tx, now - timedelta(hours=hours), fine=hours <= _DAY))
        for hours in (_HOUR, _DAY, _MONTH)
    ]
    if by_day:
        history = activity.passed_by(tx, "day", now - timedelta(hours=_MONTH), names[0])
    else:
        history = activity.passed_by(tx, "hour", now - timedelta(hours=_DAY))
    watches, incidents = store.all(), IncidentStore(tx).open()
    monitors: dict[str, list[Monitor]] = {}
    for one in store.monitors():
        monitors.setdefault(one.contract, []).append(one)
    return [
        ContractQuality(
            contract=name,
            scores=tuple(_score(hours, found.get(name)) for hours, found in counts),
            history=[ScorePoint(one.at, one.received, one.passed) for one in history.get(name, [])],
            last_record_at=None if name not in watches else watches[name].progress.last_record_at,
            monitors=_counted(watches.get(name), monitors.get(name, []), now),
            incidents=[one for one in incidents if one.contract == name],
            records_per_s=_rate(counts[0][1].get(name)),
        )
        for name in names
    ]


def _score(hours: int, found: PassedCount | None) -> Score:
    return Score(hours=hours, received=found.received if found else 0, passed=found.passed if found else 0)


def _rate(last_hour: PassedCount | None) -> float | None:
    return None if last_hour is None else last_hour.received / HOUR_S


def _counted(watch: Watch | None, monitors: Sequence[Monitor], now: datetime) -> dict[MonitorState, int]:
    found: dict[MonitorState, int] = {}
    for one in monitors:
        state = state_of(watch, one, now)
        found[state] = found.get(state, 0) + 1
    return found


def state_of(watch: Watch | None, monitor: Monitor, now: datetime) -> MonitorState:
    """Where a monitor stands."""
    if not monitor.enabled:
        return MonitorState.OFF
    if monitor.muted_until is not None and monitor.muted_until > now:
        return MonitorState.MUTED
    if watch is None:
        return MonitorState.LEARNING
    streak = watch.progress.streaks.get(monitor.place)
    if streak is not None and streak.unusual:
        return MonitorState.UNUSUAL
    if monitor.kind is MonitorKind.FRESHNESS:
        return MonitorState.LEARNING if watch.usual.gap_s is None else MonitorState.USUAL
    if _at(watch.usual.centers, monitor.place) is None and _at(watch.usual.hour_centers, monitor.place) is None:
        thin = monitor.kind is MonitorKind.VOLUME and not watch.usual.steady and watch.usual.gap_s is not None
        return MonitorState.SILENT if thin else MonitorState.LEARNING
    return MonitorState.USUAL


def _at(numbers: Sequence[float | None], place: int) -> float | None:
    return numbers[place] if place < len(numbers) else None


def list_monitors(tx: Tx, contract: str) -> list[tuple[Monitor, MonitorState, Point | None]]:
    """The monitors of a contract, each with where it stands and what it saw last. Raises UnknownContract."""
    reach_of(tx.actor, Permission.QUALITY_READ)
    contracts.load(tx).named(contract)
    now, store = tx.now(), WatchStore(tx)
    watch = store.find(contract)
    latest = store.observed(contract, STEP_S, now - timedelta(hours=1), now, 1)
    found = []
    for one in store.monitors(contract):
        point = None
        if latest:
            seen = latest[0]
            point = Point(
                at=seen.tally.at, value=_at(seen.values, one.place), low=_at(seen.lows, one.place),
                high=_at(seen.highs, one.place), unusual=one.place in seen.unusual,
            )  # fmt: skip
        found.append((one, state_of(watch, one, now), point))
    return found


def field_monitors(tx: Tx) -> list[Monitor]:
    """The monitors that look at a field, of all contracts."""
    reach_of(tx.actor, Permission.QUALITY_READ)
    return [one for one in WatchStore(tx).monitors() if one.field]


def get_monitor(tx: Tx, identifier: uuid.UUID) -> tuple[Monitor, MonitorState, Watch | None]:
    """One monitor with where it stands. Raises MonitorNotFound."""
    reach_of(tx.actor, Permission.QUALITY_READ)
    store = WatchStore(tx)
    found = store.monitor(identifier)
    if found is None:
        raise MonitorNotFound(
            f"There is no monitor {show_id(PREFIX, identifier)}. GET /api/v1/quality/contracts/NAME lists them."
        )
    watch = store.find(found.contract)
    return found, state_of(watch, found, tx.now()), watch


def history_of(tx: Tx, monitor: Monitor, hours: int) -> list[Point]:
    """What a monitor saw in the last hours, in some hundred points at most.

    Observations of ten seconds are kept for a day, those of hours for longer.
    """
    now, span = tx.now(), timedelta(hours=hours)
    step = STEP_S if span <= learning.STEPS_KEPT else HOUR_S
    bucket = max(step, math.ceil(span.total_seconds() / _POINTS / step) * step)
    return WatchStore(tx).points(monitor, step, (now - span, now), bucket)


def incidents_of(tx: Tx, monitor: Monitor) -> list[Incident]:
    """The open incidents that a monitor has a part in."""
    return [one for one in IncidentStore(tx).open(monitor.contract) if monitor.id in _monitors(one)]


def _monitors(incident: Incident) -> set[uuid.UUID]:
    return {part.monitor for part in incident.parts}


def change_monitor(
    tx: Tx,
    identifier: uuid.UUID,
    version: int,
    *,
    enabled: bool,
    sensitivity: Sensitivity,
    muted_until: datetime | None,
) -> tuple[Monitor, MonitorState, Watch | None]:
    """Other settings of a monitor. Raises MonitorNotFound, MuteTooLong, ChangedMeanwhile."""
    reach_of(tx.actor, Permission.QUALITY_MANAGE)
    before, _, _ = get_monitor(tx, identifier)
    if muted_until is not None and not tx.now() < muted_until <= tx.now() + _MUTE_MAX:
        raise MuteTooLong(f"Mute it until a moment within the next {_MUTE_MAX.days} days, or switch it off.")
    values: Mapping[str, object] = {"enabled": enabled, "sensitivity": sensitivity, "muted_until": muted_until}
    if not WatchStore(tx).change_monitor(identifier, version, values):
        raise ChangedMeanwhile("The monitor was changed since you opened it. Look at it again first.")
    detail = {"contract": before.contract, "kind": before.kind.value, "field": before.field, "enabled": enabled,
              "sensitivity": sensitivity.value, "muted": muted_until is not None}  # fmt: skip
    record_audit(tx, "quality:change_monitor", show_id(PREFIX, identifier), detail)
    return get_monitor(tx, identifier)
