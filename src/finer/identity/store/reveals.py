"""The SQL of values looked at in clear."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa

from finer.identity.tables.reveals import reveals
from finer.kit.turns import one_at_once
from finer.kit.tx import Tx


class RevealStore:
    """What people of one tenant looked at."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def count_since(self, person: uuid.UUID, since: datetime) -> int:
        """How many values a person has looked at; who asks for several at once is counted one after the other."""
        one_at_once(self._connection, "reveals", self._tenant, person)
        query = sa.select(sa.func.count()).where(
            reveals.c.tenant_id == self._tenant, reveals.c.user_id == person, reveals.c.at > since
        )
        return int(self._connection.execute(query).scalar_one())

    def add(
        self, identifier: uuid.UUID, person: uuid.UUID, subject: str, field: str, reason: str, at: datetime
    ) -> None:
        """A person looked at a value."""
        self._connection.execute(
            reveals.insert().values(
                tenant_id=self._tenant,
                id=identifier,
                user_id=person,
                subject=subject,
                field=field,
                reason=reason,
                at=at,
            )
        )
