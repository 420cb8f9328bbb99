"""The SQL of lists: versions, entries, and what a file changes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.kit.turns import one_at_once
from finer.kit.tx import Tx
from finer.screening.tables import entries, list_loads, lists
from finer.screening.types import Entry, ListedEntry, ListKind, ListLoad, ScreeningList

_l, _e, _loads = lists.c, entries.c, list_loads.c
_LIST = tuple(_l[name] for name in ScreeningList.__struct_fields__)
_LOAD = tuple(_loads[name] for name in ListLoad.__struct_fields__)
_CHUNK = 5_000
_ADD = """
insert into screening_entries (tenant_id, list_id, entry_id, from_version, content_hash, document)
select %(tenant)s, %(list)s, entry_id, %(version)s::int, decode(content_hash, 'hex'), document
from jsonb_to_recordset(%(rows)s::jsonb) as r(entry_id text, content_hash text, document jsonb)
"""


class ListStore:
    """Lists of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def one_at_once(self) -> None:
        """Wait until nobody else of the firm makes a list, and let others wait until this transaction ends."""
        one_at_once(self._connection, "screening-lists", self._tenant)

    def all(self) -> list[ScreeningList]:
        """Every list that exists, by name."""
        query = sa.select(*_LIST).where(_l.tenant_id == self._tenant, _l.deleted_at.is_(None)).order_by(_l.name)
        return [_list(row) for row in self._connection.execute(query)]

    def find(self, name: str, *, locked: bool = False) -> ScreeningList | None:
        """A list that exists; `locked` lets other changes of it wait."""
        query = sa.select(*_LIST).where(_l.tenant_id == self._tenant, _l.name == name, _l.deleted_at.is_(None))
        row = self._connection.execute(query.with_for_update() if locked else query).one_or_none()
        return None if row is None else _list(row)

    def add(self, new: ScreeningList) -> None:
        """A new list."""
        self._connection.execute(lists.insert().values(tenant_id=self._tenant, **msgspec.structs.asdict(new)))

    def change(self, identifier: uuid.UUID, **values: Any) -> None:
        """Change what is kept of a list."""
        self._connection.execute(
            lists.update().where(_l.tenant_id == self._tenant, _l.id == identifier).values(**values)
        )

    def hashes(self, identifier: uuid.UUID) -> dict[str, bytes]:
        """The entries that are on a list by id, with the hash of what each says."""
        query = sa.select(_e.entry_id, _e.content_hash).where(self._of(identifier), _e.to_version.is_(None))
        return {row[0]: bytes(row[1]) for row in self._connection.execute(query)}

    def put(self, identifier: uuid.UUID, version: int, new: Sequence[tuple[Entry, bytes]]) -> None:
        """Put entries with their hashes on a list from `version` on, in the place of those with the same id."""
        self.end(identifier, version, [one.id for one, _ in new])
        for start in range(0, len(new), _CHUNK):
            rows = [
                {"entry_id": one.id, "content_hash": content.hex(), "document": one}
                for one, content in new[start : start + _CHUNK]
            ]
            values = {"tenant": self._tenant, "list": identifier, "version": version}
            self._connection.exec_driver_sql(_ADD, values | {"rows": msgspec.json.encode(rows).decode()})

    def end(self, identifier: uuid.UUID, version: int, ids: Sequence[str]) -> None:
        """Take entries off a list from `version` on."""
        chosen = _e.entry_id == sa.any_(sa.literal(list(ids), sa.ARRAY(sa.Text)))
        ended = entries.update().where(self._of(identifier), chosen, _e.to_version.is_(None))
        self._connection.execute(ended.values(to_version=version))

    def add_load(self, identifier: uuid.UUID, load: ListLoad) -> None:
        """Note that a file became a version."""
        row = msgspec.structs.asdict(load)
        self._connection.execute(list_loads.insert().values(tenant_id=self._tenant, list_id=identifier, **row))

    def loads(self, identifier: uuid.UUID, limit: int) -> list[ListLoad]:
        """The files that were loaded, the latest first."""
        query = (
            sa.select(*_LOAD)
            .where(_loads.tenant_id == self._tenant, _loads.list_id == identifier)
            .order_by(_loads.version.desc())
            .limit(limit)
        )
        return [ListLoad(**row._mapping) for row in self._connection.execute(query)]

    def listed(self, *, since: dict[uuid.UUID, int] | None = None) -> list[ListedEntry]:
        """Entries on the lists that exist; with `since` only those that are new or changed after these versions."""
        query = (
            sa.select(_e.list_id, _e.content_hash, _e.document)
            .join(lists, sa.and_(_l.tenant_id == _e.tenant_id, _l.id == _e.list_id))
            .where(_e.tenant_id == self._tenant, _e.to_version.is_(None), _l.deleted_at.is_(None))
        )
        if since is not None:
            query = query.where(
                sa.or_(
                    sa.false(), *(sa.and_(_e.list_id == one, _e.from_version > after) for one, after in since.items())
                )
            )
        return [_listed(row) for row in self._connection.execute(query.order_by(_e.list_id, _e.entry_id))]

    def entry(self, identifier: uuid.UUID, entry_id: str, content_hash: bytes) -> Entry | None:
        """What an entry said when it had this hash, also when it is off the list by now."""
        query = (
            sa.select(_e.document)
            .where(self._of(identifier), _e.entry_id == entry_id, _e.content_hash == content_hash)
            .limit(1)
        )
        found = self._connection.execute(query).scalar_one_or_none()
        return None if found is None else msgspec.convert(found, Entry)

    def ended(self, identifier: uuid.UUID, after: int) -> list[str]:
        """Ids of entries that went off a list in a version after that one and are not on it now."""
        on_it = sa.select(_e.entry_id).where(self._of(identifier), _e.to_version.is_(None))
        query = (
            sa.select(_e.entry_id)
            .where(self._of(identifier), _e.to_version > after, _e.entry_id.not_in(on_it))
            .distinct()
        )
        return list(self._connection.execute(query).scalars())

    def counted(self) -> list[Any]:
        """(list, entries kept, entries really on it) of every list; for invariants."""
        real = (
            sa.select(_e.list_id, sa.func.count().label("n"))
            .where(_e.tenant_id == self._tenant, _e.to_version.is_(None))
            .group_by(_e.list_id)
            .subquery()
        )
        query = (
            sa.select(_l.name, _l.entries, sa.func.coalesce(real.c.n, 0))
            .select_from(lists.outerjoin(real, real.c.list_id == _l.id))
            .where(_l.tenant_id == self._tenant, _l.deleted_at.is_(None))
        )
        return list(self._connection.execute(query))

    def _of(self, identifier: uuid.UUID) -> sa.ColumnElement[bool]:
        return sa.and_(_e.tenant_id == self._tenant, _e.list_id == identifier)


def version_of(found: Sequence[ScreeningList]) -> tuple[tuple[uuid.UUID, int], ...]:
    """What names the state of all lists together."""
    return tuple(sorted((one.id, one.version) for one in found))


def _list(row: Any) -> ScreeningList:
    return ScreeningList(**{**row._mapping, "kind": ListKind(row.kind)})


def _listed(row: Any) -> ListedEntry:
    return ListedEntry(
        list_id=row.list_id, entry=msgspec.convert(row.document, Entry), content_hash=bytes(row.content_hash)
    )
