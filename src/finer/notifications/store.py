"""The SQL of notifications."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.kit.crypto.fields import seal, unseal, unseal_all
from finer.kit.cursors import Cursor
from finer.kit.ids import new_id
from finer.kit.lock_keys import LockKey
from finer.kit.turns import one_at_once
from finer.kit.tx import Tx
from finer.notifications.tables import deliveries, hooks, notifications, reads
from finer.notifications.types import (
    TEXT_MAX,
    TITLE_MAX,
    Audience,
    Delivery,
    DeliveryState,
    Hook,
    LastCall,
    NewNotification,
    Notification,
    Severity,
)

_URL, _SECRET = "notifications_hooks.url_sealed", "notifications_hooks.secret_sealed"
_MESSAGE = "notifications_deliveries.message_sealed"
_RANKS = "array['info', 'warning', 'critical']"

# Telling the same thing again leaves it read by whoever has read it, until it gets worse.
_TELL = f"""
insert into notifications_notifications as n (tenant_id, id, kind, severity, title, text, link, permission, user_id,
  key, first_at, last_at, unread_since)
values (%(tenant)s, %(id)s, %(kind)s, %(severity)s, %(title)s, %(text)s, %(link)s, %(permission)s, %(user)s, %(key)s,
  %(now)s, %(now)s, %(now)s)
on conflict (tenant_id, key) where settled_at is null and key is not null do update
set kind = excluded.kind, severity = excluded.severity, title = excluded.title, text = excluded.text,
  link = excluded.link, permission = excluded.permission, user_id = excluded.user_id, count = n.count + 1,
  last_at = excluded.last_at, sequence = excluded.sequence,
  unread_since = case
    when array_position({_RANKS}, excluded.severity) > array_position({_RANKS}, n.severity) then excluded.last_at
    else n.unread_since end
