"""Second factors and passkeys of one tenant's people."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.identity.store.sealed import person_subject
from finer.identity.tables.sign_in import passkeys, pending_sign_ins, recovery_codes, totp_factors
from finer.identity.types.access import Passkey
from finer.kit.crypto.fields import seal, unseal
from finer.kit.tx import Tx

_SECRET = "identity_totp_factors.secret_sealed"  # noqa: S105 - the name of a column

_PASSKEY = [passkeys.c[name] for name in ("id", "name", "created_at", "last_used_at")]


class FactorStore:
    """Rows of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def totp(self, user: uuid.UUID) -> sa.Row[Any] | None:
        """(last_step, confirmed_at) of a person's authenticator app."""
        query = sa.select(
            totp_factors.c.last_step,
            totp_factors.c.confirmed_at,
        )
        return self._connection.execute(query.where(*self._of(totp_factors, user))).one_or_none()

    def totp_secret(self, user: uuid.UUID) -> str:
        """The secret of a person's authenticator app, which there is."""
        query = sa.select(totp_factors.c.secret_sealed).where(*self._of(totp_factors, user))
        return unseal(self._tx, _SECRET, user, bytes(self._connection.execute(query).scalar_one()))

    def begin_totp(self, user: uuid.UUID, secret: str, now: datetime) -> bool:
        """Keep the secret of an app that is to be confirmed, in place of an earlier such one; False when one counts."""
        sealed = seal(self._tx, _SECRET, user, secret, subject=person_subject(user))
        fresh: dict[str, Any] = {"secret_sealed": sealed, "last_step": 0, "created_at": now}
        statement = insert(totp_factors).values(tenant_id=self._tenant, user_id=user, **fresh)
        statement = statement.on_conflict_do_update(
            index_elements=["tenant_id", "user_id"], set_=fresh, where=totp_factors.c.confirmed_at.is_(None)
        )
        return self._connection.execute(statement.returning(sa.literal(1))).first() is not None

    def confirm_totp(self, user: uuid.UUID, step: int, now: datetime) -> bool:
        """From now on the app counts; its first code is used with that. False when it was confirmed before."""
        pending = totp_factors.c.confirmed_at.is_(None)
        done = self._connection.execute(
            totp_factors.update().where(*self._of(totp_factors, user), pending).values(confirmed_at=now, last_step=step)
        )
        return done.rowcount == 1

    def use_totp_step(self, user: uuid.UUID, step: int) -> bool:
        """Use up a step: of many at once exactly one gets True, and no earlier step works afterwards."""
        unused = totp_factors.c.last_step < step
        done = self._connection.execute(
            totp_factors.update()
            .where(*self._of(totp_factors, user), totp_factors.c.confirmed_at.is_not(None), unused)
            .values(last_step=step)
        )
        return done.rowcount == 1

    def remove_totp(self, user: uuid.UUID) -> bool:
        """Take the app away; False when there is none."""
        return self._connection.execute(totp_factors.delete().where(*self._of(totp_factors, user))).rowcount == 1

    def replace_recovery_codes(self, user: uuid.UUID, hashes: Mapping[int, str], now: datetime) -> None:
        """New recovery codes by number, in place of all earlier ones; none of them when `hashes` is empty."""
        self._connection.execute(recovery_codes.delete().where(*self._of(recovery_codes, user)))
        if hashes:
            rows = [
                {"tenant_id": self._tenant, "user_id": user, "number": number, "code_hash": text, "created_at": now}
                for number, text in hashes.items()
            ]
            self._connection.execute(recovery_codes.insert().values(rows))

    def recovery_codes_left(self, user: uuid.UUID) -> int:
        """How many codes were not used yet."""
        query = sa.select(sa.func.count(recovery_codes.c.number)).where(
            *self._of(recovery_codes, user), recovery_codes.c.used_at.is_(None)
        )
        return int(self._connection.execute(query).scalar_one())

    def use_recovery_code(self, user: uuid.UUID, number: int, now: datetime) -> bool:
        """Use a code up: of many at once exactly one gets True."""
        unused = (recovery_codes.c.number == number) & recovery_codes.c.used_at.is_(None)
        done = self._connection.execute(
            recovery_codes.update().where(*self._of(recovery_codes, user), unused).values(used_at=now)
        )
        return done.rowcount == 1

    def passkeys(self, user: uuid.UUID) -> list[Passkey]:
        """A person's passkeys, the oldest first."""
        query = sa.select(*_PASSKEY).where(*self._of(passkeys, user)).order_by(passkeys.c.created_at, passkeys.c.id)
        return [Passkey(**row._mapping) for row in self._connection.execute(query)]

    def credentials(self, user: uuid.UUID) -> list[tuple[bytes, list[str]]]:
        """(credential id, transports) of a person's passkeys, as browsers want them."""
        query = sa.select(passkeys.c.credential_id, passkeys.c.transports).where(*self._of(passkeys, user))
        return [(bytes(row.credential_id), list(row.transports)) for row in self._connection.execute(query)]

    def add_passkey(
        self, user: uuid.UUID, passkey: Passkey, credential: bytes, key: bytes, count: int, transports: list[str]
    ) -> bool:
        """Keep a passkey; False when it is registered already, for whomever."""
        statement = insert(passkeys).values(
            tenant_id=self._tenant,
            id=passkey.id,
            user_id=user,
            credential_id=credential,
            public_key=key,
            sign_count=count,
            name=passkey.name,
            transports=transports,
            created_at=passkey.created_at,
        )
        return self._connection.execute(statement.on_conflict_do_nothing().returning(sa.literal(1))).first() is not None

    def count_signature(self, passkey: uuid.UUID, count: int, now: datetime) -> bool:
        """Note a signature; False when the counter did not go up although it counts: a copy of the key is about."""
        rises = (passkeys.c.sign_count < count) | ((passkeys.c.sign_count == 0) & (sa.literal(count) == 0))
        done = self._connection.execute(
            passkeys.update()
            .where(passkeys.c.tenant_id == self._tenant, passkeys.c.id == passkey, rises)
            .values(sign_count=count, last_used_at=now)
        )
        return done.rowcount == 1

    def rename_passkey(self, user: uuid.UUID, passkey: uuid.UUID, name: str) -> bool:
        """Give a passkey another name; False when this person has no such passkey."""
        mine = (*self._of(passkeys, user), passkeys.c.id == passkey)
        return self._connection.execute(passkeys.update().where(*mine).values(name=name)).rowcount == 1

    def remove_passkey(self, user: uuid.UUID, passkey: uuid.UUID) -> bool:
        """Take a passkey away; False when this person has no such passkey."""
        mine = (*self._of(passkeys, user), passkeys.c.id == passkey)
        return self._connection.execute(passkeys.delete().where(*mine)).rowcount == 1

    def add_pending(self, user: uuid.UUID, pending: uuid.UUID, token_hash: bytes, expires_at: datetime) -> None:
        """A sign-in that lacks its second factor."""
        self._connection.execute(
            pending_sign_ins.insert().values(
                tenant_id=self._tenant, id=pending, user_id=user, token_hash=token_hash, expires_at=expires_at
            )
        )

    def take_pending(self, pending: uuid.UUID) -> bool:
        """End a half-done sign-in; of many at once exactly one gets True."""
        mine = (pending_sign_ins.c.tenant_id == self._tenant, pending_sign_ins.c.id == pending)
        return self._connection.execute(pending_sign_ins.delete().where(*mine)).rowcount == 1

    def remove_pending(self, user: uuid.UUID) -> None:
        """End every half-done sign-in of a person."""
        self._connection.execute(pending_sign_ins.delete().where(*self._of(pending_sign_ins, user)))

    def _of(self, table: sa.Table, user: uuid.UUID) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
        return (table.c.tenant_id == self._tenant, table.c.user_id == user)
