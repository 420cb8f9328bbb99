"""Rows of sources of one tenant."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.kit.crypto import fields
from finer.kit.turns import one_at_once
from finer.kit.tx import Tx
from finer.sources.tables import hooks, sources
from finer.sources.types import Credentials, DueSource, Settings, Source, State

_SEALED = "sources_sources.credentials_sealed"
_SHOWN = [sources.c[name] for name in Source.__struct_fields__]
_ALIVE = (State.RUNNING, State.FAILING)


class SourceStore:
    """The sources of a firm, their credentials and the addresses of their webhooks."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def one_at_once(self) -> None:
        """Wait until nobody else of the firm adds a source, and let others wait until this transaction ends."""
        one_at_once(self._connection, "sources", self._tenant)

    def add(self, source: Source, credentials: Credentials) -> bool:
        """Insert a source; False when the firm has one of this name."""
        row = {name: getattr(source, name) for name in Source.__struct_fields__}
        statement = insert(sources).values(
            tenant_id=self._tenant,
            **row | {"settings": msgspec.to_builtins(source.settings)},
            credentials_sealed=self._seal(source.id, credentials),
        )
        added = statement.on_conflict_do_nothing(index_elements=["tenant_id", "name"]).returning(sa.literal(1))
        return self._connection.execute(added).first() is not None

    def find(self, identifier: uuid.UUID, *, lock: bool = False) -> Source | None:
        """One source; with `lock`, nobody else changes it before this transaction ends."""
        query = sa.select(*_SHOWN).where(*self._mine(identifier))
        row = self._connection.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else _source(row)

    def all(self) -> list[Source]:
        """Every source, by name."""
        query = sa.select(*_SHOWN).where(sources.c.tenant_id == self._tenant).order_by(sources.c.name)
        return [_source(row) for row in self._connection.execute(query)]

    def credentials(self, identifier: uuid.UUID) -> Credentials:
        """What opens a source."""
        query = sa.select(sources.c.credentials_sealed).where(*self._mine(identifier))
        sealed = self._connection.execute(query).scalar_one()
        text = "{}" if sealed is None else fields.unseal(self._tx, _SEALED, identifier, bytes(sealed))
        return msgspec.json.decode(text, type=Credentials)

    def change(self, identifier: uuid.UUID, credentials: Credentials | None = None, **values: Any) -> bool:
        """Set columns; False when another source has the name that was given."""
        if "settings" in values:
            values["settings"] = msgspec.to_builtins(values["settings"])
        if credentials is not None:
            values["credentials_sealed"] = self._seal(identifier, credentials)
        name = values.get("name")
        if name is not None:
            same = sa.select(sources.c.id).where(
                sources.c.tenant_id == self._tenant, sources.c.name == name, sources.c.id != identifier
            )
            if self._connection.execute(same).first() is not None:
                return False
        self._connection.execute(sources.update().where(*self._mine(identifier)).values(**values))
        return True

    def remove(self, identifier: uuid.UUID) -> None:
        """Delete a source and what is remembered of it."""
        self._connection.execute(sources.delete().where(*self._mine(identifier)))

    def own(self, identifier: uuid.UUID, version: int, owner: uuid.UUID, next_try: datetime) -> bool:
        """Let `owner` read the source from now on, counted as a failure until it has done so well; False if changed."""
        values = {"owner": owner, "failures": sources.c.failures + 1, "next_try_at": next_try}
        return self._advance(identifier, version, None, values)

    def advance(self, identifier: uuid.UUID, version: int, owner: uuid.UUID, **values: Any) -> bool:
        """Set columns in the name of the reader; False when the source was changed, paused or taken over.

        A record that comes late does not make the newest one older.
        """
        if "last_record_at" in values:
            values["last_record_at"] = sa.func.greatest(sources.c.last_record_at, values["last_record_at"])
        return self._advance(identifier, version, owner, values)

    def count(self, identifier: uuid.UUID, *, received: int, accepted: int, quarantined: int) -> None:
        """Add to the counts."""
        self._connection.execute(
            sources.update()
            .where(*self._mine(identifier))
            .values(
                received=sources.c.received + received,
                accepted=sources.c.accepted + accepted,
                quarantined=sources.c.quarantined + quarantined,
            )
        )

    def add_hook(self, identifier: uuid.UUID, token_hash: bytes) -> None:
        """Let webhooks to this address be the source's; those to an address before are not any more."""
        mine = (hooks.c.tenant_id == self._tenant) & (hooks.c.source_id == identifier)
        self._connection.execute(hooks.delete().where(mine))
        row = {"tenant_id": self._tenant, "token_hash": token_hash, "source_id": identifier}
        self._connection.execute(hooks.insert().values(row))

    def miscounted(self) -> list[Any]:
        """Sources whose counts do not add up: (name, received, accepted, quarantined)."""
        query = sa.select(sources.c.name, sources.c.received, sources.c.accepted, sources.c.quarantined).where(
            sources.c.tenant_id == self._tenant,
            sources.c.received != sources.c.accepted + sources.c.quarantined,
        )
        return list(self._connection.execute(query))

    def _advance(self, identifier: uuid.UUID, version: int, owner: uuid.UUID | None, values: dict[str, Any]) -> bool:
        fits = [*self._mine(identifier), sources.c.version == version, sources.c.state.in_(_ALIVE)]
        if owner is not None:
            fits.append(sources.c.owner == owner)
        return self._connection.execute(sources.update().where(*fits).values(values)).rowcount == 1

    def _mine(self, identifier: uuid.UUID) -> Sequence[sa.ColumnElement[bool]]:
        return [sources.c.tenant_id == self._tenant, sources.c.id == identifier]

    def _seal(self, identifier: uuid.UUID, credentials: Credentials) -> bytes:
        return fields.seal(self._tx, _SEALED, identifier, msgspec.json.encode(credentials).decode())


def find_hook(connection: sa.Connection, token_hash: bytes) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The firm and source of a webhook's address, before a firm is known."""
    row = connection.exec_driver_sql("select * from sources_find_hook(%s)", (token_hash,)).one_or_none()
    return None if row is None else (row.tenant_id, row.source_id)


def find_due(connection: sa.Connection, now: datetime) -> list[DueSource]:
    """Every source that is to be read now, of all firms."""
    rows = connection.exec_driver_sql("select * from sources_find_due(%s)", (now,))
    return [DueSource(row.tenant_id, row.id, row.version, row.woken_at) for row in rows]


def _source(row: sa.Row[Any]) -> Source:
    shown = dict(row._mapping)
    settings: Settings = msgspec.convert(row.settings, Settings)
    return Source(**shown | {"settings": settings, "state": State(row.state)})
