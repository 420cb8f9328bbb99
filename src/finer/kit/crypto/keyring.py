"""Data keys: one line of versions per firm and one per person, wrapped by the key service, kept in `kit_keys`.

Unwrapped keys are remembered for a minute, so that a destroyed key is gone from the memory of every process at most
that much later. A key made in a transaction is remembered only by that transaction: it may still be rolled back.
"""

from __future__ import annotations

import hmac
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID, insert

from finer.kit.crypto.envelope import joined, new_key
from finer.kit.crypto.errors import KeysUnavailable
from finer.kit.crypto.kms import KeyService
from finer.kit.tables import data_keys, installation_keys

REMEMBER_S = 60.0
_REMEMBERED_MAX = 10_000
_INDEX = "index"

_ADD = """
insert into kit_keys (tenant_id, id, subject, version, wrapped, created_at)
select %s, id, subject, version, wrapped, %s
from unnest(%b::uuid[], %b::bytea[], %b::int[], %b::bytea[]) as k(id, subject, version, wrapped)
"""

_SUCCESSIONS = """
select old.id, old.subject, old.wrapped, new.id, new.wrapped from kit_keys as old cross join lateral (
  select id, wrapped from kit_keys as later where later.tenant_id = old.tenant_id and later.subject = old.subject
  order by version desc limit 1) as new
where old.tenant_id = %s and old.id = any(%b::uuid[])
"""

DataKey = tuple[uuid.UUID, bytes]
"""Id and secret of a data key."""


class KeyTx(Protocol):
    """What of a transaction the keyring needs (finer.kit.tx.Tx)."""

    connection: sa.Connection
    tenant: uuid.UUID
    made_keys: dict[tuple[uuid.UUID, bytes], DataKey]

    def now(self) -> datetime:
        """The present moment."""
        ...


