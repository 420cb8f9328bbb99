"""Incidents that open, grow and settle by themselves as steps are judged."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from finer.identity.service.tenants import get_tenant
from finer.identity.types.access import Permission
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.notifications.types import NewNotification
from finer.notifications.types import Severity as Loudness
from finer.quality.rules import words
from finer.quality.rules.judging import Verdict
from finer.quality.service import keys
from finer.quality.store.incidents import IncidentStore
from finer.quality.types import (
    STEP_S,
    Breach,
    Incident,
    IncidentState,
    Keys,
    Monitor,
    MonitorKind,
    Part,
    Severity,
    Watch,
)
from finer.warehouse.service.lake import LakeReader

PREFIX = "inc"
TOGETHER = timedelta(minutes=3)
"""What begins to be unusual within so much time of each other has one cause, and is one incident."""
COMES_BACK = timedelta(minutes=10)
"""What comes back within so much time after it settled is the same incident."""
_CRITICAL_SHARE = 0.2
_GRAVITY = {kind: place for place, kind in enumerate(MonitorKind)}
_SHARES = (MonitorKind.VALIDITY, MonitorKind.DUPLICATES, MonitorKind.COMPLETENESS)


def follow(tx: Tx, lake: LakeReader | None, watch: Watch, monitors: Sequence[Monitor], verdict: Verdict) -> bool:
    """What a step means for the incidents of a contract: they go on, are over, or there is a new one.

    Returns whether any is open afterwards.
    """
    store = IncidentStore(tx)
    breaches = {one.place: one for one in verdict.breaches}
    at = verdict.observation.tally.at + timedelta(seconds=STEP_S)
    places = {one.id: one.place for one in monitors}
    going: list[Incident] = []
    for before in store.open(watch.contract, lock=True):
        after = _gone_on(before, places, breaches, verdict, at)
        if after.closed_at is not None:
            notifications.settle(tx, key_of(after))
        else:
            after = _with_keys(tx, lake, watch, after, at, anew=at.second < STEP_S)
            going.append(after)
        store.change(after, before.version)
    known = {part.monitor for one in going for part in one.parts}
    new = [
        _part(watch, one, breaches[one.place], verdict)
        for one in monitors
        if one.place in breaches and one.id not in known and _speaks(one, at)
    ]
    if new:
        _tell_of(tx, lake, watch, store, going, new, at)
    return bool(going or new)


def _tell_of(
    tx: Tx,
    lake: LakeReader | None,
    watch: Watch,
    store: IncidentStore,
    going: Sequence[Incident],
    new: Sequence[Part],
    at: datetime,
) -> None:
    same = next((one for one in going if one.opened_at >= at - TOGETHER or one.kind is MonitorKind.FRESHNESS), None)
    if same is None and (back := _come_back(store, watch, new, at)) is not None:
        incident = _with_keys(tx, lake, watch, back, at, anew=True)
        store.change(incident, incident.version)
    elif same is None:
        parts = _sorted(new)
        incident = Incident(
            id=new_id(), contract=watch.contract, state=IncidentState.OPEN, severity=_severity(parts),
            since=min(part.since for part in parts), opened_at=at, last_at=at, closed_at=None, parts=parts,
            keys=Keys(), note="", changed_by="", changed_at=None, version=1,
        )  # fmt: skip
        incident = _with_keys(tx, lake, watch, incident, at, anew=True)
        store.add(incident)
    else:
        parts = _sorted([*same.parts, *new])
        incident = msgspec.structs.replace(
            same, parts=parts, severity=_severity(parts), since=min(part.since for part in parts)
        )
        incident = _with_keys(tx, lake, watch, incident, at, anew=parts[0] != same.parts[0])
        store.change(incident, same.version)
    _notify(tx, incident, at)


def _come_back(store: IncidentStore, watch: Watch, new: Sequence[Part], at: datetime) -> Incident | None:
    """The incident that has just settled and is open again, with what is unusual now; None when there is none."""
    fresh = {part.monitor: part for part in new}
    for one in store.settled_since(watch.contract, at - COMES_BACK):
        if any(part.monitor in fresh for part in one.parts):
            known = {part.monitor: part for part in one.parts}
            again = [
                msgspec.structs.replace(part, since=known[key].since) if key in known else part
                for key, part in fresh.items()
            ]
            parts = _sorted([*again, *(part for key, part in known.items() if key not in fresh)])
            return msgspec.structs.replace(
                one, parts=parts, severity=_severity(again), state=IncidentState.OPEN, closed_at=None, last_at=at
            )
    return None


def _gone_on(
    before: Incident, places: dict[uuid.UUID, int], breaches: dict[int, Breach], verdict: Verdict, at: datetime
) -> Incident:
    parts = []
    for part in before.parts:
        place = places.get(part.monitor)
        breach = None if place is None else breaches.get(place)
        if breach is not None:
            high = part.high if breach.high is None else breach.high
            worse = abs(breach.value) > abs(part.worst)
            parts.append(
                msgspec.structs.replace(
                    part, value=breach.value, low=breach.low, high=high, settled=False,
                    worst=breach.value if worse else part.worst,
                )
            )  # fmt: skip
        elif place not in verdict.progress.streaks:
            parts.append(msgspec.structs.replace(part, settled=True))
        else:
            parts.append(part)
    over = all(part.settled for part in parts)
    return msgspec.structs.replace(
        before,
        parts=tuple(parts),
        last_at=at if any(places.get(part.monitor) in breaches for part in parts) else before.last_at,
        state=IncidentState.SETTLED if over else before.state,
        closed_at=at if over else None,
    )


def _part(watch: Watch, monitor: Monitor, breach: Breach, verdict: Verdict) -> Part:
    detail = ""
    if monitor.kind is MonitorKind.DISTRIBUTION:
        bins = keys.bins_of(watch.layout, monitor.field, verdict.observation.tally.bins)
        detail = words.moved_most(*bins)[1] if bins is not None else ""
    return Part(
        monitor=monitor.id, kind=monitor.kind, field=monitor.field, value=breach.value, low=breach.low,
        high=breach.high, worst=breach.value, since=breach.since, detail=detail,
    )  # fmt: skip


def _sorted(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The one first that explains most, then what is farthest from usual."""
    return tuple(sorted(parts, key=lambda part: (_GRAVITY[part.kind], -_excess(part))))


