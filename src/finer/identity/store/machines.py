"""Rows of machines: API keys and OAuth clients of one tenant, and the keys that sign access tokens."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from finer.identity.tables.core import api_keys
from finer.identity.tables.machines import signing_keys
from finer.identity.types.access import ApiKey, MachineKind, Permission
from finer.kit.crypto import fields
from finer.kit.lock_keys import LockKey
from finer.kit.tx import Tx

# Roles may not read stored hashes, so no query may ask for whole rows.
_SHOWN = [api_keys.c[name] for name in ApiKey.__struct_fields__]
_PRIVATE = "identity_signing_keys.private_key_sealed"


class MachineStore:
    """API keys and OAuth clients of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._mine = api_keys.c.tenant_id == tx.tenant
        self._tenant = tx.tenant

    def add(self, machine: ApiKey, secret_hash: bytes) -> None:
        """A new one."""
        row = {name: getattr(machine, name) for name in ApiKey.__struct_fields__}
        row |= {"scopes": [str(scope) for scope in machine.scopes], "kind": machine.kind.value}
        self._connection.execute(api_keys.insert().values(tenant_id=self._tenant, secret_hash=secret_hash, **row))

    def all(self, kind: MachineKind) -> list[ApiKey]:
        """Those of one kind, the newest first."""
        query = sa.select(*_SHOWN).where(self._mine, api_keys.c.kind == kind.value)
        return [_machine(row) for row in self._connection.execute(query.order_by(api_keys.c.created_at.desc()))]

    def by_id(self, machine: uuid.UUID, *, lock: bool) -> ApiKey | None:
        """One of either kind, also one that is over; with `lock` its row stays locked until the transaction ends."""
        query = sa.select(*_SHOWN).where(self._mine, api_keys.c.id == machine)
        row = self._connection.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else _machine(row)

    def approve(self, machine: uuid.UUID, now: datetime) -> None:
        """It may be used from now on."""
        self._update(machine, approved_at=now)

    def working(self, kind: MachineKind, prefix: str) -> ApiKey | None:
        """One that is not revoked; its row stays locked until the transaction ends."""
        query = sa.select(*_SHOWN).where(self._working(kind, prefix)).with_for_update()
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _machine(row)

    def change(self, machine: ApiKey) -> None:
        """Store its name, its networks and when it ends."""
        self._update(machine.id, name=machine.name, networks=machine.networks, expires_at=machine.expires_at)

    def replace_secret(self, machine: uuid.UUID, secret_hash: bytes, previous: bytes, until: datetime) -> None:
        """A new secret; the one before it works until then."""
        self._update(machine, secret_hash=secret_hash, previous_secret_hash=previous, previous_until=until)

    def touch(self, machine: uuid.UUID, now: datetime) -> None:
        """It was used."""
        self._update(machine, last_used_at=now)

    def revoke(self, kind: MachineKind, prefix: str, now: datetime) -> bool:
        """End one; False when there is none that still works."""
        done = self._connection.execute(api_keys.update().where(self._working(kind, prefix)).values(revoked_at=now))
        return done.rowcount == 1

    def backdated(self) -> list[str]:
        """Those that expired before they were made; for invariants."""
        query = sa.select(api_keys.c.prefix).where(self._mine, api_keys.c.expires_at < api_keys.c.created_at)
        return list(self._connection.scalars(query))

    def _working(self, kind: MachineKind, prefix: str) -> sa.ColumnElement[bool]:
        return sa.and_(
            self._mine, api_keys.c.kind == kind.value, api_keys.c.prefix == prefix, api_keys.c.revoked_at.is_(None)
        )

    def _update(self, machine: uuid.UUID, **values: Any) -> None:
        self._connection.execute(api_keys.update().where(self._mine, api_keys.c.id == machine).values(**values))


class SigningKeyStore:
    """The keys that sign access tokens. They are the installation's, so the transaction is that of no tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._mine = signing_keys.c.tenant_id == tx.tenant

    def alone(self) -> None:
        """Nobody else makes a key until this transaction ends."""
        self._tx.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LockKey.SIGNING_KEY.value)))

    def published(self, retired_after: datetime) -> list[tuple[uuid.UUID, dict[str, Any], datetime]]:
        """(id, public key, made at) of those that sign, or signed until lately; the newest first."""
        query = (
            sa.select(signing_keys.c.id, signing_keys.c.public_key, signing_keys.c.created_at)
            .where(self._mine, sa.or_(signing_keys.c.retired_at.is_(None), signing_keys.c.retired_at > retired_after))
            # The clock may have been wrong when a key was made or retired: what signs is first whatever its time.
            .order_by(
                signing_keys.c.retired_at.is_not(None), signing_keys.c.created_at.desc(), signing_keys.c.id.desc()
            )
        )
        return [(row.id, row.public_key, row.created_at) for row in self._tx.connection.execute(query)]

    def private(self, key: uuid.UUID) -> str:
        """The private key as PEM."""
        query = sa.select(signing_keys.c.private_key_sealed).where(self._mine, signing_keys.c.id == key)
        return fields.unseal(self._tx, _PRIVATE, key, bytes(self._tx.connection.execute(query).scalar_one()))

    def add(self, key: uuid.UUID, public: dict[str, Any], private: str, now: datetime) -> None:
        """The key that signs from now on; those before it sign no more."""
        alive = signing_keys.c.retired_at.is_(None)
        self._tx.connection.execute(signing_keys.update().where(self._mine, alive).values(retired_at=now))
        row = signing_keys.insert().values(
            tenant_id=self._tx.tenant,
            id=key,
            public_key=public,
            private_key_sealed=fields.seal(self._tx, _PRIVATE, key, private),
            created_at=now,
        )
        self._tx.connection.execute(row)

    def remove(self, retired_before: datetime | None) -> int:
        """Forget those that have not signed since then, or with None all that do not sign now; returns how many."""
        retired_at = signing_keys.c.retired_at
        old = retired_at.is_not(None) if retired_before is None else retired_at <= retired_before
        return self._tx.connection.execute(signing_keys.delete().where(self._mine, old)).rowcount


def _machine(row: sa.Row[Any]) -> ApiKey:
    shown = dict(row._mapping)
    return ApiKey(
        **shown | {"kind": MachineKind(row.kind), "scopes": [Permission(scope) for scope in row.scopes]},
    )
