"""The public interface of notifications."""

from __future__ import annotations

import uuid
from datetime import timedelta

from finer.identity.service.authorisation import permissions_of
from finer.identity.types.access import Permission, Role
from finer.kit.actors import Actor
from finer.kit.cursors import read_cursor, show_cursor
from finer.kit.ids import show_id
from finer.kit.tx import Tx
from finer.notifications.errors import NotificationNotFound
from finer.notifications.store import NotificationStore
from finer.notifications.types import Audience, NewNotification, Notification, Severity

CHANNEL = "finer_notifications"
"""The notification channel on which the tenant's id says: notifications are new or changed."""
KEPT_DAYS = 90


def notify(tx: Tx, new: NewNotification) -> None:
    """Show something in the bell of everybody of the firm whom it is for, when this transaction commits.

    With a `key`, an open notification of the same key is updated and counted instead. Notifications of a firm commit
    one after the other, so call it late in a long transaction.
    """
    NotificationStore(tx).tell(new)
    tx.notify(CHANNEL, [str(tx.tenant)])


def settle(tx: Tx, key: str) -> None:
    """Close the open notification of a key because its cause is gone; without one, nothing happens."""
    NotificationStore(tx).settle(key)
    tx.notify(CHANNEL, [str(tx.tenant)])


def is_open(tx: Tx, key: str) -> bool:
    """Whether a notification of this key is open."""
    return NotificationStore(tx).is_open(key)


def audience_of(actor: Actor) -> Audience:
    """Whose bell it is; by what somebody may do now, not when a notification was told."""
    if actor.kind == "user":
        return Audience(frozenset(permissions_of(Role(actor.role))), uuid.UUID(actor.id))
    if actor.kind == "system":
        return Audience(frozenset(Permission), None)
    return Audience(frozenset(), None)


def list_notifications(
    tx: Tx, *, unread: bool = False, limit: int = 50, before: str | None = None
) -> tuple[list[Notification], str | None]:
    """One page of the caller's notifications, the latest first, and the cursor of the next page (None on the last)."""
    cursor = None if before is None else read_cursor(before)
    found = NotificationStore(tx).page(audience_of(tx.actor), unread=unread, limit=limit, before=cursor)
    last = found[-1] if len(found) == limit else None
    return found, None if last is None else show_cursor(last.last_at, last.id)


def count_unread(tx: Tx) -> dict[Severity, int]:
    """How many unread notifications the caller has, by severity."""
    found = NotificationStore(tx).unread(audience_of(tx.actor))
    return {severity: found.get(severity, 0) for severity in Severity}


def read(tx: Tx, identifier: uuid.UUID) -> Notification:
    """Note that the caller has read a notification. Raises NotificationNotFound, also for one that is for others."""
    store, audience = NotificationStore(tx), audience_of(tx.actor)
    store.read(audience, tx.now(), identifier)
    found = store.find(audience, identifier)
    if found is None:
        raise NotificationNotFound(f"There is no notification {show_id('ntf', identifier)}.")
    return found


def read_all(tx: Tx) -> None:
    """Note that the caller has read everything that is there now."""
    NotificationStore(tx).read(audience_of(tx.actor), tx.now())


def changed_notifications(tx: Tx, after_sequence: int, limit: int = 100) -> list[Notification]:
    """What is new or changed since a sequence for anybody of the firm, oldest first; `read` says nothing here."""
    return NotificationStore(tx).changed(after_sequence, limit)


def last_sequence(tx: Tx) -> int:
    """Where a new live stream begins."""
    return NotificationStore(tx).last_sequence()


def forget_old(tx: Tx) -> int:
    """Delete what was last told KEPT_DAYS ago or earlier."""
    return NotificationStore(tx).forget(tx.now() - timedelta(days=KEPT_DAYS))
