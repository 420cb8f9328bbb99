"""Detection of unauthorised access: reads the sealed trail in its order, and raises security alerts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from finer.identity.rules.detection import OBSERVED, Hit, evaluate, local_columns
from finer.identity.rules.places import Places, distance_km, network_of, read_places
from finer.identity.rules.trail import shown_actor
from finer.identity.service.audit import record_audit
from finer.identity.service.tenants import get_tenant
from finer.identity.store.chain import ChainStore
from finer.identity.store.observations import ObservationStore
from finer.identity.store.security import SecurityStore
from finer.identity.types.security_alerts import SecurityAlert, SecurityState
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx

__all__ = ["AT_ONCE", "Places", "detect", "read_places", "watch_readers"]
AT_ONCE = 500
"""Entries looked at in one transaction."""
_REASONS_MAX, _LINKS_MAX = 20, 200
_LEAST_ROWS = 1_000  # no rule of mass reading speaks below this, so nobody is looked at who read less


def detect(tx: Tx, places: Places) -> int:
    """Look at the next entries of the trail; returns how many there were. 0 also when another one is at it."""
    if not ChainStore(tx).lock():
        return 0
    store = ObservationStore(tx)
    rows = store.fresh(store.progress(), AT_ONCE)
    if not rows:
        return 0
    store.set_progress(rows[-1]["sequence"])
    zone = ZoneInfo(get_tenant(tx).timezone)
    seen = [_observation(row, zone, places) for row in rows if row["at"] >= tx.now() - OBSERVED]
    for hit in evaluate(seen):
        _raise(tx, hit, seen[hit.row])
    return len(rows)


def watch_readers(tx: Tx) -> None:
    """Look at who reads much just now."""
    if not ChainStore(tx).lock():
        return
    seen = [_reader(row) for row in ObservationStore(tx).readers(tx.now(), _LEAST_ROWS)]
    for hit in evaluate(seen):
        _raise(tx, hit, seen[hit.row])


def _observation(row: dict[str, Any], zone: ZoneInfo, places: Places) -> dict[str, Any]:
    """An entry with the columns of the catalogue that are computed here."""
    found = dict(row) | local_columns(row["at"], zone)
    found["account_name"] = row["actor_name"] if row["sign_in"] else ""
    if row["sign_in"]:
        found["known_device"] = row["user_agent"] in (row["devices_before"] or ())
        found["known_network"] = network_of(row["origin"]) in {network_of(one) for one in row["origins_before"] or ()}
        if row["previous_at"] is not None:
            found |= _travel(row, places)
    return found


def _travel(row: dict[str, Any], places: Places) -> dict[str, Any]:
    hours = (row["at"] - row["previous_at"]).total_seconds() / 3600
    here, there = places.of(row["origin"]), places.of(row["previous_origin"])
    found: dict[str, Any] = {
        "previous_minutes": hours * 60,
        "previous_same_network": network_of(row["origin"]) == network_of(row["previous_origin"]),
        "previous_same_device": row["user_agent"] == row["previous_user_agent"],
    }
    if here is not None and there is not None:
        km = distance_km(here, there)
        # A minute at least: two sign-ins in the same second say no more than two in the same minute.
        found |= {"travel_km": km, "travel_km_h": km / max(hours, 1 / 60)}
    return found


def _reader(row: dict[str, Any]) -> dict[str, Any]:
    numbers = {name: float(row[name] or 0) for name in ("rows_10m", "rows_usual", "rows_known")}
    return dict(row) | numbers | {"at": row["last_minute"], "id": None, "origin": "", "account": ""}


def _raise(tx: Tx, hit: Hit, observation: dict[str, Any]) -> None:
    """Raise an alert, or let the hit join the one that is there and not closed."""
    store = SecurityStore(tx)
    subject, name = _subject(hit, observation)
    at: datetime = observation["at"]
    entries: Sequence[uuid.UUID] = [] if observation["id"] is None else [observation["id"]]
    known = store.latest(hit.rule.id, subject)
    if known is not None and known.state is SecurityState.CLOSED:
        if known.changed_at is not None and at <= known.changed_at:
            return  # whoever closed the alert has seen this already
        known = None
    if known is not None:
        if known.last_at < at or entries:
            fresh = [] if hit.reason in known.reasons else [hit.reason]
            store.join(known.id, [*known.reasons, *fresh][-_REASONS_MAX:], at)
            store.link(known.id, entries, _LINKS_MAX)
        return
    alert = SecurityAlert(
        id=new_id(),
        rule=hit.rule.id,
        severity=hit.rule.severity,
        subject=subject,
        subject_name=name,
        state=SecurityState.OPEN,
        reasons=[hit.reason],
        first_at=at,
        last_at=at,
        hits=1,
        assignee_id=None,
        note="",
        changed_by="",
        changed_at=None,
        version=1,
    )
    store.add(alert)
    store.link(alert.id, entries, _LINKS_MAX)
    record_audit(tx, "security_alerts:raise", show_id("sal", alert.id), {"rule": hit.rule.id, "about": subject})


def _subject(hit: Hit, observation: dict[str, Any]) -> tuple[str, str]:
    if hit.rule.about == "origin":
        return observation["origin"], ""
    if hit.rule.about == "account":
        return observation["account"], observation.get("account_name") or ""
    return shown_actor(observation["actor_kind"], observation["actor_id"]), observation["actor_name"]