def _excess(part: Part) -> float:
    high = part.high or 0.0
    return (part.value - high) / max(abs(high), 1e-3) if part.value > high else 1.0


def _severity(parts: Sequence[Part]) -> Severity:
    for part in parts:
        grave = part.kind in _SHARES and part.value - (part.high or 0.0) >= _CRITICAL_SHARE
        if grave or part.kind is MonitorKind.FRESHNESS:
            return Severity.CRITICAL
    return Severity.WARNING


def _speaks(monitor: Monitor, at: datetime) -> bool:
    return monitor.enabled and (monitor.muted_until is None or monitor.muted_until <= at)


def _with_keys(
    tx: Tx, lake: LakeReader | None, watch: Watch, incident: Incident, at: datetime, *, anew: bool
) -> Incident:
    if lake is None or not anew:
        return incident
    return msgspec.structs.replace(incident, keys=keys.failing(tx, lake, watch.layout, incident, at))


def key_of(incident: Incident) -> str:
    """The key of an incident's notification."""
    return f"quality:{incident.id}"


def _notify(tx: Tx, incident: Incident, at: datetime) -> None:
    zone = ZoneInfo(get_tenant(tx).timezone)
    told = NewNotification(
        kind="quality.incident",
        severity=Loudness(incident.severity.value),
        title=f"{incident.contract}: {incident.parts[0].field or incident.kind.value} is not as usual",
        text=words.sentence(incident, zone, at),
        link=f"/quality?incident={show_id(PREFIX, incident.id)}",
        permission=Permission.QUALITY_READ,
        key=key_of(incident),
    )
    notifications.notify(tx, told)
