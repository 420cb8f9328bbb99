"""The SQL of letting go: a person's row emptied, old sessions and links deleted."""

from __future__ import annotations

import os
import uuid
from datetime import datetime

import sqlalchemy as sa

from finer.identity.tables.core import sessions, sign_in_links, users
from finer.identity.tables.sign_in import passkeys, pending_sign_ins, recovery_codes, totp_factors
from finer.identity.tables.sso import external_identities
from finer.identity.tables.teams import memberships
from finer.kit.crypto.fields import BLIND_BYTES
from finer.kit.tx import Tx


class ForgettingStore:
    """What may be deleted of one tenant's people."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def blank_user(self, user: uuid.UUID, now: datetime) -> None:
        """Nobody signs in as this person any more, and the address is free again."""
        mine = (users.c.tenant_id == self._tenant) & (users.c.id == user)
        self._connection.execute(
            users.update().where(mine).values(email_index=os.urandom(BLIND_BYTES), password_hash=None, disabled_at=now)
        )

    def remove_sessions(self, user: uuid.UUID) -> int:
        """Every session of a person."""
        mine = (sessions.c.tenant_id == self._tenant) & (sessions.c.user_id == user)
        return self._connection.execute(sessions.delete().where(mine)).rowcount

    def remove_links(self, user: uuid.UUID) -> int:
        """Every sign-in link of a person."""
        mine = (sign_in_links.c.tenant_id == self._tenant) & (sign_in_links.c.user_id == user)
        return self._connection.execute(sign_in_links.delete().where(mine)).rowcount

    def remove_factors(self, user: uuid.UUID) -> int:
        """What a person proves with who they are, and the teams that they are in."""
        removed = 0
        for table in (totp_factors, recovery_codes, passkeys, pending_sign_ins, external_identities, memberships):
            mine = (table.c.tenant_id == self._tenant) & (table.c.user_id == user)
            removed += self._connection.execute(table.delete().where(mine)).rowcount
        return removed

    def old_sessions(self, before: datetime, *, forget: bool) -> int:
        """Sessions not used since then."""
        old = (sessions.c.tenant_id == self._tenant) & (sessions.c.last_seen_at < before)
        return self._count_or_delete(sessions, old, forget=forget)

    def old_links(self, before: datetime, *, forget: bool) -> int:
        """Links that ended before then."""
        old = (sign_in_links.c.tenant_id == self._tenant) & (sign_in_links.c.expires_at < before)
        return self._count_or_delete(sign_in_links, old, forget=forget)

    def _count_or_delete(self, table: sa.Table, old: sa.ColumnElement[bool], *, forget: bool) -> int:
        if forget:
            return self._connection.execute(table.delete().where(old)).rowcount
        query = sa.select(sa.func.count()).select_from(table).where(old)
        return int(self._connection.execute(query).scalar_one())
