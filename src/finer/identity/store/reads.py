"""How many rows each caller read, minute by minute."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert

from finer.identity.tables.audit import read_counts
from finer.kit.actors import Actor
from finer.kit.tx import Tx


class ReadStore:
    """Counted reads of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def add(self, actor: Actor, minute: datetime, rows: int, requests: int) -> None:
        """Add to a minute of a caller."""
        new = insert(read_counts).values(
            tenant_id=self._tenant,
            actor_id=actor.id,
            minute=minute,
            actor_kind=actor.kind,
            actor_name=actor.name,
            rows=rows,
            requests=requests,
        )
        added = {name: read_counts.c[name] + new.excluded[name] for name in ("rows", "requests")}
        self._connection.execute(
            new.on_conflict_do_update(index_elements=["tenant_id", "actor_id", "minute"], set_=added)
        )

    def forget(self, before: datetime) -> int:
        """Drop minutes before that moment; returns how many."""
        old = (read_counts.c.tenant_id == self._tenant) & (read_counts.c.minute < before)
        return self._connection.execute(read_counts.delete().where(old)).rowcount
