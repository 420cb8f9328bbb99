"""The SQL of teams."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.identity.tables.teams import memberships, teams
from finer.identity.types.access import Team
from finer.kit.tx import Tx


class TeamStore:
    """Teams of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._connection = tx.connection
        self._tenant = tx.tenant

    def teams(self, identifier: uuid.UUID | None = None) -> list[Team]:
        """Teams with their members, by name; one of them, when it is named."""
        query = (
            sa.select(teams.c.id, teams.c.name, memberships.c.user_id)
            .select_from(
                teams.outerjoin(
                    memberships,
                    sa.and_(memberships.c.tenant_id == teams.c.tenant_id, memberships.c.team_id == teams.c.id),
                )
            )
            .where(teams.c.tenant_id == self._tenant)
            .order_by(teams.c.name, memberships.c.user_id)
        )
        if identifier is not None:
            query = query.where(teams.c.id == identifier)
        found: dict[uuid.UUID, Team] = {}
        for row in self._connection.execute(query):
            team = found.setdefault(row.id, Team(id=row.id, name=row.name, members=[]))
            if row.user_id is not None:
                team.members.append(row.user_id)
        return list(found.values())

    def names(self, wanted: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
        """What these teams are called, in the order of their names."""
        mine = (teams.c.tenant_id == self._tenant, teams.c.id.in_(list(wanted)))
        query = sa.select(teams.c.id, teams.c.name).where(*mine).order_by(teams.c.name)
        return {row.id: row.name for row in self._connection.execute(query)}

    def add(self, team: Team, now: datetime) -> bool:
        """Add a team without members; False when the name is taken."""
        statement = insert(teams).values(tenant_id=self._tenant, id=team.id, name=team.name, created_at=now)
        added = self._connection.execute(statement.on_conflict_do_nothing().returning(sa.literal(1)))
        return added.first() is not None

    def set_members(self, team: uuid.UUID, users: Iterable[uuid.UUID]) -> None:
        """From here on exactly these people are in the team."""
        mine = (memberships.c.tenant_id == self._tenant) & (memberships.c.team_id == team)
        self._connection.execute(memberships.delete().where(mine))
        rows = [{"tenant_id": self._tenant, "team_id": team, "user_id": user} for user in users]
        if rows:
            self._connection.execute(memberships.insert(), rows)

    def teams_of(self, user: uuid.UUID) -> frozenset[uuid.UUID]:
        """The teams that a person is in."""
        query = sa.select(memberships.c.team_id).where(
            memberships.c.tenant_id == self._tenant, memberships.c.user_id == user
        )
        return frozenset(self._connection.scalars(query))
