"""Security alerts for people: who looks at them, what becomes of them, and what is done at once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec

from finer.identity.errors import (
    AlertChanged,
    KeyNotFound,
    NotAcceptable,
    SecurityAlertNotFound,
    UserNotFound,
)
from finer.identity.rules.detection import TITLES, render
from finer.identity.service.audit import note_read, record_audit
from finer.identity.store.audit import AuditStore
from finer.identity.store.rows import IdentityStore
from finer.identity.store.security import SecurityStore
from finer.identity.types.audit import AuditFilter, AuditLine
from finer.identity.types.security_alerts import Containment, SecurityAlert, SecurityState
from finer.kit.cursors import read_cursor, show_cursor
from finer.kit.errors import NotFound
from finer.kit.ids import read_id, show_id
from finer.kit.tx import Tx

NOTE_MAX = 2_000
_TIMELINE_MAX = 200


def title_of(rule: str) -> str:
    """What a rule is called."""
    return TITLES.get(rule, rule)


def render_rules() -> str:
    """docs/reference/security-rules.md."""
    return render()


def list_security_alerts(
    tx: Tx,
    *,
    states: Sequence[SecurityState] = (),
    rule: str | None = None,
    subject: str | None = None,
    limit: int = 50,
    before: str | None = None,
) -> tuple[list[SecurityAlert], str | None]:
    """One page of alerts, the latest first, and the cursor of the next page (None on the last)."""
    found = SecurityStore(tx).page(states, rule, subject, limit, None if before is None else read_cursor(before))
    last = found[-1] if len(found) == limit else None
    return found, None if last is None else show_cursor(last.last_at, last.id)


def count_security_alerts(tx: Tx) -> dict[str, int]:
    """How many alerts there are in each state."""
    return SecurityStore(tx).counts()


def get_security_alert(tx: Tx, identifier: uuid.UUID) -> SecurityAlert:
    """One alert. Raises SecurityAlertNotFound."""
    found = SecurityStore(tx).find(identifier)
    if found is None:
        raise SecurityAlertNotFound(f"There is no security alert {show_id('sal', identifier)}.")
    return found


def timeline(tx: Tx, alert: SecurityAlert) -> list[AuditLine]:
    """The entries of the trail behind an alert, the newest first; that somebody looked is an entry itself."""
    ids = SecurityStore(tx).entries(alert.id)
    note_read(tx, "security_alerts:read", show_id("sal", alert.id))
    return AuditStore(tx).page(AuditFilter(ids=tuple(ids)), _TIMELINE_MAX, None) if ids else []


def change_security_alert(
    tx: Tx, identifier: uuid.UUID, *, state: SecurityState, note: str, version: int
) -> SecurityAlert:
    """Take on (acknowledge), close, or open again. Raises SecurityAlertNotFound, AlertChanged, NotAcceptable."""
    alert = _locked(tx, identifier)
    if alert.version != version:
        raise AlertChanged("Somebody changed this alert a moment ago. Look at it again.", version=alert.version)
    if state is SecurityState.CLOSED and not note.strip():
        raise NotAcceptable("Say in a note why the alert is closed; whoever sees the next one will want to know.")
    if len(note) > NOTE_MAX:
        raise NotAcceptable(f"A note has at most {NOTE_MAX:,} characters.")
    assignee = uuid.UUID(tx.actor.id) if state is SecurityState.ACKNOWLEDGED else alert.assignee_id
    changed = msgspec.structs.replace(
        alert,
        state=state,
        note=note.strip() or alert.note,
        assignee_id=assignee,
        changed_by=tx.actor.name,
        changed_at=tx.now(),
        version=alert.version + 1,
    )
    SecurityStore(tx).change(changed)
    detail = {"from": str(alert.state), "to": str(state), "note": changed.note}
    record_audit(tx, "security_alerts:resolve", show_id("sal", alert.id), detail)
    return changed


def contain(tx: Tx, identifier: uuid.UUID, act: Containment) -> SecurityAlert:
    """End the access that an alert is about, at once. Raises SecurityAlertNotFound, UserNotFound, KeyNotFound."""
    alert = _locked(tx, identifier)
    if act is Containment.REVOKE_KEY:
        _revoke_key(tx, alert)
    else:
        _stop_user(tx, alert, act)
    return alert


def _stop_user(tx: Tx, alert: SecurityAlert, act: Containment) -> None:
    user = _about(alert, "usr")
    if str(user) == tx.actor.id:
        raise NotAcceptable("This alert is about yourself, so somebody else has to act on it.")
    people = IdentityStore(tx)
    if not people.users(identifier=user):
        raise UserNotFound(f"There is no user {alert.subject}.")
    ended = SecurityStore(tx).end_sessions(user, tx.now())
    record_audit(tx, "sessions:end_all", alert.subject, {"ended": ended, "alert": show_id("sal", alert.id)})
    if act is Containment.DISABLE_USER:
        people.set_disabled(user, tx.now())
        record_audit(tx, "users:disable", alert.subject, {"alert": show_id("sal", alert.id)})


def _revoke_key(tx: Tx, alert: SecurityAlert) -> None:
    if not SecurityStore(tx).revoke_key(_about(alert, "key"), tx.now()):
        raise KeyNotFound(f"There is no working API key {alert.subject}.")
    record_audit(tx, "api_keys:revoke", alert.subject, {"alert": show_id("sal", alert.id)})


def _about(alert: SecurityAlert, prefix: str) -> uuid.UUID:
    try:
        return read_id(prefix, alert.subject)
    except NotFound as error:
        raise NotAcceptable(f"This alert is about {alert.subject}; this act does not fit it.") from error


def _locked(tx: Tx, identifier: uuid.UUID) -> SecurityAlert:
    found = SecurityStore(tx).find(identifier, lock=True)
    if found is None:
        raise SecurityAlertNotFound(f"There is no security alert {show_id('sal', identifier)}.")
    return found
