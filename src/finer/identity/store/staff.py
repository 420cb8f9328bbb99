"""The SQL of what changes about people's accounts."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa

from finer.identity.tables.core import sessions, users
from finer.identity.types.access import Role
from finer.kit.tx import Tx


class StaffStore:
    """Accounts of people of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def set_role(self, user: uuid.UUID, role: Role) -> None:
        """From here on the person has this role."""
        mine = (users.c.tenant_id == self._tenant) & (users.c.id == user)
        self._connection.execute(users.update().where(mine).values(role=role))

    def end_sessions(self, user: uuid.UUID, now: datetime) -> None:
        """Sign a person out everywhere."""
        mine = (sessions.c.tenant_id == self._tenant) & (sessions.c.user_id == user) & sessions.c.revoked_at.is_(None)
        self._connection.execute(sessions.update().where(mine).values(revoked_at=now))

    def has_been_in(self, user: uuid.UUID) -> bool:
        """Whether the person has ever signed in."""
        query = sa.select(sa.literal(1)).where(sessions.c.tenant_id == self._tenant, sessions.c.user_id == user)
        return self._connection.execute(query.limit(1)).first() is not None
