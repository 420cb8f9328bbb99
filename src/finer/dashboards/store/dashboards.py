"""Dashboards, as far as one person may see them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.dashboards.tables import dashboards
from finer.dashboards.types import Dashboard, Draft, Tile
from finer.kit.crypto.fields import seal, unseal_all
from finer.kit.turns import one_at_once
from finer.kit.tx import Tx
from finer.workspace.types import Sharing

_CONTENT = "dashboards_dashboards.content_sealed"
_d = dashboards.c


class _Content(msgspec.Struct, frozen=True):
    """What people wrote: sealed as a whole, since titles and values of parameters may name anybody."""

    name: str
    description: str
    tiles: tuple[Tile, ...]


class DashboardStore:
    """The dashboards of one tenant."""

    def __init__(self, tx: Tx, person: uuid.UUID | None, teams: frozenset[uuid.UUID]) -> None:
        """Without a person, everything of the tenant is seen: for Finer itself."""
        self._tx, self._person, self._teams = tx, person, teams
        self._connection, self._tenant = tx.connection, tx.tenant

    def add(self, identifier: uuid.UUID, draft: Draft, owner: uuid.UUID, at: datetime) -> None:
        """A new dashboard in its first version."""
        self._connection.execute(
            dashboards.insert().values(
                tenant_id=self._tenant, id=identifier, owner_id=owner, version=1, created_at=at, changed_at=at,
                **self._facts(identifier, draft),
            )
        )  # fmt: skip

    def change(self, identifier: uuid.UUID, version: int, draft: Draft, at: datetime) -> bool:
        """Write it anew in the place of `version`; False when that is not the newest any more."""
        done = self._connection.execute(
            dashboards.update()
            .where(_d.tenant_id == self._tenant, _d.id == identifier, _d.version == version)
            .values(version=version + 1, changed_at=at, **self._facts(identifier, draft))
        )
        return bool(done.rowcount)

    def remove(self, identifier: uuid.UUID) -> None:
        """Delete a dashboard with its notes and digests."""
        self._connection.execute(dashboards.delete().where(_d.tenant_id == self._tenant, _d.id == identifier))

    def find(self, identifier: uuid.UUID | None = None) -> list[Dashboard]:
        """The dashboards that the person may see, or that one; by name."""
        query = sa.select(dashboards).where(_d.tenant_id == self._tenant, self._visible())
        if identifier is not None:
            query = query.where(_d.id == identifier)
        rows = self._connection.execute(query).all()
        texts = unseal_all(self._tx, _CONTENT, [(row.id, bytes(row.content_sealed)) for row in rows])
        found = [_read(row, text) for row, text in zip(rows, texts, strict=True) if text is not None]
        return sorted(found, key=lambda one: (one.name.casefold(), one.id))

    def count_owned(self, person: uuid.UUID) -> int:
        """How many dashboards somebody owns; who asks at the same moment is answered one after the other."""
        one_at_once(self._connection, "dashboards", self._tenant, person)
        query = sa.select(sa.func.count()).where(_d.tenant_id == self._tenant, _d.owner_id == person)
        return int(self._connection.execute(query).scalar_one())

    def _visible(self) -> sa.ColumnElement[bool]:
        if self._person is None:
            return sa.true()
        team = (_d.sharing == Sharing.TEAM) & _d.team_id.in_(self._teams) if self._teams else sa.false()
        return sa.or_(_d.owner_id == self._person, _d.sharing == Sharing.TENANT, team)

    def _facts(self, identifier: uuid.UUID, draft: Draft) -> dict[str, Any]:
        content = msgspec.json.encode(_Content(draft.name, draft.description, draft.tiles)).decode()
        return {
            "sharing": draft.sharing, "team_id": draft.team_id,
            "content_sealed": seal(self._tx, _CONTENT, identifier, content),
        }  # fmt: skip


def _read(row: Any, text: str) -> Dashboard:
    content = msgspec.json.decode(text, type=_Content)
    return Dashboard(
        id=row.id, name=content.name, description=content.description, owner_id=row.owner_id,
        sharing=Sharing(row.sharing), team_id=row.team_id, version=row.version, tiles=content.tiles,
        created_at=row.created_at, changed_at=row.changed_at,
    )  # fmt: skip
