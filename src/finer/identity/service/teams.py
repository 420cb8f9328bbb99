"""Teams: people who work from one queue. Whoever is in a team reaches the rows of the team (scope `team`)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from finer.identity.errors import AlreadyExists, NotAcceptable, TeamNotFound
from finer.identity.rules.checks import check_name
from finer.identity.service.audit import record_audit
from finer.identity.service.people import get_user
from finer.identity.store.teams import TeamStore
from finer.identity.types.access import Team
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx

MEMBERS_MAX = 500


def list_teams(tx: Tx) -> list[Team]:
    """The firm's teams with their members, by name."""
    return TeamStore(tx).teams()


def own_names(tx: Tx) -> dict[uuid.UUID, str]:
    """What the caller's teams are called, by id, in the order of their names."""
    return TeamStore(tx).names(tx.actor.teams) if tx.actor.teams else {}


def get_team(tx: Tx, identifier: uuid.UUID) -> Team:
    """One team. Raises TeamNotFound."""
    found = TeamStore(tx).teams(identifier)
    if not found:
        raise TeamNotFound(f"There is no team {show_id('tem', identifier)}.")
    return found[0]


def create_team(tx: Tx, *, name: str) -> Team:
    """Add a team without members. Raises AlreadyExists, NotAcceptable."""
    team = Team(id=new_id(), name=check_name(name), members=[])
    if not TeamStore(tx).add(team, tx.now()):
        raise AlreadyExists(f"There is a team {team.name!r} already. Choose another name.")
    record_audit(tx, "teams:create", show_id("tem", team.id), {"name": team.name})
    return team


def set_members(tx: Tx, identifier: uuid.UUID, members: Iterable[uuid.UUID]) -> Team:
    """From here on exactly these people are in the team; their reach changes within a second.

    Raises TeamNotFound, UserNotFound for somebody who is not of this firm, NotAcceptable for too many.
    """
    before = get_team(tx, identifier)
    wanted = sorted(set(members))
    if len(wanted) > MEMBERS_MAX:
        raise NotAcceptable(f"A team has at most {MEMBERS_MAX} people; this one would have {len(wanted)}.")
    for member in wanted:
        get_user(tx, member)
    TeamStore(tx).set_members(identifier, wanted)
    detail = {
        "added": [show_id("usr", one) for one in wanted if one not in before.members],
        "removed": [show_id("usr", one) for one in before.members if one not in wanted],
    }
    record_audit(tx, "teams:members", show_id("tem", identifier), detail)
    return get_team(tx, identifier)


def teams_of(tx: Tx, user: uuid.UUID) -> frozenset[uuid.UUID]:
    """The teams that a person is in."""
    return TeamStore(tx).teams_of(user)
