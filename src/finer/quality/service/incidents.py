"""Incidents as people work on them."""

from __future__ import annotations

import uuid

import msgspec

from finer.identity.service.audit import record_audit
from finer.identity.service.authorisation import reach_of
from finer.identity.types.access import Permission
from finer.kit.cursors import read_cursor, show_cursor
from finer.kit.ids import show_id
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.quality.errors import ChangedMeanwhile, IncidentClosed, IncidentNotFound
from finer.quality.service.detection import PREFIX, key_of
from finer.quality.store.incidents import IncidentStore
from finer.quality.store.watches import WatchStore
from finer.quality.types import OPEN_STATES, Incident, IncidentFilter, IncidentState, MonitorKind, Streak, Watch

ANY = IncidentFilter()
_GRACE_STEPS = 30


def list_incidents(
    tx: Tx, wanted: IncidentFilter = ANY, *, limit: int = 50, before: str | None = None
) -> tuple[list[Incident], str | None]:
    """Incidents that fit, the newest first, and the cursor of the page behind. Raises InvalidInput for no cursor."""
    reach_of(tx.actor, Permission.QUALITY_READ)
    found = IncidentStore(tx).page(wanted, limit + 1, None if before is None else read_cursor(before))
    shown = found[:limit]
    return shown, show_cursor(shown[-1].opened_at, shown[-1].id) if len(found) > limit else None


def get_incident(tx: Tx, identifier: uuid.UUID) -> Incident:
    """One incident. Raises IncidentNotFound."""
    reach_of(tx.actor, Permission.QUALITY_READ)
    return _found(IncidentStore(tx).find(identifier), identifier)


def acknowledge(tx: Tx, identifier: uuid.UUID, version: int, note: str) -> Incident:
    """Say that somebody looks into it; it stays open. Raises IncidentNotFound, IncidentClosed, ChangedMeanwhile."""
    return _change(tx, identifier, version, IncidentState.ACKNOWLEDGED, note)


def resolve(tx: Tx, identifier: uuid.UUID, version: int, note: str) -> Incident:
    """Close it by hand. While the data stay unusual there is a new one after five minutes. Raises as `acknowledge`."""
    closed = _change(tx, identifier, version, IncidentState.RESOLVED, note)
    store = WatchStore(tx)
    watch = store.find(closed.contract, lock=True)
    if watch is not None:
        mine = _places(store, closed) & set(watch.progress.streaks)
        streaks = watch.progress.streaks | dict.fromkeys(mine, Streak(unusual=-_GRACE_STEPS))
        progress = msgspec.structs.replace(watch.progress, streaks=streaks)
        store.keep(msgspec.structs.replace(watch, progress=progress))
    return closed


def expect(tx: Tx, identifier: uuid.UUID, version: int, note: str) -> Incident:
    """Say that this is normal now: it is closed, and its monitors learn anew from when it began on. Raises as above."""
    closed = _change(tx, identifier, version, IncidentState.EXPECTED, note)
    store = WatchStore(tx)
    watch = store.find(closed.contract, lock=True)
    places = _places(store, closed)
    store.relearn(sorted(places), closed.contract, closed.since, tx.now())
    if watch is not None:
        store.keep(_forgotten(watch, places, {part.kind for part in closed.parts}), learned=True)
    return closed


def _places(store: WatchStore, incident: Incident) -> set[int]:
    mine = {part.monitor for part in incident.parts}
    return {one.place for one in store.monitors(incident.contract) if one.id in mine}


def _forgotten(watch: Watch, places: set[int], kinds: set[MonitorKind]) -> Watch:
    """The watch as if these monitors had never learned."""

    def without(numbers: tuple[float | None, ...]) -> tuple[float | None, ...]:
        return tuple(None if place in places else one for place, one in enumerate(numbers))

    usual = msgspec.structs.replace(
        watch.usual,
        learned_at=None,
        gap_s=None if MonitorKind.FRESHNESS in kinds else watch.usual.gap_s,
        centers=without(watch.usual.centers),
        hour_centers=without(watch.usual.hour_centers),
    )
    streaks = {place: one for place, one in watch.progress.streaks.items() if place not in places}
    moved = MonitorKind.DISTRIBUTION in kinds
    return msgspec.structs.replace(
        watch,
        layout=msgspec.structs.replace(watch.layout, made_at=None) if moved else watch.layout,
        usual=usual,
        progress=msgspec.structs.replace(watch.progress, streaks=streaks),
    )


def _change(tx: Tx, identifier: uuid.UUID, version: int, state: IncidentState, note: str) -> Incident:
    reach_of(tx.actor, Permission.QUALITY_MANAGE)
    store = IncidentStore(tx)
    before = _found(store.find(identifier, lock=True), identifier)
    shown = show_id(PREFIX, identifier)
    if before.state not in OPEN_STATES:
        raise IncidentClosed(f"{shown} is {before.state.value} already. If it comes back, there will be a new one.")
    now = tx.now()
    changed = msgspec.structs.replace(
        before, state=state, note=note.strip() or before.note, changed_by=tx.actor.name, changed_at=now,
        closed_at=None if state in OPEN_STATES else now, version=version + 1,
    )  # fmt: skip
    if before.version != version or not store.change(changed, version):
        raise ChangedMeanwhile(f"{shown} was changed since you opened it. Look at it again first.")
    if changed.closed_at is not None:
        notifications.settle(tx, key_of(changed))
    record_audit(tx, _ACTS[state], shown, {"contract": before.contract, "kind": before.kind.value})
    return changed


_ACTS = {
    IncidentState.ACKNOWLEDGED: "quality:acknowledge",
    IncidentState.RESOLVED: "quality:resolve",
    IncidentState.EXPECTED: "quality:expect",
}


def _found(incident: Incident | None, identifier: uuid.UUID) -> Incident:
    if incident is None:
        raise IncidentNotFound(
            f"There is no incident {show_id(PREFIX, identifier)}. GET /api/v1/quality/incidents lists them."
        )
    return incident
