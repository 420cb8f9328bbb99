"""The SQL of what the windows forget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from finer.fraud.rules.windows import PARTED_BY
from finer.fraud.store.label_rows import hash_column
from finer.fraud.tables import forgotten
from finer.kit.tx import Tx

_t = forgotten.c
_PIN = """
update fraud_forgotten set stream = %(stream)s, partition = %(partition)s, log_offset = %(offset)s
where tenant_id = %(tenant)s and log_offset is null and number = any(%(numbers)s::text[]::bigint[])
"""
_READ = (_t.number, _t.log_offset, *(_t[hash_column(name)] for name in PARTED_BY))


class ForgottenStore:
    """What the windows of one tenant forget."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tenant = tx.tenant

    def add(self, rows: Sequence[Mapping[str, int | None]], at: datetime) -> None:
        """New rows with the hashes of the fields that make an entity."""
        values = [
            {"tenant_id": self._tenant, "added_at": at} | {hash_column(name): row.get(name) for name in PARTED_BY}
            for row in rows
        ]
        self._tx.connection.execute(forgotten.insert(), values)

    def waiting(self) -> list[Any]:
        """Rows without an offset, the oldest first."""
        return self._rows(_t.log_offset.is_(None))

    def positions(self) -> list[tuple[str, int]]:
        """Streams and partitions of rows that have an offset."""
        query = sa.select(_t.stream, _t.partition).where(_t.tenant_id == self._tenant, _t.stream.is_not(None))
        return [(row.stream, row.partition) for row in self._tx.connection.execute(query.distinct())]

    def pinned(self, stream: str, partition: int, first: int) -> list[Any]:
        """Rows of a position with an offset from `first` on, in the order in which they are taken."""
        return self._rows(_t.stream == stream, _t.partition == partition, _t.log_offset >= first)

    def pin(self, stream: str, partition: int, offset: int, numbers: Iterable[int]) -> None:
        """Give rows that have none their offset."""
        place = {"stream": stream, "partition": partition, "offset": offset}
        self._tx.write(_PIN, {"tenant": self._tenant, "numbers": [str(number) for number in numbers], **place})

    def drop(self, stream: str, partition: int, before: int) -> int:
        """Delete rows of a position with an offset below `before`; returns how many."""
        done = self._tx.connection.execute(
            forgotten.delete().where(
                _t.tenant_id == self._tenant,
                _t.stream == stream,
                _t.partition == partition,
                _t.log_offset < before,
            )
        )
        return done.rowcount

    def _rows(self, *conditions: sa.ColumnElement[bool]) -> list[Any]:
        query = sa.select(*_READ).where(_t.tenant_id == self._tenant, *conditions).order_by(_t.log_offset, _t.number)
        return list(self._tx.connection.execute(query))
