"""Extracts for BI tools, as the warehouse keeps them in PostgreSQL. What is in them is in the BI database."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from finer.kit.turns import one_at_once
from finer.kit.tx import Tx
from finer.warehouse.tables import extracts
from finer.warehouse.types import Extract, NewExtract


class ExtractStore:
    """Extracts of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._mine = extracts.c.tenant_id == tx.tenant

    def one_at_once(self) -> None:
        """Wait until nobody else of the firm opens an extract, and let others wait until this transaction ends."""
        one_at_once(self._tx.connection, "extracts", self._tx.tenant)

    def add(self, identifier: uuid.UUID, wanted: NewExtract, login: str, made_by: str) -> None:
        """A new extract, which nothing was copied for yet."""
        self._tx.connection.execute(
            extracts.insert().values(
                tenant_id=self._tx.tenant, id=identifier, name=wanted.name, tables=list(wanted.tables),
                days=wanted.days, shown_as=wanted.shown_as, every_hours=wanted.every_hours, login=login,
                made_by=made_by, made_at=self._tx.now(),
            )
        )  # fmt: skip

    def find(self, identifier: uuid.UUID | None = None, name: str | None = None) -> list[Extract]:
        """The extracts by name; only the one of an id or a name when it is given."""
        query = sa.select(extracts).where(self._mine).order_by(extracts.c.name)
        if identifier is not None:
            query = query.where(extracts.c.id == identifier)
        if name is not None:
            query = query.where(extracts.c.name == name)
        return [_extract(row) for row in self._tx.connection.execute(query)]

    def note(self, identifier: uuid.UUID, **values: Any) -> None:
        """Note what has become of an extract."""
        self._tx.connection.execute(extracts.update().where(self._mine, extracts.c.id == identifier).values(**values))

    def remove(self, identifier: uuid.UUID) -> None:
        """Forget an extract."""
        self._tx.connection.execute(extracts.delete().where(self._mine, extracts.c.id == identifier))


def _extract(row: sa.Row[Any]) -> Extract:
    wanted = NewExtract(
        name=row.name, tables=tuple(row.tables), days=row.days, shown_as=row.shown_as, every_hours=row.every_hours
    )
    plain = ("id", "login", "made_by", "made_at", "refreshed_at", "rows", "problem", "password_at")
    return Extract(wanted=wanted, **{name: getattr(row, name) for name in plain})
