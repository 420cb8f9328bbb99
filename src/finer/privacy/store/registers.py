"""Breaches with the authorities to be told, and the terms of retention that a firm chose."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.kit.crypto.fields import seal, unseal_all
from finer.kit.ids import show_id
from finer.kit.tx import Tx
from finer.privacy.rules.terms import clock
from finer.privacy.tables import breaches, notices, retention
from finer.privacy.types import Breach, BreachState, Law

_TITLE, _TEXT = "privacy_breaches.title_sealed", "privacy_breaches.description_sealed"


class RegisterStore:
    """Breaches and retention of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def add_breach(
        self, identifier: uuid.UUID, title: str, description: str, aware_at: datetime, by: str, laws: Sequence[Law]
    ) -> None:
        """A breach, and the authorities of the laws that may have to be told."""
        self._connection.execute(
            breaches.insert().values(
                tenant_id=self._tenant,
                id=identifier,
                title_sealed=seal(self._tx, _TITLE, identifier, title),
                description_sealed=seal(self._tx, _TEXT, identifier, description),
                state=BreachState.ASSESSING,
                aware_at=aware_at,
                opened_by=by,
            )
        )
        rows = [{"tenant_id": self._tenant, "breach_id": identifier, "law": law} for law in laws]
        self._connection.execute(notices.insert(), rows)

    def breaches(self, identifier: uuid.UUID | None = None) -> list[Breach]:
        """Breaches, the latest first."""
        query = sa.select(breaches).where(breaches.c.tenant_id == self._tenant)
        told = sa.select(notices).where(notices.c.tenant_id == self._tenant)
        if identifier is not None:
            query = query.where(breaches.c.id == identifier)
            told = told.where(notices.c.breach_id == identifier)
        rows = self._connection.execute(query.order_by(breaches.c.aware_at.desc())).all()
        by_breach: dict[uuid.UUID, list[sa.Row[Any]]] = {}
        for notice in self._connection.execute(told.order_by(notices.c.law)):
            by_breach.setdefault(notice.breach_id, []).append(notice)
        titles = unseal_all(self._tx, _TITLE, [(row.id, bytes(row.title_sealed)) for row in rows])
        texts = unseal_all(self._tx, _TEXT, [(row.id, bytes(row.description_sealed)) for row in rows])
        return [
            Breach(
                id=show_id("brc", row.id),
                title=title or "",
                description=text or "",
                state=BreachState(row.state),
                aware_at=row.aware_at,
                assessed_at=row.assessed_at,
                people_affected=row.people_affected,
                opened_by=row.opened_by,
                version=row.version,
                clocks=[
                    clock(Law(one.law), row.aware_at, row.assessed_at, one.notified_at, one.reason)
                    for one in by_breach.get(row.id, [])
                ],
            )
            for row, title, text in zip(rows, titles, texts, strict=True)
        ]

    def change_breach(self, identifier: uuid.UUID, version: int, **values: Any) -> bool:
        """Change a breach of that version; False when somebody else changed it first."""
        done = self._connection.execute(
            breaches.update()
            .where(breaches.c.tenant_id == self._tenant, breaches.c.id == identifier, breaches.c.version == version)
            .values(version=breaches.c.version + 1, **values)
        )
        return done.rowcount == 1

    def change_notice(self, breach: uuid.UUID, law: Law, **values: Any) -> bool:
        """Note that an authority was told, or why it is told later; False when that law does not apply."""
        done = self._connection.execute(
            notices.update()
            .where(notices.c.tenant_id == self._tenant, notices.c.breach_id == breach, notices.c.law == law)
            .values(**values)
        )
        return done.rowcount == 1

    def retention_days(self) -> dict[str, int]:
        """The terms that the firm chose, by what they are about."""
        query = sa.select(retention.c.what, retention.c.days).where(retention.c.tenant_id == self._tenant)
        return {row.what: row.days for row in self._connection.execute(query)}

    def set_retention(self, what: str, days: int) -> None:
        """Choose a term."""
        row = insert(retention).values(tenant_id=self._tenant, what=what, days=days)
        self._connection.execute(
            row.on_conflict_do_update(index_elements=["tenant_id", "what"], set_={"days": row.excluded.days})
        )
