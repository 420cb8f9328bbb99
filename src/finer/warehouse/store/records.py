"""Exports that were asked for, as the warehouse keeps them in PostgreSQL."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from finer.kit.turns import one_at_once
from finer.kit.tx import Tx
from finer.warehouse.tables import exports
from finer.warehouse.types import Export, ExportFormat, ExportState, Wanted

_OPEN = (ExportState.WAITING, ExportState.RUNNING)


class ExportStore:
    """Exports of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._mine = exports.c.tenant_id == tx.tenant

    def add(self, identifier: uuid.UUID, wanted: Wanted, snapshot: int | None, asked_by: str, role: str) -> None:
        """An export that waits."""
        self._tx.connection.execute(
            exports.insert().values(
                tenant_id=self._tx.tenant, id=identifier, table_name=wanted.table, format=wanted.format,
                since=wanted.since, until=wanted.until, snapshot=snapshot, state=ExportState.WAITING,
                asked_by=asked_by, role=role, asked_at=self._tx.now(), rows=0,
            )
        )  # fmt: skip

    def find(self, identifier: uuid.UUID, *, lock: bool = False) -> Export | None:
        """One export; with `lock`, nobody else changes it in this transaction."""
        query = sa.select(exports).where(self._mine, exports.c.id == identifier)
        row = self._tx.connection.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else _export(row)

    def of(self, asked_by: str, limit: int) -> list[Export]:
        """The latest exports of somebody, the newest first."""
        query = sa.select(exports).where(self._mine, exports.c.asked_by == asked_by)
        return [_export(row) for row in self._tx.connection.execute(query.order_by(exports.c.id.desc()).limit(limit))]

    def count_open(self, asked_by: str) -> int:
        """How many exports of somebody wait or run; who asks at the same moment is answered one after the other."""
        one_at_once(self._tx.connection, "lake-exports", self._tx.tenant, asked_by)
        query = sa.select(sa.func.count()).where(self._mine, exports.c.asked_by == asked_by, exports.c.state.in_(_OPEN))
        return int(self._tx.connection.execute(query).scalar_one())

    def all_in(self, *states: ExportState) -> list[Export]:
        """Every export in one of these states, oldest first."""
        query = sa.select(exports).where(self._mine, exports.c.state.in_(states)).order_by(exports.c.id)
        return [_export(row) for row in self._tx.connection.execute(query)]

    def end(self, identifier: uuid.UUID, state: ExportState) -> None:
        """Cancel an export, or say that its file is gone: as much as the API's role may do."""
        self._tx.connection.execute(
            exports.update()
            .where(self._mine, exports.c.id == identifier)
            .values(state=state, finished_at=self._tx.now())
        )

    def note(self, identifier: uuid.UUID, **values: Any) -> None:
        """Note what has become of an export."""
        self._tx.connection.execute(exports.update().where(self._mine, exports.c.id == identifier).values(**values))

    def forget(self, before: datetime) -> None:
        """Delete what ended before a moment."""
        self._tx.connection.execute(
            exports.delete().where(self._mine, exports.c.state.not_in(_OPEN), exports.c.finished_at < before)
        )


def _export(row: sa.Row[Any]) -> Export:
    wanted = Wanted(
        table=row.table_name,
        format=ExportFormat(row.format),
        since=row.since,
        until=row.until,
        as_of=row.snapshot,
    )
    plain = (
        "id",
        "asked_by",
        "role",
        "asked_at",
        "rows",
        "rows_total",
        "bytes",
        "finished_at",
        "expires_at",
        "problem",
    )
    return Export(wanted=wanted, state=ExportState(row.state), **{name: getattr(row, name) for name in plain})
