"""The SQL of rows that tell the windows of frauds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from finer.fraud.rules.label_rows import Change
from finer.fraud.rules.windows import KNOWN_BY
from finer.fraud.tables import label_rows
from finer.kit.turns import one_at_once
from finer.kit.tx import Tx

_t = label_rows.c
_PIN = """
update fraud_label_rows set stream = %(stream)s, partition = %(partition)s, log_offset = %(offset)s
where tenant_id = %(tenant)s and log_offset is null and number = any(%(numbers)s::text[]::bigint[])
"""
_PART = sa.text(
    "update fraud_label_rows set account_id_hash = null "
    "where tenant_id = :tenant and account_id_hash is not null and event_id = any(:events)"
)
_NAMED_MAX = 20


def hash_column(name: str) -> str:
    """The column that keeps the hash of a payment's field."""
    return f"{name}_hash"


_READ = (_t.number, _t.event_id, _t.log_offset, _t.known_at, _t.weight, *(_t[hash_column(name)] for name in KNOWN_BY))


class LabelRowStore:
    """Label rows of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._tenant = tx.tenant

    def one_at_once(self) -> None:
        """Wait until nobody else of the firm adds rows, and let others wait until this transaction ends."""
        one_at_once(self._tx.connection, "label-rows", self._tenant)

    def held(self, events: Sequence[str]) -> dict[str, datetime]:
        """Since when the windows count some payments as frauds; those that they do not count are left out."""
        last = (
            sa.select(_t.event_id, _t.known_at, _t.weight)
            .where(_t.tenant_id == self._tenant, _t.event_id.in_(events))
            .distinct(_t.event_id)
            .order_by(_t.event_id, _t.number.desc())
        )
        return {row.event_id: row.known_at for row in self._tx.connection.execute(last) if row.weight > 0}

    def add(self, rows: Iterable[tuple[Change, Mapping[str, int | None]]], at: datetime) -> None:
        """New rows with the hashes of their payments' fields. They are numbered on, nobody else adds any meanwhile."""
        query = sa.select(sa.func.coalesce(sa.func.max(_t.number), 0)).where(_t.tenant_id == self._tenant)
        last = int(self._tx.connection.execute(query).scalar_one())
        values = [
            {"tenant_id": self._tenant, "number": number, "added_at": at, "event_id": change.event_id}
            | {"known_at": change.known_at, "weight": change.weight}
            | {hash_column(name): value for name, value in hashes.items()}
            for number, (change, hashes) in enumerate(rows, last + 1)
        ]
        self._tx.connection.execute(label_rows.insert(), values)

    def waiting(self, limit: int) -> list[Any]:
        """Rows without an offset, the oldest first."""
        return self._rows(_t.log_offset.is_(None), limit=limit)

    def positions(self) -> list[tuple[str, int]]:
        """Streams and partitions of rows that have an offset."""
        query = sa.select(_t.stream, _t.partition).where(_t.tenant_id == self._tenant, _t.stream.is_not(None))
        return [(row.stream, row.partition) for row in self._tx.connection.execute(query.distinct())]

    def pinned(self, stream: str, partition: int, first: int) -> list[Any]:
        """Rows of a position with an offset from `first` on, in the order in which they are taken."""
        return self._rows(_t.stream == stream, _t.partition == partition, _t.log_offset >= first)

    def since(self, moment: datetime) -> list[Any]:
        """Rows that have an offset and a time after a moment."""
        return self._rows(_t.log_offset.is_not(None), _t.known_at > moment)

    def pin(self, stream: str, partition: int, offset: int, numbers: Iterable[int]) -> None:
        """Give rows that have none their offset."""
        # As text: a list of numbers is looked through for the smallest type that holds them all.
        wanted = [str(number) for number in numbers]
        place = {"stream": stream, "partition": partition, "offset": offset}
        self._tx.write(_PIN, {"tenant": self._tenant, "numbers": wanted, **place})

    def naming(self) -> list[str]:
        """Payments whose rows hold the hash of an account."""
        query = sa.select(_t.event_id).where(_t.tenant_id == self._tenant, _t.account_id_hash.is_not(None))
        return list(self._tx.connection.execute(query.distinct()).scalars())

    def part(self, events: Sequence[str]) -> int:
        """Empty the hashes of accounts of some payments; returns how many rows had one."""
        done = self._tx.connection.execute(_PART, {"tenant": self._tenant, "events": list(events)})
        return done.rowcount

    def broken(self) -> list[tuple[str, int]]:
        """Payments whose rows do not alternate between 1 and -1, and what they add up to."""
        before = sa.func.lag(_t.weight, 1, -1).over(partition_by=_t.event_id, order_by=_t.number)
        told = sa.func.lag(_t.known_at).over(partition_by=_t.event_id, order_by=_t.number)
        rows = (
            sa.select(
                _t.event_id, _t.weight,
                sa.or_(before == _t.weight, sa.and_(_t.weight < 0, told != _t.known_at)).label("wrong"),
            )
            .where(_t.tenant_id == self._tenant)
            .subquery()
        )  # fmt: skip
        query = sa.select(rows.c.event_id, sa.func.sum(rows.c.weight)).group_by(rows.c.event_id)
        found = self._tx.connection.execute(query.having(sa.func.bool_or(rows.c.wrong)).limit(_NAMED_MAX))
        return [(event, int(weight)) for event, weight in found]

    def _rows(self, *conditions: sa.ColumnElement[bool], limit: int | None = None) -> list[Any]:
        query = (
            sa.select(*_READ)
            .where(_t.tenant_id == self._tenant, *conditions)
            .order_by(_t.log_offset, _t.number)
            .limit(limit)
        )
        return list(self._tx.connection.execute(query))
