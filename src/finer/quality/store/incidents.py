"""The SQL of incidents."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.kit.cursors import Cursor
from finer.kit.tx import Tx
from finer.quality.tables import incidents
from finer.quality.types import Incident, IncidentFilter, IncidentState, Keys, Part, Severity


class IncidentStore:
    """Incidents of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection, self._tenant = tx.connection, tx.tenant
        self._mine = incidents.c.tenant_id == tx.tenant

    def add(self, new: Incident) -> None:
        """Keep a new incident."""
        self._connection.execute(incidents.insert().values(tenant_id=self._tenant, id=new.id, **_facts(new)))

    def change(self, changed: Incident, version: int) -> bool:
        """Keep what became of an incident, in the place of `version`; False when somebody else changed it first."""
        chosen = sa.and_(self._mine, incidents.c.id == changed.id, incidents.c.version == version)
        return self._connection.execute(incidents.update().where(chosen).values(**_facts(changed))).rowcount == 1

    def find(self, identifier: uuid.UUID, *, lock: bool = False) -> Incident | None:
        """One incident; with `lock`, nobody else changes it in this transaction."""
        query = sa.select(incidents).where(self._mine, incidents.c.id == identifier)
        row = self._connection.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else _incident(row)

    def open(self, contract: str | None = None, *, lock: bool = False) -> list[Incident]:
        """The incidents that are not over, of a contract or of all, the newest first."""
        query = sa.select(incidents).where(self._mine, incidents.c.closed_at.is_(None))
        if contract is not None:
            query = query.where(incidents.c.contract == contract)
        query = query.order_by(incidents.c.opened_at.desc(), incidents.c.id.desc())
        return [_incident(row) for row in self._connection.execute(query.with_for_update() if lock else query)]

    def settled_since(self, contract: str, since: datetime) -> list[Incident]:
        """Incidents of a contract that have settled by themselves since a moment, the newest first; locked."""
        c = incidents.c
        query = sa.select(incidents).where(
            self._mine, c.contract == contract, c.state == IncidentState.SETTLED, c.closed_at >= since
        )
        rows = self._connection.execute(query.order_by(c.closed_at.desc()).with_for_update())
        return [_incident(row) for row in rows]

    def page(self, wanted: IncidentFilter, limit: int, before: Cursor | None) -> list[Incident]:
        """Incidents that fit, the newest first."""
        c = incidents.c
        query = sa.select(incidents).where(self._mine)
        if wanted.open is not None:
            query = query.where(c.closed_at.is_(None) if wanted.open else c.closed_at.is_not(None))
        if wanted.contract is not None:
            query = query.where(c.contract == wanted.contract)
        if before is not None:
            last = sa.tuple_(sa.literal(before.at), sa.literal(before.id))
            query = query.where(sa.tuple_(c.opened_at, c.id) < last)
        rows = self._connection.execute(query.order_by(c.opened_at.desc(), c.id.desc()).limit(limit))
        return [_incident(row) for row in rows]

    def forget(self, before: datetime) -> int:
        """Delete incidents that were over before a moment."""
        return self._connection.execute(incidents.delete().where(self._mine, incidents.c.closed_at < before)).rowcount


def _facts(one: Incident) -> dict[str, Any]:
    facts = {name: getattr(one, name) for name in one.__struct_fields__ if name != "id"}
    return facts | {"parts": msgspec.to_builtins(one.parts), "keys": msgspec.to_builtins(one.keys)}


def _incident(row: sa.Row[Any]) -> Incident:
    values = dict(row._mapping)
    values.pop("tenant_id")
    return Incident(
        **values
        | {
            "state": IncidentState(row.state),
            "severity": Severity(row.severity),
            "parts": msgspec.convert(row.parts, tuple[Part, ...]),
            "keys": msgspec.convert(row._mapping["keys"], Keys),
        }
    )
