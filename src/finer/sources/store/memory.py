"""What is remembered of a source: positions, items, records that may be corrected, history, counts by the minute."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.kit.crypto import fields
from finer.kit.ids import new_id
from finer.kit.tx import Tx
from finer.sources.tables import items, minutes, notes, positions, records
from finer.sources.types import Item, ItemState, KeyedRecord, Minute, Note, Position

_SEALED = "sources_records.value_sealed"
_ITEM = [items.c[name] for name in Item.__struct_fields__]
_NOTES_KEPT = _ITEMS_KEPT = timedelta(days=90)
_MINUTES_KEPT = timedelta(days=2)


class MemoryStore:
    """What is remembered of one source of a firm."""

    def __init__(self, tx: Tx, source: uuid.UUID) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant, self._source = tx.tenant, source

    def positions(self) -> dict[str, dict[str, Any]]:
        """Where every part stands."""
        query = sa.select(positions.c.part, positions.c.value).where(*self._mine(positions))
        return {row.part: row.value for row in self._connection.execute(query)}

    def put_positions(self, new: Sequence[Position], *, fresh: bool) -> None:
        """Set positions; `fresh` forgets all others."""
        if fresh:
            self._connection.execute(positions.delete().where(*self._mine(positions)))
        if not new:
            return
        statement = insert(positions).values([self._row(part=one.part, value=one.value) for one in new])
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "source_id", "part"], set_={"value": statement.excluded.value}
            )
        )

    def newest(self, names: Sequence[str]) -> dict[str, Item]:
        """The newest item of each name."""
        query = (
            sa.select(*_ITEM)
            .distinct(items.c.name)
            .where(*self._mine(items), items.c.name.in_(names))
            .order_by(items.c.name, items.c.at.desc())
        )
        return {row.name: _item(row) for row in self._connection.execute(query)}

    def content(self, content: bytes) -> Item | None:
        """The item that was taken with this content."""
        taken = [items.c.content == content, items.c.state == ItemState.DONE]
        row = self._connection.execute(sa.select(*_ITEM).where(*self._mine(items), *taken).limit(1)).one_or_none()
        return None if row is None else _item(row)

    def saw(self, names: Sequence[str]) -> None:
        """Note that the items of these names are still there."""
        chosen = (*self._mine(items), items.c.name.in_(names))
        self._connection.execute(items.update().where(*chosen).values(seen_at=self._tx.now()))

    def add_item(self, item: Item) -> bool:
        """Insert an item that must be new; False when there is one of its name and version."""
        statement = insert(items).values(self._item_row(item)).on_conflict_do_nothing().returning(sa.literal(1))
        return self._connection.execute(statement).first() is not None

    def put_items(self, new: Sequence[Item]) -> None:
        """Insert items, or replace those of the same name and version."""
        for item in new:
            statement = insert(items).values(self._item_row(item))
            changed = {name: statement.excluded[name] for name in Item.__struct_fields__ if name != "name"}
            keys = ["tenant_id", "source_id", "name", "version"]
            self._connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))

    def list_items(self, limit: int, before: tuple[datetime, str] | None) -> list[Item]:
        """Items, newest first, older than `before` (time and name)."""
        query = sa.select(*_ITEM).where(*self._mine(items))
        if before is not None:
            query = query.where(sa.tuple_(items.c.at, items.c.name) < sa.tuple_(*(sa.literal(one) for one in before)))
        query = query.order_by(items.c.at.desc(), items.c.name.desc()).limit(limit)
        return [_item(row) for row in self._connection.execute(query)]

    def forget_items(self, since: datetime | None) -> int:
        """Forget items since a moment, so that they are taken again; returns how many."""
        where = [*self._mine(items)] if since is None else [*self._mine(items), items.c.at >= since]
        return self._connection.execute(items.delete().where(*where)).rowcount

    def known(self, keys: Sequence[str]) -> dict[str, bytes]:
        """What was last said of these things; what was erased is not known."""
        query = sa.select(records.c.key, records.c.value_sealed).where(*self._mine(records), records.c.key.in_(keys))
        rows = self._connection.execute(query).all()
        cells = [(self._cell(row.key), bytes(row.value_sealed)) for row in rows]
        found = fields.unseal_all(self._tx, _SEALED, cells)
        return {row.key: text.encode() for row, text in zip(rows, found, strict=True) if text is not None}

    def put_records(self, new: Sequence[KeyedRecord]) -> None:
        """Remember what was said of things, each sealed by the key of its customer."""
        for one in new:
            sealed = fields.seal(
                self._tx, _SEALED, self._cell(one.key), one.value.decode(), subject=f"customer:{one.customer_id}"
            )
            statement = insert(records).values(self._row(key=one.key, value_sealed=sealed))
            keys = ["tenant_id", "source_id", "key"]
            changed = {"value_sealed": statement.excluded.value_sealed}
            self._connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))

    def note(self, kind: str, text: str) -> None:
        """A line of the history."""
        row = self._row(id=new_id(), at=self._tx.now(), kind=kind, text=text[:1000], actor=self._tx.actor.name)
        self._connection.execute(notes.insert().values(row))

    def list_notes(self, limit: int) -> list[Note]:
        """The history, newest first."""
        query = sa.select(*(notes.c[name] for name in Note.__struct_fields__)).where(*self._mine(notes))
        rows = self._connection.execute(query.order_by(notes.c.at.desc(), notes.c.id.desc()).limit(limit))
        return [Note(**row._mapping) for row in rows]

    def add_minute(self, at: datetime, *, accepted: int, quarantined: int) -> None:
        """Add to the counts of a minute."""
        minute = at.replace(second=0, microsecond=0)
        statement = insert(minutes).values(self._row(at=minute, accepted=accepted, quarantined=quarantined))
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "source_id", "at"],
                set_={
                    "accepted": minutes.c.accepted + statement.excluded.accepted,
                    "quarantined": minutes.c.quarantined + statement.excluded.quarantined,
                },
            )
        )

    def _mine(self, table: sa.Table) -> list[sa.ColumnElement[bool]]:
        return [table.c.tenant_id == self._tenant, table.c.source_id == self._source]

    def _row(self, **values: Any) -> dict[str, Any]:
        return {"tenant_id": self._tenant, "source_id": self._source, **values}

    def _item_row(self, item: Item) -> dict[str, Any]:
        values = {name: getattr(item, name) for name in Item.__struct_fields__}
        return self._row(**values | {"at": item.at or self._tx.now()})

    def _cell(self, key: str) -> str:
        return f"{self._source}/{key}"


# The last look of the source itself is what counts: a source that was paused for a year has forgotten nothing.
_GONE = """
delete from sources_items as i using sources_sources as s, lateral (
  select max(seen_at) as at from sources_items where tenant_id = s.tenant_id and source_id = s.id) as looked