class Keyring:
    """The data keys of an installation. One per process; safe from many threads."""

    def __init__(self, service: KeyService, *, remember_s: float = REMEMBER_S) -> None:
        self.service = service
        self._memory = _Memory(remember_s)
        self._index_key = b""

    def establish(self, tx: KeyTx) -> None:
        """Make the master key of a new installation, or prove that this is the one the data were sealed with.

        Called once at the start of every process. Raises KeysUnavailable when data exist and cannot be opened.
        """
        if not self.proven(tx):
            self.service.prepare()
            [wrapped] = self.service.wrap([(new_key(), _INDEX.encode())])
            row = insert(installation_keys).values(name=_INDEX, wrapped=wrapped, created_at=tx.now())
            tx.connection.execute(row.on_conflict_do_nothing())
            self.proven(tx)

    def proven(self, tx: KeyTx) -> bool:
        """Whether anything was sealed yet, with this master key. Raises KeysUnavailable when it was another one."""
        if self._stored_index_key(tx) is None:
            return False
        self._index_key = b""
        self.index_key(tx, uuid.UUID(int=0))
        return True

    def index_key(self, tx: KeyTx, tenant: uuid.UUID) -> bytes:
        """The key of a firm's blind indexes, 32 bytes; that of the null tenant is for all firms together."""
        if not self._index_key:
            wrapped = self._stored_index_key(tx)
            if wrapped is None:
                raise KeysUnavailable("There are no keys yet. Run finer migrate, or finer up.")
            [self._index_key] = self.service.unwrap([(wrapped, _INDEX.encode())])
        return hmac.digest(self._index_key, joined(b"tenant", tenant.bytes), sha256)

    def subject_of(self, tx: KeyTx, subject: str | None) -> bytes:
        """What stands for a person in the table of keys: not the name, but a keyed hash of it; empty is the firm."""
        if subject is None:
            return b""
        return hmac.digest(self.index_key(tx, tx.tenant), joined(b"subject", subject.encode()), sha256)

    def current(self, tx: KeyTx, subject: bytes) -> DataKey:
        """The key to seal with now; made when there is none. A transaction that only reads cannot make one."""
        place = (tx.tenant, subject)
        found = tx.made_keys.get(place) or self._memory.get(place)
        if found is None and (found := self._newest(tx, subject)) is not None:
            self._memory.put(place, found)
        return found or self._make(tx, subject)

    def add_versions(self, tx: KeyTx, lines: Sequence[tuple[bytes, int]]) -> None:
        """New versions (subject, version) of keys, for what is sealed from now on."""
        made = [(uuid.uuid4(), new_key(), subject, version) for subject, version in lines]
        boxes = [(secret, _bound_to(tx.tenant, identifier, subject)) for identifier, secret, subject, _ in made]
        identifiers, _, subjects, versions = (list(each) for each in zip(*made, strict=True)) if made else ([],) * 4
        tx.connection.exec_driver_sql(
            _ADD, (tx.tenant, tx.now(), identifiers, subjects, versions, self.service.wrap(boxes))
        )
        self._memory.forget([(tx.tenant, subject) for subject, _ in lines])
        tx.made_keys.update({(tx.tenant, subject): (identifier, secret) for identifier, secret, subject, _ in made})

    def successions(self, tx: KeyTx, identifiers: Iterable[uuid.UUID]) -> list[tuple[DataKey, DataKey]]:
        """Each of these keys with the newest version of the same line; one that was destroyed is not in the answer."""
        rows = tx.connection.exec_driver_sql(_SUCCESSIONS, (tx.tenant, list(identifiers))).all()
        boxes = [(wrapped, _bound_to(tx.tenant, old, subject)) for old, subject, wrapped, _, _ in rows]
        boxes += [(wrapped, _bound_to(tx.tenant, new, subject)) for _, subject, _, new, wrapped in rows]
        secrets = self.service.unwrap(boxes)
        return [
            ((row[0], secret), (row[3], newest))
            for row, secret, newest in zip(rows, secrets[: len(rows)], secrets[len(rows) :], strict=True)
        ]

    def secrets(self, tx: KeyTx, identifiers: Iterable[uuid.UUID]) -> dict[uuid.UUID, bytes]:
        """The keys of these ids; one that was destroyed is not in the answer."""
        found: dict[uuid.UUID, bytes] = {}
        wanted = []
        for identifier in set(identifiers):
            known = self._memory.get((tx.tenant, identifier))
            if known is None:
                wanted.append(identifier)
            else:
                found[identifier] = known[1]
        if wanted:
            query = sa.select(data_keys).where(data_keys.c.tenant_id == tx.tenant, one_of(data_keys.c.id, wanted))
            for key in self._unwrapped(tx.connection.execute(query).all()):
                self._memory.put((tx.tenant, key[0]), key)
                found[key[0]] = key[1]
        return found

    def destroy(self, tx: KeyTx, subject: bytes) -> int:
        """Delete every key of a person, and with them all that they sealed; returns how many there were."""
        mine = (data_keys.c.tenant_id == tx.tenant) & (data_keys.c.subject == subject)
        gone = tx.connection.execute(data_keys.delete().where(mine).returning(data_keys.c.id)).scalars().all()
        self._memory.forget([(tx.tenant, subject), *((tx.tenant, identifier) for identifier in gone)])
        tx.made_keys.pop((tx.tenant, subject), None)
        return len(gone)

    def _newest(self, tx: KeyTx, subject: bytes) -> DataKey | None:
        query = (
            sa.select(data_keys)
            .where(data_keys.c.tenant_id == tx.tenant, data_keys.c.subject == subject)
            .order_by(data_keys.c.version.desc())
            .limit(1)
        )
        found = self._unwrapped(tx.connection.execute(query).all())
        return found[0] if found else None

    def _make(self, tx: KeyTx, subject: bytes) -> DataKey:
        identifier, secret = uuid.uuid4(), new_key()
        [wrapped] = self.service.wrap([(secret, _bound_to(tx.tenant, identifier, subject))])
        mine = (data_keys.c.tenant_id == tx.tenant) & (data_keys.c.subject == subject)
        newest = sa.select(sa.func.coalesce(sa.func.max(data_keys.c.version), 0)).where(mine).scalar_subquery()
        row = insert(data_keys).values(
            tenant_id=tx.tenant,
            id=identifier,
            subject=subject,
            version=newest + 1,
            wrapped=wrapped,
            created_at=tx.now(),
        )
        if tx.connection.execute(row.on_conflict_do_nothing().returning(data_keys.c.id)).first() is None:
            # Somebody else made the same version and has committed by now, or the statement would still wait.
            found = self._newest(tx, subject)
            if found is None:
                raise KeysUnavailable("A key was made and taken away at the same time. Do the same again.")
            return found
        tx.made_keys[tx.tenant, subject] = (identifier, secret)
        return identifier, secret

    def _unwrapped(self, rows: Sequence[sa.Row[Any]]) -> list[DataKey]:
        boxes = [(bytes(row.wrapped), _bound_to(row.tenant_id, row.id, bytes(row.subject))) for row in rows]
        return list(zip([row.id for row in rows], self.service.unwrap(boxes), strict=True))

    def _stored_index_key(self, tx: KeyTx) -> bytes | None:
        query = sa.select(installation_keys.c.wrapped).where(installation_keys.c.name == _INDEX)
        found = tx.connection.execute(query).scalar_one_or_none()
        return None if found is None else bytes(found)