"""  # noqa: S608 - constants only

_SETTLE = """
update notifications_notifications set settled_at = %(now)s, sequence = nextval('notifications_sequence')
where tenant_id = %(tenant)s and key = %(key)s and settled_at is null
"""


class NotificationStore:
    """Notifications of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def tell(self, new: NewNotification) -> None:
        """Insert a notification, or update and count the open one of the same key."""
        self._in_order()
        self._tx.write(
            _TELL,
            {
                "tenant": self._tenant,
                "id": new_id(),
                "kind": new.kind,
                "severity": str(new.severity),
                "title": new.title[:TITLE_MAX],
                "text": new.text[:TEXT_MAX],
                "link": new.link,
                "permission": None if new.permission is None else str(new.permission),
                "user": new.user,
                "key": new.key,
                "now": self._tx.now(),
            },
        )

    def settle(self, key: str) -> None:
        """Close the open notification of a key, if there is one."""
        self._in_order()
        self._tx.write(_SETTLE, {"tenant": self._tenant, "key": key, "now": self._tx.now()})

    def is_open(self, key: str) -> bool:
        """Whether a notification of a key is open."""
        c = notifications.c
        query = sa.select(c.id).where(c.tenant_id == self._tenant, c.key == key, c.settled_at.is_(None))
        return self._connection.execute(query).first() is not None

    def _in_order(self) -> None:
        # Live streams read on from the highest sequence that they saw: one that committed late would be passed over.
        self._tx.write(
            "select pg_advisory_xact_lock(%s, hashtext(%s))", (LockKey.NOTIFICATION_ORDER.value, str(self._tenant))
        )

    def page(self, audience: Audience, *, unread: bool, limit: int, before: Cursor | None) -> list[Notification]:
        """Notifications for somebody, the latest first."""
        query = self._of(audience).where(_for(audience))
        if unread:
            query = query.where(_is_news())
        if before is not None:
            last = sa.tuple_(notifications.c.last_at, notifications.c.id)
            query = query.where(last < sa.tuple_(sa.literal(before.at), sa.literal(before.id)))
        query = query.order_by(notifications.c.last_at.desc(), notifications.c.id.desc()).limit(limit)
        return [_notification(row) for row in self._connection.execute(query)]

    def find(self, audience: Audience, identifier: uuid.UUID) -> Notification | None:
        """One notification, if it is for this person."""
        query = self._of(audience).where(_for(audience), notifications.c.id == identifier)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _notification(row)

    def changed(self, after_sequence: int, limit: int) -> list[Notification]:
        """Notifications for anybody that are new or changed since a sequence, the latest `limit`, oldest first."""
        query = (
            self._of(Audience(frozenset(), None))
            .where(notifications.c.sequence > after_sequence)
            .order_by(notifications.c.sequence.desc())
            .limit(limit)
        )
        return [_notification(row) for row in reversed(self._connection.execute(query).all())]

    def last_sequence(self) -> int:
        """The highest sequence in use, 0 without notifications."""
        highest = sa.func.coalesce(sa.func.max(notifications.c.sequence), 0)
        query = sa.select(highest).where(notifications.c.tenant_id == self._tenant)
        return int(self._connection.execute(query).scalar_one())

    def unread(self, audience: Audience) -> dict[str, int]:
        """How many unread notifications somebody has, by severity."""
        query = (
            self._joined(sa.select(notifications.c.severity, sa.func.count().label("n")), audience)
            .where(_for(audience), _is_news())
            .group_by(notifications.c.severity)
        )
        return {row.severity: row.n for row in self._connection.execute(query)}

    def read(self, audience: Audience, at: datetime, identifier: uuid.UUID | None = None) -> None:
        """Note that somebody has read one notification, or all of theirs."""
        chosen = sa.select(
            notifications.c.tenant_id, notifications.c.id, sa.literal(audience.user), sa.literal(at)
        ).where(notifications.c.tenant_id == self._tenant, _for(audience))
        if identifier is not None:
            chosen = chosen.where(notifications.c.id == identifier)
        # In one order, so that two tabs that read everything at once do not wait for each other.
        chosen = chosen.order_by(notifications.c.id)
        new = insert(reads).from_select(["tenant_id", "notification_id", "user_id", "read_at"], chosen)
        self._connection.execute(
            new.on_conflict_do_update(
                index_elements=["tenant_id", "notification_id", "user_id"], set_={"read_at": new.excluded.read_at}
            )
        )

    def forget(self, before: datetime) -> int:
        """Delete notifications last told before then, and who has read them."""
        gone = notifications.delete().where(notifications.c.tenant_id == self._tenant, notifications.c.last_at < before)
        return self._connection.execute(gone).rowcount

    def _of(self, audience: Audience) -> sa.Select[Any]:
        return self._joined(sa.select(notifications, sa.not_(_is_news()).label("read")), audience)

    def _joined(self, query: sa.Select[Any], audience: Audience) -> sa.Select[Any]:
        mine = sa.and_(
            reads.c.tenant_id == notifications.c.tenant_id,
            reads.c.notification_id == notifications.c.id,
            reads.c.user_id == audience.user,
        )
        return query.select_from(notifications.outerjoin(reads, mine)).where(notifications.c.tenant_id == self._tenant)