where s.tenant_id = %(tenant)s and i.tenant_id = s.tenant_id and i.source_id = s.id and i.state <> 'reading'
  and i.seen_at < looked.at - %(kept)s::interval
"""


def forget_old(tx: Tx) -> int:
    """Delete what is past its time of all sources of the firm: history, counts, and files that went long ago."""
    now = tx.now()
    tx.connection.execute(notes.delete().where(notes.c.tenant_id == tx.tenant, notes.c.at < now - _NOTES_KEPT))
    tx.connection.execute(minutes.delete().where(minutes.c.tenant_id == tx.tenant, minutes.c.at < now - _MINUTES_KEPT))
    return tx.connection.exec_driver_sql(_GONE, {"tenant": tx.tenant, "kept": _ITEMS_KEPT}).rowcount


def minutes_of(tx: Tx, since: datetime) -> dict[uuid.UUID, list[Minute]]:
    """Records by the minute since a moment, of every source of the firm."""
    query = (
        sa.select(minutes.c.source_id, minutes.c.at, minutes.c.accepted, minutes.c.quarantined)
        .where(minutes.c.tenant_id == tx.tenant, minutes.c.at >= since)
        .order_by(minutes.c.at)
    )
    found: dict[uuid.UUID, list[Minute]] = {}
    for row in tx.connection.execute(query):
        found.setdefault(row.source_id, []).append(Minute(row.at, row.accepted, row.quarantined))
    return found


def _item(row: sa.Row[Any]) -> Item:
    content = None if row.content is None else bytes(row.content)
    return Item(**dict(row._mapping) | {"state": ItemState(row.state), "content": content})
