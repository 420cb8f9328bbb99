"""The public interface of notifications."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from finer.identity.service import people
from finer.identity.service.audit import record_audit
from finer.identity.service.authorisation import permissions_of, reach_of
from finer.identity.types.access import Permission, Role
from finer.kit import runs
from finer.kit.actors import Actor
from finer.kit.cursors import read_cursor, show_cursor
from finer.kit.errors import NotFound
from finer.kit.hook_signing import new_secret, signed
from finer.kit.ids import new_id, show_id
from finer.kit.mail import Mail
from finer.kit.outbound import Outbound, OutboundRefused
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.notifications.errors import HookNameTaken, HookNotFound, HookRefused, NotificationNotFound
from finer.notifications.store import DeliveryStore, HookStore, NotificationStore
from finer.notifications.types import (
    Audience,
    Delivery,
    DeliveryState,
    Hook,
    HookCall,
    Message,
    NewNotification,
    Notification,
    Severity,
)

CHANNEL = "finer_notifications"
"""The notification channel on which the tenant's id says: notifications are new or changed."""
KEPT_DAYS = 90
MAIL_JOB = "send_mail"
HOOK_JOB = "call_hook"
MAIL_QUEUE = "mail"
HOOK_PREFIX = "hok"
_HOOKS_MAX = 20


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
    DeliveryStore(tx).add(identifier, msgspec.json.encode(message).decode(), person=person)
    runs.start(tx, MAIL_JOB, arguments={"delivery": str(identifier), "lane": str(person)}, queue=MAIL_QUEUE)
    return identifier


def get_delivery(tx: Tx, identifier: uuid.UUID) -> Delivery | None:
    """A message that went out, or waits to; None when it is not known any more."""
    return DeliveryStore(tx).get(identifier)


def mail_to_send(tx: Tx, identifier: uuid.UUID) -> Mail | None:
    """A message that waits, addressed; None when there is nothing to send any more. For the job."""
    found = DeliveryStore(tx).get(identifier)
    if found is None or found.state is not DeliveryState.WAITING or found.text is None or found.person_id is None:
        return None
    try:
        person = people.get_user(tx, found.person_id)
    except NotFound:
        person = None
    if person is None or person.disabled_at is not None:
        dropped(tx, identifier, "Whom it was for is not let in any more.")
        return None
    DeliveryStore(tx).change(identifier, attempts=found.attempts + 1)
    said = msgspec.json.decode(found.text, type=Message)
    return Mail(id=identifier.hex, to=person.email, subject=said.subject, text=said.text, html=said.html)


def delivered(tx: Tx, identifier: uuid.UUID) -> None:
    """Note that the other side took a message; what it said is kept no longer."""
    DeliveryStore(tx).change(identifier, state=DeliveryState.SENT, ended_at=tx.now(), message_sealed=None, problem="")


def held_up(tx: Tx, identifier: uuid.UUID, problem: str) -> None:
    """Note why a message was not taken this time; it is tried again, or dropped."""
    DeliveryStore(tx).change(identifier, problem=problem[:500])


def dropped(tx: Tx, identifier: uuid.UUID, problem: str) -> None:
    """Note that a message will not be sent, and why."""
    DeliveryStore(tx).change(
        identifier, state=DeliveryState.FAILED, ended_at=tx.now(), message_sealed=None, problem=problem[:500]
    )


def list_hooks(tx: Tx) -> list[Hook]:
    """The addresses outside that alerts of the firm may go to, by name."""
    reach_of(tx.actor, Permission.HOOKS_READ)
    return HookStore(tx).find()


def get_hook(tx: Tx, identifier: uuid.UUID) -> Hook:
    """One of them. Raises HookNotFound."""
    reach_of(tx.actor, Permission.HOOKS_READ)
    found = HookStore(tx).find(identifier)
    if not found:
        raise HookNotFound(f"There is no webhook {show_id(HOOK_PREFIX, identifier)}.")
    return found[0]


def add_hook(tx: Tx, settings: Settings, name: str, url: str) -> tuple[Hook, str]:
    """Let alerts go to an address outside; the secret that signs them is told this once.

    Raises HookRefused for an address that must not be asked, and for too many of them; HookNameTaken.
    """
    reach_of(tx.actor, Permission.HOOKS_WRITE)
    store, name = HookStore(tx), name.strip()
    store.add_one_by_one()
    known = store.find()
    if not name or len(known) >= _HOOKS_MAX:
        raise HookRefused(f"Give the webhook a name; a firm has at most {_HOOKS_MAX}.")
    if taken := [one.name for one in known if one.name.casefold() == name.casefold()]:
        raise HookNameTaken(
            f"There is a webhook {taken[0]!r} already. Choose another name, or take that one away first."
        )
    try:
        Outbound.of(settings).check(url)
    except OutboundRefused as error:
        raise HookRefused(error.detail) from error
    identifier, secret = new_id(), new_secret()
    store.add(identifier, name, url, secret, uuid.UUID(tx.actor.id))
    record_audit(tx, "hooks:add", show_id(HOOK_PREFIX, identifier), {"host": urlsplit(url).hostname or ""})
    return get_hook(tx, identifier), secret


def try_hook(tx: Tx, identifier: uuid.UUID) -> Hook:
    """Send a document that says nothing to an address outside, to see whether it arrives. Raises HookNotFound."""
    reach_of(tx.actor, Permission.HOOKS_WRITE)
    found = get_hook(tx, identifier)
    send_hook(tx, identifier, {"type": "test", "name": found.name, "at": tx.now().isoformat()})
    record_audit(tx, "hooks:test", show_id(HOOK_PREFIX, identifier))
    return get_hook(tx, identifier)


def remove_hook(tx: Tx, identifier: uuid.UUID) -> None:
    """Let nothing go there any more; what waits for it is dropped. Raises HookNotFound."""
    reach_of(tx.actor, Permission.HOOKS_WRITE)
    HookStore(tx).remove(get_hook(tx, identifier).id)
    record_audit(tx, "hooks:remove", show_id(HOOK_PREFIX, identifier))


def send_hook(tx: Tx, hook: uuid.UUID, payload: Mapping[str, Any]) -> uuid.UUID:
    """Send a document to an address outside once this transaction commits; the id of what is kept of it."""
    identifier = new_id()
    DeliveryStore(tx).add(identifier, msgspec.json.encode(payload).decode(), hook=hook)
    runs.start(tx, HOOK_JOB, arguments={"delivery": str(identifier), "lane": str(hook)}, queue=MAIL_QUEUE)
    return identifier


def hook_to_call(tx: Tx, identifier: uuid.UUID) -> HookCall | None:
    """A document that waits, signed as of now; None when there is nothing to send any more. For the job."""
    found = DeliveryStore(tx).get(identifier)
    if found is None or found.state is not DeliveryState.WAITING or found.text is None or found.hook_id is None:
        return None
    store = HookStore(tx)
    known = store.find(found.hook_id)
    if not known:
        dropped(tx, identifier, "The webhook was taken away.")
        return None
    DeliveryStore(tx).change(identifier, attempts=found.attempts + 1)
    body = found.text.encode()
    headers = signed(store.secret(found.hook_id), f"msg_{identifier.hex}", int(tx.now().timestamp()), body)
    return HookCall(url=known[0].url, body=body, headers=headers)


def forget_old(tx: Tx) -> int:
    """Delete what was last told, and what was sent, KEPT_DAYS ago or earlier."""
    before = tx.now() - timedelta(days=KEPT_DAYS)
    return NotificationStore(tx).forget(before) + DeliveryStore(tx).forget(before)
