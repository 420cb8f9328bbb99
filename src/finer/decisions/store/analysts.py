"""The SQL of who works cases."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.decisions.tables.cases import analysts, cases
from finer.decisions.types.cases import Typology
from finer.kit.tx import Tx


class AnalystStore:
    """What is kept of the analysts of one tenant, besides their names."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def known(self) -> dict[uuid.UUID, tuple[list[Typology], bool, datetime | None]]:
        """Skills, availability and when a case was given last, by person; who is not there has never chosen."""
        query = sa.select(analysts).where(analysts.c.tenant_id == self._tenant)
        return {
            row.user_id: ([Typology(one) for one in row.skills], row.available, row.last_given_at)
            for row in self._connection.execute(query)
        }

    def open_cases(self) -> dict[uuid.UUID, int]:
        """How many open cases each person has."""
        query = (
            sa.select(cases.c.assignee_id, sa.func.count())
            .where(
                cases.c.tenant_id == self._tenant, cases.c.closed_at.is_(None), cases.c.assignee_id.is_not(None)
            )
            .group_by(cases.c.assignee_id)
        )  # fmt: skip
        return {row[0]: int(row[1]) for row in self._connection.execute(query)}

    def set(self, person: uuid.UUID, skills: Sequence[Typology], *, available: bool) -> None:
        """What a person works on, and whether cases are given to them."""
        self._put(person, skills=list(skills), available=available)

    def given(self, person: uuid.UUID, at: datetime) -> None:
        """A case was given to a person."""
        self._put(person, last_given_at=at)

    def _put(self, person: uuid.UUID, **values: object) -> None:
        new = {"skills": [], "available": True, **values}
        self._connection.execute(
            insert(analysts)
            .values(tenant_id=self._tenant, user_id=person, **new)
            .on_conflict_do_update(index_elements=["tenant_id", "user_id"], set_=values)
        )
