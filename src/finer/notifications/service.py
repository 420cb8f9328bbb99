"""The public interface of notifications."""

from __future__ import annotations

import uuid
from datetime import timedelta

from finer.identity.service import people
from finer.identity.service.authorisation import permissions_of
from finer.identity.types.access import Permission, Role
from finer.kit import runs
from finer.kit.actors import Actor
from finer.kit.cursors import read_cursor, show_cursor
from finer.kit.errors import NotFound
from finer.kit.ids import new_id, show_id
from finer.kit.mail import Mail
from finer.kit.tx import Tx
from finer.notifications.errors import NotificationNotFound
from finer.notifications.store import DeliveryStore, NotificationStore
from finer.notifications.types import (
    Audience,
    Delivery,
    DeliveryState,
    Message,
    NewNotification,
    Notification,
    Severity,
)

CHANNEL = "finer_notifications"
"""The notification channel on which the tenant's id says: notifications are new or changed."""
KEPT_DAYS = 90
MAIL_JOB = "send_mail"
MAIL_QUEUE = "mail"


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


def send_mail(tx: Tx, person: uuid.UUID, message: Message) -> uuid.UUID:
    """Send somebody of the firm an e-mail once this transaction commits; the id of what is kept of it.

    It goes to the address that the person has when it is sent, and to nobody who was shut out meanwhile.
    """
    identifier = new_id()
    DeliveryStore(tx).add(identifier, person, message)
    runs.start(tx, MAIL_JOB, arguments={"delivery": str(identifier)}, queue=MAIL_QUEUE)
    return identifier


def get_delivery(tx: Tx, identifier: uuid.UUID) -> Delivery | None:
    """A message that went out, or waits to; None when it is not known any more."""
    return DeliveryStore(tx).get(identifier)


def mail_to_send(tx: Tx, identifier: uuid.UUID) -> Mail | None:
    """A message that waits, addressed; None when there is nothing to send any more. For the job."""
    found = DeliveryStore(tx).get(identifier)
    if found is None or found.state is not DeliveryState.WAITING or found.message is None:
        return None
    try:
        person = people.get_user(tx, found.person_id)
    except NotFound:
        person = None
    if person is None or person.disabled_at is not None:
        mail_dropped(tx, identifier, "Whom it was for is not let in any more.")
        return None
    DeliveryStore(tx).change(identifier, attempts=found.attempts + 1)
    said = found.message
    return Mail(id=identifier.hex, to=person.email, subject=said.subject, text=said.text, html=said.html)


def mail_sent(tx: Tx, identifier: uuid.UUID) -> None:
    """Note that the relay took a message; what it said is kept no longer."""
    DeliveryStore(tx).change(identifier, state=DeliveryState.SENT, ended_at=tx.now(), message_sealed=None)


def mail_dropped(tx: Tx, identifier: uuid.UUID, problem: str) -> None:
    """Note that a message will not be sent, and why."""
    DeliveryStore(tx).change(
        identifier, state=DeliveryState.FAILED, ended_at=tx.now(), message_sealed=None, problem=problem[:500]
    )


def forget_old(tx: Tx) -> int:
    """Delete what was last told, and what was sent, KEPT_DAYS ago or earlier."""
    before = tx.now() - timedelta(days=KEPT_DAYS)
    return NotificationStore(tx).forget(before) + DeliveryStore(tx).forget(before)
