"""HTTP of teams."""

from __future__ import annotations

import builtins
from typing import Annotated

import msgspec
from litestar import Controller, get, post, put

from finer.identity.routes.edge import NOT_KEPT
from finer.identity.service import teams
from finer.identity.types.access import Permission, Team
from finer.kit.ids import read_id, show_id
from finer.kit.tx import Tx


class TeamBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new team."""

    name: Annotated[str, msgspec.Meta(max_length=120)]


class MembersBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is in a team."""

    members: Annotated[list[Annotated[str, msgspec.Meta(max_length=64)]], msgspec.Meta(max_length=500)]


class TeamView(msgspec.Struct, frozen=True):
    """A team as the API shows it."""

    id: str
    name: str
    members: list[str]


class TeamController(Controller):
    """People who work from one queue."""

    path = "/api/v1/teams"
    tags = ["People"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.TEAMS_READ}, sync_to_thread=True, summary="List teams")
    def list(self, tx: Tx) -> builtins.list[TeamView]:
        """The firm's teams with their members."""
        return [_show(team) for team in teams.list_teams(tx)]

    @post("/", opt={"permission": Permission.TEAMS_WRITE}, sync_to_thread=True, summary="Make a team")
    def create(self, tx: Tx, data: TeamBody) -> TeamView:
        """Make a team, at first without members."""
        return _show(teams.create_team(tx, name=data.name))

    @put(
        "/{team_id:str}/members",
        opt={"permission": Permission.TEAMS_WRITE},
        sync_to_thread=True,
        summary="Set who is in a team",
    )
    def members(self, tx: Tx, team_id: str, data: MembersBody) -> TeamView:
        """From here on exactly these people are in the team; what they reach changes within a second."""
        wanted = [read_id("usr", member) for member in data.members]
        return _show(teams.set_members(tx, read_id("tem", team_id), wanted))


def _show(team: Team) -> TeamView:
    return TeamView(show_id("tem", team.id), team.name, [show_id("usr", member) for member in team.members])
