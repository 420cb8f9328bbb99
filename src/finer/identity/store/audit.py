"""Entries of the audit trail as people look for them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from finer.identity.tables.audit import seals
from finer.identity.tables.core import audit_entries
from finer.identity.types.audit import AuditEntry, AuditFilter, AuditLine
from finer.kit.cursors import Cursor
from finer.kit.turns import one_at_once
from finer.kit.tx import Tx

_FIELDS = AuditEntry.__struct_fields__
_place = sa.tuple_(audit_entries.c.at, audit_entries.c.id)
_AT_ONCE = 5_000


class AuditStore:
    """The audit trail of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def page(self, wanted: AuditFilter, limit: int, before: Cursor | None) -> list[AuditLine]:
        """Entries, the newest first."""
        query = self._query(wanted)
        if before is not None:
            query = query.where(_place < sa.tuple_(sa.literal(before.at), sa.literal(before.id)))
        query = query.order_by(audit_entries.c.at.desc(), audit_entries.c.id.desc()).limit(limit)
        return [_line(row) for row in self._connection.execute(query)]

    def all(self, wanted: AuditFilter) -> Iterator[list[AuditLine]]:
        """Entries, the oldest first, a few thousand at once."""
        after: tuple[datetime, uuid.UUID] | None = None
        while True:
            query = self._query(wanted)
            if after is not None:
                query = query.where(_place > sa.tuple_(sa.literal(after[0]), sa.literal(after[1])))
            query = query.order_by(audit_entries.c.at, audit_entries.c.id).limit(_AT_ONCE)
            found = [_line(row) for row in self._connection.execute(query)]
            if found:
                yield found
                after = (found[-1].at, found[-1].id)
            if len(found) < _AT_ONCE:
                return

    def count(self, wanted: AuditFilter, most: int) -> int:
        """How many entries there are, counted up to `most`."""
        inner = self._query(wanted).limit(most).subquery()
        return int(self._connection.execute(sa.select(sa.func.count()).select_from(inner)).scalar_one())

    def rows_of(self, actor: str, actions: Sequence[str], since: datetime, most: int) -> int:
        """The rows that somebody took by these actions since a moment, entries of more than `most` rows left out."""
        c = audit_entries.c
        rows = c.detail["rows"].as_integer()
        query = sa.select(sa.func.coalesce(sa.func.sum(rows), 0)).where(
            c.tenant_id == self._tenant, c.actor_id == actor, c.action.in_(actions), c.at >= since, rows <= most
        )
        return int(self._connection.execute(query).scalar_one())

    def one_export_at_once(self, actor: str) -> None:
        """Let the exports of somebody wait for one another until this transaction ends, so that each counts the last.

        Two that are asked for in the same moment would both find that nothing was taken yet.
        """
        one_at_once(self._connection, "exports", self._tenant, actor)

    def actions(self) -> list[str]:
        """Every action that the trail knows, read by skipping from one to the next in the index."""
        query = """
        with recursive known as (
          (select action from identity_audit_entries where tenant_id = %(tenant)s order by action limit 1)
          union all
          select (select e.action from identity_audit_entries e where e.tenant_id = %(tenant)s and e.action > k.action
                   order by e.action limit 1) from known k where k.action is not null)
        select action from known where action is not null
        """
        return list(self._connection.exec_driver_sql(query, {"tenant": self._tenant}).scalars())

    def _query(self, wanted: AuditFilter) -> sa.Select[Any]:
        c = audit_entries.c
        sealed = (seals.c.tenant_id == c.tenant_id) & (seals.c.entry_id == c.id)
        query = sa.select(audit_entries, seals.c.sequence, seals.c.hash).outerjoin(seals, sealed)
        query = query.where(c.tenant_id == self._tenant)
        if wanted.actor is not None:
            query = query.where((c.actor_id == wanted.actor) | (c.actor_name == wanted.actor))
        if wanted.action is not None:
            stem = wanted.action.removesuffix("*")
            query = query.where(
                c.action == stem if stem == wanted.action else c.action.startswith(stem, autoescape=True)
            )
        for column, value in ((c.subject, wanted.subject), (c.outcome, wanted.outcome), (c.origin, wanted.origin)):
            if value is not None:
                query = query.where(column == value)
        if wanted.since is not None:
            query = query.where(c.at >= wanted.since)
        if wanted.until is not None:
            query = query.where(c.at < wanted.until)
        if wanted.ids:
            query = query.where(c.id.in_(wanted.ids))
        return query


def _line(row: sa.Row[Any]) -> AuditLine:
    fields = {name: getattr(row, name) for name in _FIELDS}
    return AuditLine(**fields, sequence=row.sequence, hash=None if row.hash is None else bytes(row.hash))