def one_of(column: sa.ColumnElement[Any], wanted: list[uuid.UUID]) -> sa.ColumnElement[bool]:
    """Whether a column is one of these. One parameter whatever their number, where IN has one for each."""
    return column == sa.any_(sa.literal(wanted, ARRAY(UUID(as_uuid=True))))


def rewrap(keyring: Keyring, tx: KeyTx, after: uuid.UUID | None, limit: int) -> tuple[uuid.UUID | None, int]:
    """Wrap the next data keys of a firm with the newest master key: (last id looked at, or None at the end; how many).

    The data keys stay the same, so nothing that they sealed has to change.
    """
    query = sa.select(data_keys).where(data_keys.c.tenant_id == tx.tenant).order_by(data_keys.c.id).limit(limit)
    if after is not None:
        query = query.where(data_keys.c.id > after)
    rows = tx.connection.execute(query.with_for_update()).all()
    old = [row for row in rows if not keyring.service.current(bytes(row.wrapped))]
    bound = [_bound_to(row.tenant_id, row.id, bytes(row.subject)) for row in old]
    plain = keyring.service.unwrap([(bytes(row.wrapped), one) for row, one in zip(old, bound, strict=True)])
    for row, wrapped in zip(old, keyring.service.wrap(list(zip(plain, bound, strict=True))), strict=True):
        mine = (data_keys.c.tenant_id == tx.tenant) & (data_keys.c.id == row.id)
        tx.connection.execute(data_keys.update().where(mine).values(wrapped=wrapped))
    return (rows[-1].id if len(rows) == limit else None), len(old)


def rewrap_installation(keyring: Keyring, tx: KeyTx) -> None:
    """Wrap the installation's own key with the newest master key."""
    query = sa.select(installation_keys).with_for_update()
    for row in tx.connection.execute(query).all():
        if keyring.service.current(bytes(row.wrapped)):
            continue
        bound = row.name.encode()
        [plain] = keyring.service.unwrap([(bytes(row.wrapped), bound)])
        [wrapped] = keyring.service.wrap([(plain, bound)])
        mine = installation_keys.c.name == row.name
        tx.connection.execute(installation_keys.update().where(mine).values(wrapped=wrapped))


def _bound_to(tenant: uuid.UUID, identifier: uuid.UUID, subject: bytes) -> bytes:
    return joined(b"data key", tenant.bytes, identifier.bytes, subject)


class _Memory:
    """Keys by place, each for a limited time, the least used leaving first."""

    def __init__(self, remember_s: float) -> None:
        self._remember_s = remember_s
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[uuid.UUID, bytes | uuid.UUID], tuple[float, DataKey]] = OrderedDict()

    def get(self, place: tuple[uuid.UUID, bytes | uuid.UUID]) -> DataKey | None:
        with self._lock:
            found = self._known.get(place)
            if found is None:
                return None
            if found[0] < time.monotonic():
                del self._known[place]
                return None
            self._known.move_to_end(place)
            return found[1]

    def put(self, place: tuple[uuid.UUID, bytes | uuid.UUID], key: DataKey) -> None:
        with self._lock:
            self._known[place] = (time.monotonic() + self._remember_s, key)
            while len(self._known) > _REMEMBERED_MAX:
                self._known.popitem(last=False)

    def forget(self, places: Iterable[tuple[uuid.UUID, bytes | uuid.UUID]]) -> None:
        with self._lock:
            for place in places:
                self._known.pop(place, None)
