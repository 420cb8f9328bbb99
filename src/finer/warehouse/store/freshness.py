"""The table warehouse_freshness: written after each lake commit, read by whoever watches."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

import msgspec
import sqlalchemy as sa

from finer.kit.db import Connection, tenant_transaction
from finer.kit.tx import Tx
from finer.warehouse.tables import freshness
from finer.warehouse.types import Freshness

_UPSERT = (
    "insert into warehouse_freshness as f (tenant_id, table_name, rows, newest, delay_s, committed_at) "
    "values (%s, %s, %s, %s, %s, %s) on conflict (tenant_id, table_name) do update set rows = excluded.rows, "
    "newest = greatest(f.newest, excluded.newest), delay_s = excluded.delay_s, committed_at = excluded.committed_at"
)


class Committed(msgspec.Struct, frozen=True):
    """A table after a lake commit: all its rows, when the newest row was received, and how late the oldest came."""

    table: str
    rows: int
    newest: datetime | None
    delay_s: float


def record_commit(connection: Connection, tenant: uuid.UUID, at: datetime, committed: Iterable[Committed]) -> None:
    """Store the state of tables after a commit, in a transaction of its own."""
    with tenant_transaction(connection, tenant):
        for one in committed:
            connection.execute(_UPSERT, (tenant, one.table, one.rows, one.newest, one.delay_s, at))


class FreshnessStore:
    """Reading warehouse_freshness of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def all(self) -> list[Freshness]:
        """Every table of the tenant that was ever written, by name."""
        now = self._tx.now()
        rows = self._tx.connection.execute(
            sa.select(freshness.c.table_name, freshness.c.rows, freshness.c.newest, freshness.c.delay_s)
            .where(freshness.c.tenant_id == self._tx.tenant)
            .order_by(freshness.c.table_name)
        )
        return [
            Freshness(
                table=row.table_name,
                seconds=None if row.newest is None else max(0.0, (now - row.newest).total_seconds()),
                rows=row.rows,
                newest=row.newest,
                delay_s=row.delay_s,
            )
            for row in rows
        ]
