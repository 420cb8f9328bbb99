"""The SQL of lists: what is on them now, and what was at any version."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.fraud.tables import list_entries, lists
from finer.fraud.types import FirmList, ListEffect, ListEntry, ListKind, NewEntry
from finer.kit.ids import new_id
from finer.kit.tx import Tx

_l, _e = lists.c, list_entries.c
_LIST = tuple(_l[name] for name in FirmList.__struct_fields__)
_ENTRY = tuple(_e[name] for name in ListEntry.__struct_fields__)
_NOW = sa.and_(_e.to_version.is_(None), _e.from_version.is_not(None))
_ADD = """
insert into fraud_list_entries (tenant_id, id, list_id, value, reason, source, added_by, added_at, expires_at,
  from_version)
select %(tenant)s, id, %(list)s, value, reason, source, %(by)s, %(at)s, expires_at, %(version)s::int
from jsonb_to_recordset(%(rows)s::jsonb) as r(id uuid, value text, reason text, source text, expires_at timestamptz)
"""


class ListStore:
    """Lists of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def all(self) -> list[FirmList]:
        """Every list that exists, by name."""
        query = sa.select(*_LIST).where(_l.tenant_id == self._tenant, _l.deleted_at.is_(None)).order_by(_l.name)
        return [_list(row) for row in self._connection.execute(query)]

    def find(self, name: str) -> FirmList | None:
        """A list that exists."""
        query = sa.select(*_LIST).where(_l.tenant_id == self._tenant, _l.name == name, _l.deleted_at.is_(None))
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _list(row)

    def add(self, new: FirmList) -> None:
        """A new list."""
        self._connection.execute(lists.insert().values(tenant_id=self._tenant, **msgspec.structs.asdict(new)))

    def change(self, identifier: uuid.UUID, **values: Any) -> None:
        """Change what is kept of a list."""
        self._connection.execute(
            lists.update().where(_l.tenant_id == self._tenant, _l.id == identifier).values(**values)
        )

    def values(self, identifier: uuid.UUID, version: int) -> list[str]:
        """What was on a list at a version."""
        query = sa.select(_e.value).where(
            self._of(identifier), _e.from_version <= version, sa.or_(_e.to_version.is_(None), _e.to_version > version)
        )
        return list(self._connection.execute(query).scalars())

    def entries(
        self, identifier: uuid.UUID, *, value: str | None, limit: int, before: uuid.UUID | None
    ) -> list[ListEntry]:
        """Entries that are on a list, the newest first; `value` asks for one."""
        query = sa.select(*_ENTRY).where(self._of(identifier), _NOW)
        if value is not None:
            query = query.where(_e.value == value)
        if before is not None:
            query = query.where(_e.id < before)
        return [_entry(row) for row in self._connection.execute(query.order_by(_e.id.desc()).limit(limit))]

    def ends(self, identifier: uuid.UUID, values: Sequence[str] | None) -> dict[str, datetime | None]:
        """Until when each value is on a list, None without an end; of some values, or of all."""
        query = sa.select(_e.value, _e.expires_at).where(self._of(identifier), _NOW)
        if values is not None:
            query = query.where(_e.value == sa.any_(sa.literal(list(values), sa.ARRAY(sa.Text))))
        return {row.value: row.expires_at for row in self._connection.execute(query)}

    def find_entry(self, identifier: uuid.UUID, entry: uuid.UUID) -> ListEntry | None:
        """One entry that is on a list."""
        query = sa.select(*_ENTRY).where(self._of(identifier), _e.id == entry, _NOW)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _entry(row)

    def propose(self, identifier: uuid.UUID, new: Sequence[NewEntry], by: str, at: datetime) -> list[uuid.UUID]:
        """Keep entries that wait for a second person; returns their ids."""
        return self._add(identifier, None, new, by, at)

    def waiting(self, identifier: uuid.UUID, entries: Sequence[uuid.UUID]) -> list[ListEntry]:
        """Those of some entries that wait for a second person."""
        query = sa.select(*_ENTRY).where(self._of(identifier), _e.id.in_(entries), _e.from_version.is_(None))
        return [_entry(row) for row in self._connection.execute(query.order_by(_e.id))]

    def admit(self, identifier: uuid.UUID, version: int, new: Sequence[ListEntry], by: str, at: datetime) -> int:
        """Put entries that waited on the list, as `put` does; returns how many more there are."""
        replaced = self.end_values(identifier, version, [one.value for one in new], by, at)
        chosen = sa.and_(self._of(identifier), _e.id.in_([one.id for one in new]))
        self._connection.execute(list_entries.update().where(chosen).values(from_version=version))
        return len(new) - replaced

    def drop_waiting(self, identifier: uuid.UUID, entries: Sequence[uuid.UUID]) -> None:
        """Entries that nobody admitted are gone."""
        chosen = sa.and_(self._of(identifier), _e.id.in_(entries), _e.from_version.is_(None))
        self._connection.execute(list_entries.delete().where(chosen))

    def put(self, identifier: uuid.UUID, version: int, new: Sequence[NewEntry], by: str, at: datetime) -> int:
        """Put entries on a list from `version` on, in the place of those of the same value; returns how many more."""
        replaced = self.end_values(identifier, version, [one.value for one in new], by, at)
        self._add(identifier, version, new, by, at)
        return len(new) - replaced

    def _add(
        self, identifier: uuid.UUID, version: int | None, new: Sequence[NewEntry], by: str, at: datetime
    ) -> list[uuid.UUID]:
        rows: list[dict[str, Any]] = [{"id": new_id(), **msgspec.structs.asdict(one)} for one in new]
        self._connection.exec_driver_sql(
            _ADD,
            {
                "tenant": self._tenant, "list": identifier, "by": by, "at": at, "version": version,
                "rows": msgspec.json.encode(rows).decode(),
            },
        )  # fmt: skip
        return [row["id"] for row in rows]

    def end_values(self, identifier: uuid.UUID, version: int, values: Sequence[str], by: str, at: datetime) -> int:
        """Take values off a list from `version` on; returns how many were on it."""
        chosen = _e.value == sa.any_(sa.literal(list(values), sa.ARRAY(sa.Text)))
        return self._end(sa.and_(self._of(identifier), chosen), version, by, at)

    def end_all(self, identifier: uuid.UUID, version: int, by: str, at: datetime) -> int:
        """Take everything off a list; returns how many entries there were."""
        return self._end(self._of(identifier), version, by, at)

    def end_entry(self, identifier: uuid.UUID, version: int, entry: uuid.UUID, by: str, at: datetime) -> int:
        """Take one entry off a list."""
        return self._end(sa.and_(self._of(identifier), _e.id == entry), version, by, at)

    def counted(self) -> list[tuple[str, int, int]]:
        """Name, entries kept and entries really on it of every list that exists; for invariants."""
        real = (
            sa.select(_e.list_id, sa.func.count().label("n"))
            .where(_e.tenant_id == self._tenant, _NOW)
            .group_by(_e.list_id)
            .subquery()
        )
        query = (
            sa.select(_l.name, _l.entries, sa.func.coalesce(real.c.n, 0))
            .select_from(lists.outerjoin(real, real.c.list_id == _l.id))
            .where(_l.tenant_id == self._tenant, _l.deleted_at.is_(None))
        )
        return [(row[0], row[1], int(row[2])) for row in self._connection.execute(query)]

    def expired(self, now: datetime) -> dict[uuid.UUID, int]:
        """How many entries of each list have had their time."""
        query = (
            sa.select(_e.list_id, sa.func.count())
            .where(_e.tenant_id == self._tenant, _NOW, _e.expires_at <= now)
            .group_by(_e.list_id)
        )
        return {row[0]: int(row[1]) for row in self._connection.execute(query)}

    def end_expired(self, identifier: uuid.UUID, version: int, now: datetime) -> int:
        """Take off a list what has had its time; nobody did it."""
        return self._end(sa.and_(self._of(identifier), _e.expires_at <= now), version, "", now)

    def _end(self, chosen: sa.ColumnElement[bool], version: int, by: str, at: datetime) -> int:
        ended = list_entries.update().where(chosen, _NOW)
        return self._connection.execute(ended.values(to_version=version, removed_by=by, removed_at=at)).rowcount

    def _of(self, identifier: uuid.UUID) -> sa.ColumnElement[bool]:
        return sa.and_(_e.tenant_id == self._tenant, _e.list_id == identifier)


def _list(row: Any) -> FirmList:
    return FirmList(**{**row._mapping, "kind": ListKind(row.kind), "effect": ListEffect(row.effect)})


def _entry(row: Any) -> ListEntry:
    return ListEntry(**row._mapping)
