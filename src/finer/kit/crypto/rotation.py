"""Replacing keys while everything goes on: new versions first, then every sealed value again, batch by batch.

Nothing has to be remembered between batches or after a crash: what is still to do is what a superseded key sealed.
Readers never fail, since the old versions stay until no row uses them.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

from finer.kit.crypto import envelope
from finer.kit.crypto.bulk import Succession
from finer.kit.crypto.envelope import Place, joined, key_id_of
from finer.kit.crypto.fields import keyring
from finer.kit.crypto.keyring import one_of
from finer.kit.schema import metadata
from finer.kit.tables import data_keys
from finer.kit.tx import Tx

SUFFIX = "_sealed"
SETTLED = timedelta(hours=1)
"""After this long no process writes with a superseded key any more: it is remembered for a minute, and transactions
are short."""

Cursor = tuple[Any, ...]


@dataclass(frozen=True)
class SealedTable:
    """A table with sealed columns: what names a row in the associated data, and the columns."""

    table: sa.Table
    key: tuple[sa.Column[Any], ...]
    columns: tuple[sa.Column[Any], ...]

    @classmethod
    def of(cls, table: sa.Table) -> SealedTable:
        """The sealed columns of a table, which may be none."""
        key = tuple(column for column in table.primary_key.columns if column.name != "tenant_id")
        return cls(table, key, tuple(column for column in table.columns if column.name.endswith(SUFFIX)))

    def row(self, row: sa.Row[Any]) -> str:
        """What names a row, which begins with the columns of `key`: its primary key without the tenant."""
        return "/".join(str(value) for value in row[: len(self.key)])


def sealed_tables() -> list[SealedTable]:
    """Every table of the program that has sealed columns, by name; each domain's tables must have been imported."""
    found = [SealedTable.of(table) for _, table in sorted(metadata.tables.items())]
    return [one for one in found if one.columns]


