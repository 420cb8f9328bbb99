"""A scope is one definition: what it lists in SQL is what it allows of one row, over random worlds, on PostgreSQL."""

from __future__ import annotations

import uuid

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from finer.identity.errors import PermissionMissing
from finer.identity.rules.scopes import reach
from finer.identity.service.authorisation import reach_of
from finer.identity.types.access import Permission, Role, Scope
from finer.kit.actors import SYSTEM, Actor
from finer.kit.db import Database
from finer.kit.reach import EVERYTHING, NOTHING, Reach, Term
from finer.kit.reach_sql import condition

_ANA, _BUDI, *_ = PEOPLE = [uuid.UUID(int=number) for number in range(1, 5)]
TEAMS = [uuid.UUID(int=number) for number in range(11, 15)]
_rows = st.lists(
    st.tuples(st.none() | st.sampled_from(PEOPLE), st.none() | st.sampled_from(TEAMS)), min_size=1, max_size=30
)
_teams = st.frozensets(st.sampled_from(TEAMS), max_size=3)
_terms = st.one_of(
    st.builds(Term, st.just("owner"), st.none() | st.frozensets(st.sampled_from(PEOPLE), max_size=3)),
    st.builds(Term, st.just("team"), st.none() | _teams),
)
_reaches = st.builds(Reach, st.lists(st.lists(_terms, max_size=3).map(tuple), max_size=3).map(tuple))


def _listed(database: Database, within: Reach, rows: list[tuple[uuid.UUID | None, uuid.UUID | None]]) -> list[int]:
    """The places of the rows that a query within this reach lists."""
    world = (
        sa.values(sa.column("place", sa.Integer), sa.column("owner", sa.Uuid), sa.column("team", sa.Uuid), name="world")
        .data([(place, owner, team) for place, (owner, team) in enumerate(rows)])
        .alias("world")
    )
    owner, team = sa.cast(world.c.owner, sa.Uuid), sa.cast(world.c.team, sa.Uuid)
    query = sa.select(world.c.place).where(condition(within, owner=owner, team=team))
    with database.engine.connect() as connection:
        return sorted(connection.scalars(query))


@given(st.sampled_from(Scope), st.sampled_from(PEOPLE), _teams, _rows)
@settings(max_examples=150)
def test_b13_a_list_shows_exactly_what_the_check_of_one_row_allows(
    database: Database,
    scope: Scope,
    caller: uuid.UUID,
    teams: frozenset[uuid.UUID],
    rows: list[tuple[uuid.UUID | None, uuid.UUID | None]],
) -> None:
    within = reach(scope, caller, teams)
    allowed = [place for place, (owner, team) in enumerate(rows) if within.covers(owner=owner, team=team)]
    assert _listed(database, within, rows) == allowed


@given(_reaches, _rows)
@settings(max_examples=150)
def test_any_reach_means_the_same_in_both(
    database: Database, within: Reach, rows: list[tuple[uuid.UUID | None, uuid.UUID | None]]
) -> None:
    allowed = [place for place, (owner, team) in enumerate(rows) if within.covers(owner=owner, team=team)]
    assert _listed(database, within, rows) == allowed


def test_what_each_scope_covers() -> None:
    mine, ours, theirs = (_ANA, TEAMS[1]), (_BUDI, TEAMS[0]), (_BUDI, TEAMS[1])
    untaken, without_team = (None, None), (_BUDI, None)
    rows = [mine, ours, theirs, untaken, without_team]

    def covered(scope: Scope) -> list[int]:
        within = reach(scope, _ANA, frozenset(TEAMS[:1]))
        return [place for place, (owner, team) in enumerate(rows) if within.covers(owner=owner, team=team)]

    assert covered(Scope.TENANT) == [0, 1, 2, 3, 4]
    assert covered(Scope.TEAM) == [0, 1, 3]
    assert covered(Scope.OWN) == covered(Scope.SELF) == [0]


def test_everything_and_nothing(database: Database) -> None:
    rows: list[tuple[uuid.UUID | None, uuid.UUID | None]] = [(None, None), (_ANA, TEAMS[0])]
    assert _listed(database, EVERYTHING, rows) == [0, 1]
    assert _listed(database, NOTHING, rows) == []


def test_the_system_reaches_everything_and_a_role_without_the_permission_nothing() -> None:
    assert reach_of(SYSTEM, Permission.ALERTS_READ) == EVERYTHING
    customer = Actor(kind="user", id=str(_ANA), name="Ana Cruz", role=Role.CUSTOMER.value)
    with pytest.raises(PermissionMissing):
        reach_of(customer, Permission.ALERTS_READ)


def test_b12_an_actor_of_an_unknown_role_or_without_an_id_is_not_let_through() -> None:
    for actor in (
        Actor(kind="user", id=str(_ANA), name="?", role="owner"),
        Actor(kind="user", id="", name="?", role=Role.AUDITOR.value),
        msgspec.structs.replace(SYSTEM, kind="user"),
    ):
        with pytest.raises((ValueError, PermissionMissing)):
            reach_of(actor, Permission.ALERTS_READ)
