"""Saved queries, their versions, and who keeps them at hand."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.kit.crypto.fields import seal, unseal_all
from finer.kit.turns import one_at_once
from finer.kit.tx import Tx
from finer.workspace.tables import favourites, saved, versions
from finer.workspace.types import Chart, Draft, ParameterDefinition, SavedQuery, SavedVersion, Sharing

_STATEMENT = "workspace_saved_versions.statement_sealed"


class SavedStore:
    """The saved queries of one tenant, as far as one person may see them."""

    def __init__(self, tx: Tx, person: uuid.UUID | None, teams: frozenset[uuid.UUID]) -> None:
        """Without a person, everything of the tenant is seen: for Finer itself."""
        self._tx, self._person, self._teams = tx, person, teams
        self._connection, self._tenant = tx.connection, tx.tenant

    def add(self, identifier: uuid.UUID, draft: Draft, owner: uuid.UUID, at: datetime) -> None:
        """A new saved query in its first version."""
        self._connection.execute(
            saved.insert().values(
                tenant_id=self._tenant, id=identifier, owner_id=owner, version=1, created_at=at, changed_at=at,
                **_facts(draft),
            )
        )  # fmt: skip
        self._add_version(identifier, 1, draft, owner, at)

    def change(self, identifier: uuid.UUID, version: int, draft: Draft, by: uuid.UUID, at: datetime) -> bool:
        """A new version in the place of `version`; False when that is not the newest any more."""
        done = self._connection.execute(
            saved.update()
            .where(saved.c.tenant_id == self._tenant, saved.c.id == identifier, saved.c.version == version)
            .values(version=version + 1, changed_at=at, **_facts(draft))
        )
        if done.rowcount:
            self._add_version(identifier, version + 1, draft, by, at)
        return bool(done.rowcount)

    def remove(self, identifier: uuid.UUID) -> None:
        """Delete a saved query with its versions and schedules."""
        self._connection.execute(saved.delete().where(saved.c.tenant_id == self._tenant, saved.c.id == identifier))

    def find(self, identifier: uuid.UUID | None = None) -> list[SavedQuery]:
        """The saved queries that the person may see, or that one; favourites first, then by folder and name."""
        kept = (
            sa.exists()
            .where(
                favourites.c.tenant_id == self._tenant,
                favourites.c.saved_id == saved.c.id,
                favourites.c.person_id == self._person,
            )
            .label("favourite")
        )
        query = (
            sa.select(saved, versions.c.statement_sealed, versions.c.parameters, versions.c.chart, kept)
            .join(
                versions,
                (versions.c.tenant_id == saved.c.tenant_id)
                & (versions.c.saved_id == saved.c.id)
                & (versions.c.version == saved.c.version),
            )
            .where(saved.c.tenant_id == self._tenant, self._visible())
            .order_by(kept.desc(), saved.c.folder, saved.c.name, saved.c.id)
        )
        if identifier is not None:
            query = query.where(saved.c.id == identifier)
        rows = self._connection.execute(query).all()
        texts = self._statements([(row.id, row.version, row.statement_sealed) for row in rows])
        return [
            SavedQuery(
                id=row.id, name=row.name, description=row.description, folder=row.folder, tags=tuple(row.tags),
                owner_id=row.owner_id, sharing=Sharing(row.sharing), team_id=row.team_id, version=row.version,
                statement=text, parameters=_parameters(row.parameters), chart=_chart(row.chart),
                created_at=row.created_at, changed_at=row.changed_at, favourite=row.favourite,
            )
            for row, text in zip(rows, texts, strict=True)
        ]  # fmt: skip

    def visible(self, identifiers: Iterable[uuid.UUID]) -> frozenset[uuid.UUID]:
        """Which of these the person may see; nothing of them is read."""
        query = sa.select(saved.c.id).where(
            saved.c.tenant_id == self._tenant, saved.c.id.in_(list(identifiers)), self._visible()
        )
        return frozenset(self._connection.execute(query).scalars())

    def versions(self, identifier: uuid.UUID) -> list[SavedVersion]:
        """The versions of a saved query, the newest first."""
        query = (
            sa.select(versions)
            .where(versions.c.tenant_id == self._tenant, versions.c.saved_id == identifier)
            .order_by(versions.c.version.desc())
        )
        rows = self._connection.execute(query).all()
        texts = self._statements([(row.saved_id, row.version, row.statement_sealed) for row in rows])
        return [
            SavedVersion(
                version=row.version, statement=text, parameters=_parameters(row.parameters), chart=_chart(row.chart),
                changed_by=row.changed_by, changed_at=row.changed_at,
            )
            for row, text in zip(rows, texts, strict=True)
        ]  # fmt: skip

    def keep(self, identifier: uuid.UUID, person: uuid.UUID) -> None:
        """Make it a favourite of a person."""
        row = insert(favourites).values(tenant_id=self._tenant, person_id=person, saved_id=identifier)
        self._connection.execute(row.on_conflict_do_nothing())

    def let_go(self, identifier: uuid.UUID, person: uuid.UUID) -> None:
        """Make it a favourite of a person no more."""
        self._connection.execute(
            favourites.delete().where(
                favourites.c.tenant_id == self._tenant,
                favourites.c.person_id == person,
                favourites.c.saved_id == identifier,
            )
        )

    def count_owned(self, person: uuid.UUID) -> int:
        """How many saved queries somebody owns; who asks at the same moment is answered one after the other."""
        one_at_once(self._connection, "saved", self._tenant, person)
        query = sa.select(sa.func.count()).where(saved.c.tenant_id == self._tenant, saved.c.owner_id == person)
        return int(self._connection.execute(query).scalar_one())

    def _visible(self) -> sa.ColumnElement[bool]:
        if self._person is None:
            return sa.true()
        team = (saved.c.sharing == Sharing.TEAM) & saved.c.team_id.in_(self._teams) if self._teams else sa.false()
        return sa.or_(saved.c.owner_id == self._person, saved.c.sharing == Sharing.TENANT, team)

    def _add_version(self, identifier: uuid.UUID, version: int, draft: Draft, by: uuid.UUID, at: datetime) -> None:
        self._connection.execute(
            versions.insert().values(
                tenant_id=self._tenant, saved_id=identifier, version=version,
                statement_sealed=seal(self._tx, _STATEMENT, f"{identifier}/{version}", draft.statement),
                parameters=msgspec.to_builtins(draft.parameters), chart=msgspec.to_builtins(draft.chart),
                changed_by=by, changed_at=at,
            )
        )  # fmt: skip

    def _statements(self, cells: Sequence[tuple[uuid.UUID, int, Any]]) -> list[str]:
        sealed = [(f"{identifier}/{version}", bytes(content)) for identifier, version, content in cells]
        return [text or "" for text in unseal_all(self._tx, _STATEMENT, sealed)]


def _facts(draft: Draft) -> dict[str, Any]:
    return {
        "name": draft.name, "description": draft.description, "folder": draft.folder, "tags": list(draft.tags),
        "sharing": draft.sharing, "team_id": draft.team_id,
    }  # fmt: skip


def _parameters(found: Any) -> tuple[ParameterDefinition, ...]:
    return msgspec.convert(found, tuple[ParameterDefinition, ...])


def _chart(found: Any) -> Chart | None:
    return None if found is None else msgspec.convert(found, Chart)
