"""Notes on dashboards, and who gets them by e-mail."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.dashboards.tables import digests, notes
from finer.dashboards.types import Annotation, Digest
from finer.kit.crypto.fields import seal, unseal_all
from finer.kit.ids import new_id
from finer.kit.tx import Tx

_TEXT = "dashboards_annotations.text_sealed"


class AnnotationStore:
    """The notes of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection, self._tenant = tx.connection, tx.tenant

    def add(self, dashboard: uuid.UUID, identifier: uuid.UUID, at: datetime, text: str, author: uuid.UUID) -> None:
        """A new note."""
        self._connection.execute(
            notes.insert().values(
                tenant_id=self._tenant, id=identifier, dashboard_id=dashboard, at=at, author_id=author,
                text_sealed=seal(self._tx, _TEXT, identifier, text), created_at=self._tx.now(),
            )
        )  # fmt: skip

    def find(self, dashboard: uuid.UUID, limit: int) -> list[Annotation]:
        """The notes of a dashboard, the latest moments first."""
        c = notes.c
        query = sa.select(notes).where(c.tenant_id == self._tenant, c.dashboard_id == dashboard)
        rows = self._connection.execute(query.order_by(c.at.desc(), c.id).limit(limit)).all()
        texts = unseal_all(self._tx, _TEXT, [(row.id, bytes(row.text_sealed)) for row in rows])
        return [
            Annotation(id=row.id, at=row.at, text=text or "", author_id=row.author_id, created_at=row.created_at)
            for row, text in zip(rows, texts, strict=True)
        ]

    def remove(self, dashboard: uuid.UUID, identifier: uuid.UUID, author: uuid.UUID | None) -> bool:
        """Delete a note, of that author when one is given; False when there is none."""
        c = notes.c
        query = notes.delete().where(c.tenant_id == self._tenant, c.dashboard_id == dashboard, c.id == identifier)
        if author is not None:
            query = query.where(c.author_id == author)
        return self._connection.execute(query).rowcount == 1


class DigestStore:
    """The digests of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection, self._tenant = tx.connection, tx.tenant

    def set(self, dashboard: uuid.UUID, person: uuid.UUID, cron: str, timezone: str, next_at: datetime) -> None:
        """Let somebody have a dashboard at these times, in the place of others."""
        facts = {"cron": cron, "timezone": timezone, "next_at": next_at, "problem": ""}
        row = insert(digests).values(
            tenant_id=self._tenant, id=new_id(), dashboard_id=dashboard, person_id=person, **facts
        )
        self._connection.execute(row.on_conflict_do_update(constraint="uq_dashboards_digests_person", set_=facts))

    def remove(self, dashboard: uuid.UUID, person: uuid.UUID) -> bool:
        """Let somebody have it no more; False when they did not."""
        c = digests.c
        done = digests.delete().where(c.tenant_id == self._tenant, c.dashboard_id == dashboard, c.person_id == person)
        return self._connection.execute(done).rowcount == 1

    def find(
        self, *, dashboard: uuid.UUID | None = None, person: uuid.UUID | None = None, due: datetime | None = None
    ) -> list[Digest]:
        """Digests of a dashboard, of a person, or those that are due by a moment."""
        c = digests.c
        query = sa.select(digests).where(c.tenant_id == self._tenant)
        if dashboard is not None:
            query = query.where(c.dashboard_id == dashboard)
        if person is not None:
            query = query.where(c.person_id == person)
        if due is not None:
            query = query.where(c.next_at <= due)
        return [_digest(row) for row in self._connection.execute(query.order_by(c.next_at, c.id))]

    def move(self, identifier: uuid.UUID, due: datetime, next_at: datetime | None, problem: str = "") -> bool:
        """Take one that is due; False when another process has taken it."""
        return self._update(digests.c.next_at == due, identifier, next_at=next_at, problem=problem)

    def note(self, identifier: uuid.UUID, at: datetime) -> None:
        """Note that it went out."""
        self._update(sa.true(), identifier, last_at=at)

    def _update(self, when: sa.ColumnElement[bool], identifier: uuid.UUID, **values: Any) -> bool:
        mine = (digests.c.tenant_id == self._tenant) & (digests.c.id == identifier) & when
        return self._connection.execute(digests.update().where(mine).values(**values)).rowcount == 1


def _digest(row: Any) -> Digest:
    return Digest(
        id=row.id, dashboard=row.dashboard_id, person_id=row.person_id, cron=row.cron, timezone=row.timezone,
        next_at=row.next_at, last_at=row.last_at, problem=row.problem,
    )  # fmt: skip