def supersede(tx: Tx, before: datetime, limit: int) -> int:
    """Give up to `limit` keys of this firm that were made before then a new version; returns how many."""
    old = (
        sa.select(data_keys.c.id, data_keys.c.subject, data_keys.c.version)
        .where(data_keys.c.tenant_id == tx.tenant, data_keys.c.superseded_at.is_(None), data_keys.c.created_at < before)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = tx.connection.execute(old).all()
    if rows:
        keyring(tx).add_versions(tx, [(bytes(row.subject), row.version + 1) for row in rows])
        mine = (data_keys.c.tenant_id == tx.tenant) & one_of(data_keys.c.id, [row.id for row in rows])
        tx.connection.execute(data_keys.update().where(mine).values(superseded_at=tx.now()))
    return len(rows)


def is_superseded(tx: Tx) -> bool:
    """Whether any key of this firm was replaced and is still there."""
    query = sa.select(data_keys.c.id).where(data_keys.c.tenant_id == tx.tenant, data_keys.c.superseded_at.is_not(None))
    return tx.connection.execute(query.limit(1)).first() is not None


def reseal(tx: Tx, sealed: SealedTable, after: Cursor | None, limit: int) -> tuple[Cursor | None, int]:
    """Look at the next `limit` rows, and seal those that a superseded key sealed with the newest one.

    Returns where to go on, or None at the end, and how many rows were sealed. Rows that somebody else is changing are
    passed over; the next run finds them.
    """
    table, width = sealed.table, len(sealed.key)
    query = (
        sa.select(*sealed.key, *(_key_of(column) for column in sealed.columns))
        .where(table.c.tenant_id == tx.tenant)
        .order_by(*sealed.key)
        .limit(limit)
    )
    if after is not None:
        query = query.where(sa.tuple_(*sealed.key) > sa.tuple_(*(sa.literal(value) for value in after)))
    seen = tx.connection.execute(query).all()
    superseded = _superseded(tx, {key for row in seen for key in row[width:] if key is not None})
    # Only these are locked: a lock is a write, and most tables hold few of them.
    rows = _locked(tx, sealed, [row[:width] for row in seen if not superseded.isdisjoint(row[width:])])
    if rows:
        _write(tx, sealed, rows, _sealed_again(tx, sealed, rows))
    return (tuple(seen[-1][:width]) if len(seen) == limit else None), len(rows)


def waiting(tx: Tx, sealed: SealedTable) -> int:
    """How many rows of this firm a superseded key sealed."""
    query = sa.select(sa.func.count()).where(
        sealed.table.c.tenant_id == tx.tenant, sa.or_(*(_stale(column) for column in sealed.columns))
    )
    return int(tx.connection.execute(query).scalar_one())


def drop_superseded(tx: Tx) -> int:
    """Delete old versions of keys that no row uses any more; returns how many."""
    unused = [
        ~sa.exists(1).where(sealed.table.c.tenant_id == tx.tenant, _key_of(column) == data_keys.c.id)
        for sealed in sealed_tables()
        for column in sealed.columns
    ]
    old = data_keys.c.superseded_at < tx.now() - SETTLED
    gone = tx.connection.execute(data_keys.delete().where(data_keys.c.tenant_id == tx.tenant, old, *unused))
    return gone.rowcount


def key_counts(tx: Tx) -> sa.Row[Any]:
    """(firm, people, superseded, oldest) of this firm's keys: how many of each, and when the oldest one was made."""
    alive = data_keys.c.superseded_at.is_(None)
    query = sa.select(
        sa.func.count().filter(alive, data_keys.c.subject == b"").label("firm"),
        sa.func.count().filter(alive, data_keys.c.subject != b"").label("people"),
        sa.func.count().filter(~alive).label("superseded"),
        sa.func.min(data_keys.c.created_at).filter(alive).label("oldest"),
    ).where(data_keys.c.tenant_id == tx.tenant)
    return tx.connection.execute(query).one()


def _key_of(column: sa.ColumnElement[Any]) -> sa.ColumnElement[uuid.UUID]:
    start = len(envelope.VERSION) + 1
    return sa.cast(sa.func.encode(sa.func.substring(column, start, 16), "hex"), UUID(as_uuid=True))


def _stale(column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    keys = data_keys.alias()
    return sa.exists().where(
        keys.c.tenant_id == column.table.c.tenant_id, keys.c.id == _key_of(column), keys.c.superseded_at.is_not(None)
    )


def _superseded(tx: Tx, identifiers: set[uuid.UUID]) -> set[uuid.UUID]:
    # Asked with the ids in hand: in a join, row-level security keeps PostgreSQL from looking them up by the index.
    query = sa.select(data_keys.c.id).where(
        data_keys.c.tenant_id == tx.tenant,
        one_of(data_keys.c.id, list(identifiers)),
        data_keys.c.superseded_at.is_not(None),
    )
    return set(tx.connection.execute(query).scalars()) if identifiers else set()


def _locked(tx: Tx, sealed: SealedTable, keys: Sequence[Sequence[Any]]) -> Sequence[sa.Row[Any]]:
    """The rows of these keys with their sealed columns, locked, without those that somebody else has locked."""
    if not keys:
        return []
    names = [column.name for column in sealed.key]
    given = ", ".join(f"%b::{column.type.compile(tx.connection.dialect)}[]" for column in sealed.key)
    shown = ", ".join(f"t.{name}" for name in (*names, *(column.name for column in sealed.columns)))
    return tx.connection.exec_driver_sql(
        f"select {shown} from {sealed.table.name} as t "  # noqa: S608 - names of our own tables
        f"join unnest({given}) as u({', '.join(names)}) on {' and '.join(f't.{name} = u.{name}' for name in names)} "
        "where t.tenant_id = %s for update of t skip locked",
        (*([key[place] for key in keys] for place in range(len(names))), tx.tenant),
    ).all()


def _sealed_again(tx: Tx, sealed: SealedTable, rows: Sequence[sa.Row[Any]]) -> list[list[bytes | None]]:
    """The sealed columns of the rows, each as a list; what was erased stays as it is, since nothing opens it."""
    names = [sealed.row(row) for row in rows]
    columns = [f"{sealed.table.name}.{column.name}" for column in sealed.columns]
    cells = [[row[place] for row in rows] for place in range(len(sealed.key), len(rows[0]))]
    used = [
        [None if cell is None else key_id_of(cell, Place(tx.tenant, column, name)) for cell, name in each]
        for column, each in zip(columns, (zip(values, names, strict=True) for values in cells), strict=True)
    ]
    successions = keyring(tx).successions(tx, {key for keys in used for key in keys if key is not None})
    known = {old[0]: Succession(tx.tenant, old, new) for old, new in successions}
    where = [joined(name.encode()) for name in names]

    def again(column: str, values: list[bytes | None], keys: list[uuid.UUID | None]) -> list[bytes | None]:
        place = joined(column.encode())
        return [
            cell if cell is None or key is None or key not in known else known[key].again(place, row, cell)
            for cell, key, row in zip(values, keys, where, strict=True)
        ]

    return [again(*each) for each in zip(columns, cells, used, strict=True)]


def _write(tx: Tx, sealed: SealedTable, rows: Sequence[sa.Row[Any]], values: list[list[bytes | None]]) -> None:
    """Put the values into their rows, all in one statement."""
    columns = (*sealed.key, *sealed.columns)
    lists = [[row[place] for row in rows] for place in range(len(sealed.key))]
    kinds = [column.type.compile(tx.connection.dialect) for column in columns]
    changes = ", ".join(f"{column.name} = u.{column.name}" for column in sealed.columns)
    same = " and ".join(f"t.{column.name} = u.{column.name}" for column in sealed.key)
    tx.connection.exec_driver_sql(
        f"update {sealed.table.name} as t set {changes} "  # noqa: S608 - names of our own tables
        f"from unnest({', '.join(f'%b::{kind}[]' for kind in kinds)}) as u({', '.join(c.name for c in columns)}) "
        f"where t.tenant_id = %s and {same}",
        (*lists, *values, tx.tenant),
    )
