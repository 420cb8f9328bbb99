"""Teams, who is in them, and what that changes."""

from __future__ import annotations

import pytest

from finer.app.authentication import Authenticator
from finer.identity.errors import AlreadyExists, TeamNotFound, UserNotFound
from finer.identity.service import teams
from finer.identity.types.access import Role
from finer.kit.ids import new_id, show_id
from tests.support.identity import Firm, client_of, sign_in, small_app


def test_a_team_has_the_members_it_was_last_given(firm: Firm) -> None:
    ana, budi = firm.user(), firm.user()
    with firm.tx() as tx:
        team = teams.create_team(tx, name="Fraud desk")
        teams.set_members(tx, team.id, [ana.id, budi.id, ana.id])
        teams.set_members(tx, team.id, [budi.id])
        assert teams.list_teams(tx) == [teams.get_team(tx, team.id)]
        assert teams.get_team(tx, team.id).members == [budi.id]
        assert teams.teams_of(tx, budi.id) == {team.id}
        assert teams.teams_of(tx, ana.id) == frozenset()


def test_two_teams_cannot_have_one_name(firm: Firm) -> None:
    with firm.tx() as tx:
        teams.create_team(tx, name="Fraud desk")
        with pytest.raises(AlreadyExists):
            teams.create_team(tx, name="Fraud  desk ")


def test_b01_neither_a_foreign_team_nor_a_foreign_member_exists(firm: Firm, other_firm: Firm) -> None:
    stranger = other_firm.user()
    with other_firm.tx() as tx:
        foreign = teams.create_team(tx, name="Theirs")
    with firm.tx() as tx:
        mine = teams.create_team(tx, name="Ours")
        with pytest.raises(UserNotFound):
            teams.set_members(tx, mine.id, [stranger.id])
        for team in (foreign.id, new_id()):
            with pytest.raises(TeamNotFound):
                teams.set_members(tx, team, [])


def test_a_principal_carries_its_teams(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finer.app.authentication.REMEMBER_S", -1.0)
    ana = firm.user()
    app, authenticator = small_app(firm.database, firm.settings)
    with client_of(app) as client:
        sign_in(client, ana)
        assert client.get("/api/v1/me/permissions").json()["teams"] == []
        with firm.tx() as tx:
            team = teams.create_team(tx, name="Fraud desk")
            teams.set_members(tx, team.id, [ana.id])
        assert client.get("/api/v1/me/permissions").json()["teams"] == [show_id("tem", team.id)]
        principal = Authenticator.look_up(authenticator, client.cookies["finer_session"])
    assert principal is not None
    assert principal.actor().teams == (team.id,)


def test_what_may_i_do_says_the_scopes_and_the_forms(firm: Firm) -> None:
    app, _ = small_app(firm.database, firm.settings)
    with client_of(app) as client:
        sign_in(client, firm.user(Role.RISK_ANALYST))
        mine = client.get("/api/v1/me/permissions").json()
    assert mine["role"] == "risk_analyst"
    assert mine["permissions"]["alerts:read"] == "team"
    assert mine["permissions"]["session:own"] == "self"
    assert mine["data_classes"]["personal"] == "partial"
    assert mine["data_classes"]["secret"] == "absent"


def test_an_administrator_makes_teams_over_http(firm: Firm) -> None:
    app, _ = small_app(firm.database, firm.settings)
    ana = firm.user()
    with client_of(app) as client:
        sign_in(client, firm.user(Role.ADMINISTRATOR))
        team = client.post("/api/v1/teams", json={"name": "Fraud desk"})
        assert team.status_code == 201
        path = f"/api/v1/teams/{team.json()['id']}/members"
        assert client.put(path, json={"members": [show_id("usr", ana.id)]}).status_code == 200
        assert client.get("/api/v1/teams").json()[0]["members"] == [show_id("usr", ana.id)]
        assert client.put(path, json={"members": ["usr_nobody"]}).status_code == 404
        assert len(client.get("/api/v1/roles").json()) == len(Role)
