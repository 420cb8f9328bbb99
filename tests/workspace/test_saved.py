"""Saved queries are shared within the firm, change in versions, and run with the rights of whoever runs them."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from finer.identity.service import teams
from finer.identity.types.access import Role
from finer.kit.errors import FinerError
from finer.workspace.errors import CannotBeUsed, ChangedMeanwhile, NotYours, SavedQueryNotFound, StatementRefused
from finer.workspace.service import runs, saved
from finer.workspace.types import (
    Chart,
    ChartKind,
    Draft,
    NewRun,
    ParameterDefinition,
    ParameterKind,
    SavedQuery,
    Sharing,
)
from tests.workspace.conftest import Desk

_SOON = ParameterDefinition(name="a", kind=ParameterKind.DATE, default="soon")


def _save(desk: Desk, role: Role = Role.DATA_ENGINEER, **changes: Any) -> SavedQuery:
    fields: dict[str, Any] = {"name": "Orders", "statement": "select count(*) as n from orders"} | changes
    with desk.tx(role) as tx:
        return saved.create_saved(tx, Draft(**fields))


def test_a_saved_query_keeps_everything_about_it(desk: Desk) -> None:
    found = _save(
        desk,
        name="  Orders by country ",
        statement="select country, count(*) as n from orders where country = :country group by 1",
        folder=" Sales // Europe ",
        tags=("Weekly", "weekly", " kpi "),
        parameters=(ParameterDefinition(name="country", kind=ParameterKind.TEXT, default="GB"),),
        chart=Chart(kind=ChartKind.BAR, x="country", y=["n"]),
    )
    assert (found.name, found.folder, found.tags, found.version) == (
        "Orders by country", "Sales/Europe", ("weekly", "kpi"), 1,
    )  # fmt: skip
    assert found.chart is not None
    assert found.chart.y == ["n"]
    run = desk.ask("", saved_id=found.id)
    assert (run.rows, run.saved_id, run.saved_version) == (1, found.id, 1)
    with desk.tx() as tx:
        assert runs.list_runs(tx, saved_id=found.id)[0].id == run.id
        assert saved.set_favourite(tx, found.id, True).favourite
        assert saved.list_saved(tx)[0].id == found.id
        assert not saved.set_favourite(tx, found.id, False).favourite


def test_who_may_see_and_change_a_query(desk: Desk) -> None:
    private = _save(desk, name="private")
    shared = _save(desk, name="shared", sharing=Sharing.TENANT)
    with desk.firm.tx() as tx:
        team = teams.create_team(tx, name=f"Team {uuid.uuid4().hex[:6]}").id
    with desk.tx(teams=(team,)) as tx:
        ours = saved.create_saved(tx, Draft(name="ours", statement="select 1", sharing=Sharing.TEAM, team_id=team))
    with desk.tx(Role.RISK_ANALYST) as tx:
        seen = {one.id for one in saved.list_saved(tx)}
        assert shared.id in seen
        assert not {private.id, ours.id} & seen
        with pytest.raises(SavedQueryNotFound):
            runs.submit(tx, NewRun(saved_id=private.id))
        with pytest.raises(NotYours):
            saved.change_saved(tx, shared.id, 1, Draft(name="mine now", statement="select 1"))
        with pytest.raises(NotYours):
            saved.delete_saved(tx, shared.id)
        with pytest.raises(CannotBeUsed, match="own teams"):
            saved.create_saved(tx, Draft(name="x", statement="select 1", sharing=Sharing.TEAM, team_id=team))
    with desk.tx(Role.RISK_ANALYST, teams=(team,)) as tx:
        assert ours.id in {one.id for one in saved.list_saved(tx)}


def test_c07_a_query_that_changes_after_it_was_shared_runs_with_the_rights_of_the_runner(desk: Desk) -> None:
    shared = _save(desk, name="count", statement="select count(*) as n from customer_profiles", sharing=Sharing.TENANT)
    assert desk.rows("", Role.MARKETING_MANAGER, saved_id=shared.id) == [[2]]
    with desk.tx() as tx:
        changed = saved.change_saved(
            tx, shared.id, 1,
            Draft(name="count", statement="select full_name, email from customer_profiles", sharing=Sharing.TENANT),
        )  # fmt: skip
        assert changed.version == 2
        assert [one.version for one in saved.list_versions(tx, shared.id)] == [2, 1]
    # The owner sees parts of the names; whoever runs it and may see none sees none, and the run says which version.
    assert desk.rows("", saved_id=shared.id)[0][0] == "****ntos"
    run = desk.ask("", Role.MARKETING_MANAGER, saved_id=shared.id)
    assert run.saved_version == 2
    with desk.tx(Role.MARKETING_MANAGER) as tx:
        assert runs.read_page(tx, run.id, 0, 10).rows == [[None, None]] * 2
    # What is taken back cannot be run any more.
    with desk.tx() as tx:
        saved.change_saved(tx, shared.id, 2, Draft(name="count", statement="select 1", sharing=Sharing.OWN))
    with desk.tx(Role.MARKETING_MANAGER) as tx, pytest.raises(SavedQueryNotFound):
        runs.submit(tx, NewRun(saved_id=shared.id))


def test_of_two_who_change_it_one_is_told(desk: Desk) -> None:
    found = _save(desk, name="race")
    with desk.tx() as tx:
        saved.change_saved(tx, found.id, 1, Draft(name="first", statement="select 1"))
        with pytest.raises(ChangedMeanwhile):
            saved.change_saved(tx, found.id, 1, Draft(name="second", statement="select 2"))
        saved.delete_saved(tx, found.id)
        with pytest.raises(SavedQueryNotFound):
            saved.get_saved(tx, found.id)


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"name": "  "}, CannotBeUsed, "name"),
        ({"statement": "drop table orders"}, StatementRefused, "Only SELECT"),
        ({"statement": "select :a"}, CannotBeUsed, "no parameter of the query"),
        ({"parameters": (ParameterDefinition(name="b", kind=ParameterKind.TEXT),)}, CannotBeUsed, "not in the"),
        (
            {"statement": "select :a", "parameters": (_SOON,)},
            CannotBeUsed,
            "no date",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_saved_is_told(desk: Desk, changes: dict[str, Any], error: type[FinerError], says: str) -> None:
    with pytest.raises(error, match=says):
        _save(desk, **changes)
