"""Rows found before a tenant is known, through the functions that alone may look."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.identity.rules.throttle import Patience, counted, wait_s
from finer.identity.tables.core import sign_in_attempts
from finer.identity.types.access import Tenant
from finer.kit.db import begin_tenant


class LookupStore:
    """Rows found by a secret or an address, before a tenant is known. Every method reads at most one row."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def enter(self, tenant: uuid.UUID) -> None:
        """From here on the transaction is about this tenant: the one that a look-up found."""
        begin_tenant(self._connection, tenant)

    def user(self, index: bytes) -> sa.Row[Any] | None:
        """(tenant_id, id, role, password_hash) of an enabled user, by the blind index of the address."""
        return self._one("select * from identity_find_user(%s)", index)

    def session(self, token_hash: bytes) -> sa.Row[Any] | None:
        """A session that is not revoked, whose it is, and what its person can sign in with; it enters the tenant.

        (tenant_id, session_id, user_id, name_sealed, role, created_at, last_seen_at, auth_at, ends_at, factor,
        has_password, has_totp, has_passkey, second_factor_required, teams)
        """
        return self._one(
            "select *, set_config('finer.tenant', tenant_id::text, true) from identity_find_session(%s)", token_hash
        )

    def past_session(self, token_hash: bytes) -> sa.Row[Any] | None:
        """(tenant_id, session_id, user_id, role) of a session, whether or not it is still good."""
        return self._one("select * from identity_find_past_session(%s)", token_hash)

    def key(self, prefix: str) -> Any:
        """A key or an OAuth client that is not revoked, with the hashes of both its secrets."""
        return self._one("select * from identity_find_key(%s)", prefix)

    def domain(self, domain: str) -> uuid.UUID | None:
        """The firm that an e-mail domain belongs to."""
        row = self._one("select * from identity_find_domain(%s)", domain)
        return None if row is None else row.tenant_id

    def link(self, token_hash: bytes) -> sa.Row[Any] | None:
        """(tenant_id, user_id, role, expires_at) of a sign-in link."""
        return self._one("select * from identity_find_link(%s)", token_hash)

    def pending_sign_in(self, token_hash: bytes) -> sa.Row[Any] | None:
        """(tenant_id, id, user_id, expires_at) of a sign-in that lacks its second factor."""
        return self._one("select * from identity_find_pending_sign_in(%s)", token_hash)

    def passkey(self, credential: bytes) -> sa.Row[Any] | None:
        """(tenant_id, id, user_id, public_key, sign_count) of a passkey of an enabled user."""
        return self._one("select * from identity_find_passkey(%s)", credential)

    def recovery_code(self, tenant: uuid.UUID, user: uuid.UUID, number: int) -> str | None:
        """The hash of one recovery code that was not used yet."""
        statement = "select code_hash from identity_find_recovery_code(%s, %s, %s::smallint)"
        row = self._connection.exec_driver_sql(statement, (tenant, user, number)).one_or_none()
        return None if row is None else str(row.code_hash)

    def tenants(self) -> list[Tenant]:
        """Every firm of the installation; for the command line and for jobs."""
        rows = self._connection.exec_driver_sql("select * from identity_list_tenants()")
        return [Tenant(**row._mapping) for row in rows]

    def count_attempt(self, key: bytes, patience: Patience, now: datetime) -> int:
        """Count one more sign-in attempt; or the seconds to wait, when this one comes too early. 0 means go on.

        The row stays locked until the transaction ends, so that attempts made at once are counted one by one.
        """
        # One statement, so that a sign-in that works meanwhile and has the row deleted cannot leave us without one.
        fresh = insert(sign_in_attempts).values(key_hash=key, attempts=0, last_at=now)
        kept = fresh.on_conflict_do_update(
            index_elements=[sign_in_attempts.c.key_hash], set_={"attempts": sign_in_attempts.c.attempts}
        )
        row = self._connection.execute(kept.returning(sign_in_attempts)).one()
        mine = sign_in_attempts.c.key_hash == key
        wait = wait_s(patience, row.attempts, row.last_at, now)
        if wait == 0:
            attempts = counted(patience, row.attempts, row.last_at, now) + 1
            self._connection.execute(sign_in_attempts.update().where(mine).values(attempts=attempts, last_at=now))
        return wait

    def give_back_attempt(self, key: bytes) -> None:
        """The attempt worked, so it counts for nothing."""
        mine = (sign_in_attempts.c.key_hash == key) & (sign_in_attempts.c.attempts > 0)
        self._connection.execute(sign_in_attempts.update().where(mine).values(attempts=sign_in_attempts.c.attempts - 1))

    def forget_attempts(self, key: bytes) -> None:
        """A sign-in worked: the account's earlier attempts are forgotten."""
        self._connection.execute(sign_in_attempts.delete().where(sign_in_attempts.c.key_hash == key))

    def _one(self, statement: str, argument: Any) -> sa.Row[Any] | None:
        return self._connection.exec_driver_sql(statement, (argument,)).one_or_none()