class DeliveryStore:
    """Messages of one tenant that go out."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection, self._tenant = tx.connection, tx.tenant

    def add(
        self, identifier: uuid.UUID, text: str, *, person: uuid.UUID | None = None, hook: uuid.UUID | None = None
    ) -> None:
        """A message that waits. It is sealed: it leaves Finer once, and is read nowhere else."""
        self._connection.execute(
            deliveries.insert().values(
                tenant_id=self._tenant, id=identifier, person_id=person, hook_id=hook, state=DeliveryState.WAITING,
                message_sealed=seal(self._tx, _MESSAGE, identifier, text), created_at=self._tx.now(),
            )
        )  # fmt: skip

    def get(self, identifier: uuid.UUID) -> Delivery | None:
        """One message."""
        c = deliveries.c
        query = sa.select(deliveries).where(c.tenant_id == self._tenant, c.id == identifier)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        text = None if row.message_sealed is None else unseal(self._tx, _MESSAGE, row.id, bytes(row.message_sealed))
        return Delivery(
            id=row.id, person_id=row.person_id, hook_id=row.hook_id, state=DeliveryState(row.state), text=text,
            attempts=row.attempts, problem=row.problem, created_at=row.created_at, ended_at=row.ended_at,
        )  # fmt: skip

    def change(self, identifier: uuid.UUID, **values: Any) -> None:
        """Note what became of a message."""
        c = deliveries.c
        mine = (c.tenant_id == self._tenant) & (c.id == identifier)
        self._connection.execute(deliveries.update().where(mine).values(**values))

    def forget(self, before: datetime) -> int:
        """Delete messages from before then."""
        c = deliveries.c
        gone = deliveries.delete().where(c.tenant_id == self._tenant, c.created_at < before)
        return self._connection.execute(gone).rowcount


class HookStore:
    """Addresses outside, of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection, self._tenant = tx.connection, tx.tenant

    def add_one_by_one(self) -> None:
        """Wait until nobody else adds an address to this firm, and let nobody until this transaction ends."""
        one_at_once(self._connection, "hooks", self._tenant)

    def add(self, identifier: uuid.UUID, name: str, url: str, secret: str, by: uuid.UUID) -> None:
        """A new address; it may carry a key in its path, so it is sealed too."""
        self._connection.execute(
            hooks.insert().values(
                tenant_id=self._tenant, id=identifier, name=name, created_by=by, created_at=self._tx.now(),
                url_sealed=seal(self._tx, _URL, identifier, url),
                secret_sealed=seal(self._tx, _SECRET, identifier, secret),
            )
        )  # fmt: skip

    def find(self, identifier: uuid.UUID | None = None) -> list[Hook]:
        """All of them, or that one; by name."""
        h = hooks.c
        query = sa.select(hooks).where(h.tenant_id == self._tenant)
        if identifier is not None:
            query = query.where(h.id == identifier)
        rows = self._connection.execute(query.order_by(h.name, h.id)).all()
        urls = unseal_all(self._tx, _URL, [(row.id, bytes(row.url_sealed)) for row in rows])
        last = self._last([row.id for row in rows])
        return [
            Hook(
                id=row.id, name=row.name, url=url or "", created_by=row.created_by, created_at=row.created_at,
                last=last.get(row.id),
            )
            for row, url in zip(rows, urls, strict=True)
        ]  # fmt: skip

    def secret(self, identifier: uuid.UUID) -> str:
        """What signs documents that go there."""
        h = hooks.c
        query = sa.select(h.secret_sealed).where(h.tenant_id == self._tenant, h.id == identifier)
        return unseal(self._tx, _SECRET, identifier, bytes(self._connection.execute(query).scalar_one()))

    def remove(self, identifier: uuid.UUID) -> None:
        """Delete one."""
        h = hooks.c
        self._connection.execute(hooks.delete().where(h.tenant_id == self._tenant, h.id == identifier))

    def _last(self, wanted: list[uuid.UUID]) -> dict[uuid.UUID, LastCall]:
        c = deliveries.c
        newest = (
            sa.select(c.hook_id, c.state, c.created_at, c.ended_at, c.problem)
            .distinct(c.hook_id)
            .where(c.tenant_id == self._tenant, c.hook_id.in_(wanted))
            .order_by(c.hook_id, c.created_at.desc(), c.id.desc())
        )
        return {
            row.hook_id: LastCall(
                state=DeliveryState(row.state), at=row.ended_at or row.created_at, problem=row.problem
            )
            for row in self._connection.execute(newest)
        }


def _for(audience: Audience) -> sa.ColumnElement[bool]:
    """`Audience.sees` as a WHERE clause."""
    to_all = sa.and_(notifications.c.user_id.is_(None), notifications.c.permission.in_(sorted(audience.permissions)))
    return to_all if audience.user is None else sa.or_(to_all, notifications.c.user_id == audience.user)


def _is_news() -> sa.ColumnElement[bool]:
    """Unread since it was first told or got worse, and its cause not gone yet."""
    unseen = sa.or_(reads.c.read_at.is_(None), reads.c.read_at < notifications.c.unread_since)
    return sa.and_(notifications.c.settled_at.is_(None), unseen)


def _notification(row: sa.Row[Any]) -> Notification:
    return Notification(
        id=row.id,
        sequence=row.sequence,
        kind=row.kind,
        severity=Severity(row.severity),
        title=row.title,
        text=row.text,
        link=row.link,
        permission=row.permission,
        user=row.user_id,
        key=row.key,
        count=row._mapping["count"],
        first_at=row.first_at,
        last_at=row.last_at,
        settled_at=row.settled_at,
        read=row.read,
    )
