"""What tiles show: one result for all of a role, refused to whom it is not for, and each tile by itself."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from finer.app.proposals import PROPOSAL_KINDS
from finer.dashboards.errors import NoResult, TileRefused
from finer.dashboards.service import dashboards, taking, viewing
from finer.dashboards.types import Draft, Filters, Sight, TileKind, TileState
from finer.identity.rules.grants import permissions_of
from finer.identity.service import audit
from finer.identity.types.access import Principal, Role
from finer.kit.actors import SYSTEM
from finer.kit.settings import Settings
from finer.workspace.service import answers, runs, saved
from finer.workspace.types import Draft as SavedDraft
from finer.workspace.types import ParameterDefinition, ParameterKind, RunState, SavedQuery, Sharing
from tests.dashboards.conftest import look, make_board, query_tile, save, tile
from tests.workspace.conftest import Desk

_COUNTRIES = "select country, count(*) as n from orders group by country order by country"


def _refresh(desk: Desk, found: SavedQuery, role: Role = Role.DATA_ENGINEER, **parameters: Any) -> None:
    actor = desk.actor(role)
    principal = Principal(
        kind="user", id=uuid.UUID(actor.id), tenant_id=desk.firm.tenant.id, name=actor.name, role=role,
        permissions=permissions_of(role), credential="test",
    )  # fmt: skip
    run = asyncio.run(desk.queries.ask(principal, answers.asking(found.id, parameters), 20.0))
    assert run.over


def _runs(desk: Desk, found: SavedQuery, role: Role) -> int:
    with desk.tx(role) as tx:
        return len(runs.list_runs(tx, saved_id=found.id))


def test_one_result_serves_everybody_of_a_role_and_looking_asks_nothing(desk: Desk) -> None:
    found = save(desk, "select account_id, count(*) as n from transactions group by 1 order by 1 limit 5")
    board = make_board(desk, query_tile(found))
    assert look(desk, board)["q"].state is TileState.WAITING
    _refresh(desk, found)
    mine = look(desk, board)["q"]
    assert mine.state is TileState.SHOWN
    assert len(mine.rows) == 5
    somebody = desk.firm.user(Role.DATA_ENGINEER, None)
    desk.people[Role.DATA_ENGINEER], before = somebody, desk.people[Role.DATA_ENGINEER]
    try:
        theirs = look(desk, board)["q"]
        assert _runs(desk, found, Role.DATA_ENGINEER) == 0
    finally:
        desk.people[Role.DATA_ENGINEER] = before
    assert theirs == mine
    assert _runs(desk, found, Role.DATA_ENGINEER) == 1


def test_a_role_never_sees_what_another_role_was_told(desk: Desk) -> None:
    found = save(desk, "select distinct full_name from customer_profiles order by 1")
    board = make_board(desk, query_tile(found))
    _refresh(desk, found)
    assert look(desk, board, Role.MARKETING_MANAGER)["q"].state is TileState.WAITING
    _refresh(desk, found, Role.MARKETING_MANAGER)
    seen = {role: look(desk, board, role)["q"].rows for role in (Role.DATA_ENGINEER, Role.MARKETING_MANAGER)}
    with desk.tx(Role.MARKETING_MANAGER) as tx:
        own = runs.list_runs(tx, saved_id=found.id)[0]
        assert runs.read_page(tx, own.id, 0, 10).rows == seen[Role.MARKETING_MANAGER]


def test_a05_a_tile_is_refused_to_whom_its_query_is_not_shared_with(desk: Desk) -> None:
    found = save(desk, "select 'secret' as word", Sharing.OWN)
    board = make_board(desk, query_tile(found))
    _refresh(desk, found)
    for role in (Role.RISK_ANALYST, Role.EXECUTIVE, Role.AUDITOR):
        shown = look(desk, board, role)["q"]
        assert (shown.state, shown.rows, shown.columns) == (TileState.REFUSED, [], [])
        with desk.tx(role) as tx:
            with pytest.raises(TileRefused):
                viewing.rows_behind(tx, board.id, "q", 0, 10, None)
            with pytest.raises(TileRefused):
                taking.export_tile(tx, desk.settings, {}, board.id, "q", Filters(), "")


def test_a_sight_changes_with_the_rights_of_its_viewer(desk: Desk) -> None:
    found = save(desk, "select 1 as n")
    board = make_board(desk, query_tile(found), tile("m"))
    role = Role.RISK_ANALYST

    def sight() -> Sight:
        with desk.tx(role) as tx:
            return viewing.sight_of(tx, board.id, Filters())

    before = sight()
    assert before.open == ("q",)
    with desk.tx() as tx:
        saved.change_saved(tx, found.id, 1, SavedDraft(name="n", statement="select 1 as n", sharing=Sharing.OWN))
    assert sight().open == ()
    with desk.tx() as tx:
        dashboards.change_dashboard(tx, board.id, 1, Draft(name="b", sharing=Sharing.TENANT, tiles=board.tiles[:1]))
    with desk.firm.tx(SYSTEM) as tx:
        assert {one.state for one in viewing.look(tx, before, None).values()} == {TileState.CHANGED}


def test_a_metric_is_shown_to_who_may_see_it_and_refused_to_others(desk: Desk) -> None:
    board = make_board(desk, tile("m", kind=TileKind.NUMBER), role=Role.EXECUTIVE)
    shown = look(desk, board, Role.EXECUTIVE)["m"]
    assert (shown.state, shown.value) == (TileState.SHOWN, 0)
    assert [column.name for column in shown.columns] == ["at", "value"]
    assert look(desk, board, Role.RISK_ANALYST)["m"].state is TileState.REFUSED


def test_a_query_that_fails_is_said_in_its_tile_alone(desk: Desk) -> None:
    found = save(desk, "select 1 as n")
    board = make_board(desk, query_tile(found), query_tile(save(desk, "select nothing from nowhere"), "bad", y=20))
    _refresh(desk, found)
    with desk.tx() as tx:
        _, one, _ = viewing.open_query(tx, board.id, "bad")
    assert one.query is not None
    with desk.tx() as tx:
        bad = saved.get_saved(tx, uuid.UUID(hex=one.query.saved[4:]))
    _refresh(desk, bad)
    shown = look(desk, board)
    assert shown["q"].rows == [[1]]
    assert shown["bad"].state is TileState.FAILED
    assert "nowhere" in shown["bad"].problem
    with desk.tx() as tx, pytest.raises(NoResult):
        viewing.rows_behind(tx, board.id, "bad", 0, 10, None)


def test_a_refresh_that_fails_leaves_the_older_result_and_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    found = save(desk, "select 7 as n")
    board = make_board(desk, query_tile(found))
    _refresh(desk, found)
    with desk.tx() as tx:
        later = runs.submit(tx, answers.asking(found.id, {}))
    assert look(desk, board)["q"].refreshing
    with desk.tx() as tx:
        assert answers.asked_just_now(tx, answers.newest(tx, found.id, {}, Role.DATA_ENGINEER.value))
        runs.cancel(tx, later.id)
    shown = look(desk, board)["q"]
    assert (shown.rows, shown.refreshing) == ([[7]], False)
    assert "did not work" in shown.problem


def test_filters_narrow_what_they_know_and_say_what_they_do_not(desk: Desk) -> None:
    found = save(desk, _COUNTRIES)
    board = make_board(desk, query_tile(found), query_tile(save(desk, "select 3 as n"), "other", y=20))
    _refresh(desk, found)
    rows = look(desk, board)["q"].rows
    country = rows[0][0]
    narrowed = look(desk, board, country=country)
    assert narrowed["q"].rows == [rows[0]]
    assert narrowed["q"].unfiltered == []
    nothing = look(desk, board, country="Atlantis", planet="Mars")["q"]
    assert (nothing.state, nothing.rows, nothing.total) == (TileState.SHOWN, [], 0)
    assert nothing.unfiltered == ["planet"]


def test_parameters_belong_to_the_question(desk: Desk) -> None:
    kinds = (ParameterDefinition(name="word", kind=ParameterKind.TEXT, default="a"),)
    found = save(desk, "select :word as word", parameters=kinds)
    board = make_board(desk, query_tile(found), query_tile(found, "big", y=20, part={"parameters": {"word": "A"}}))
    _refresh(desk, found)
    shown = look(desk, board)
    assert shown["q"].rows == [["a"]]
    assert shown["big"].state is TileState.WAITING, "a question in capitals is another question"


def test_a_question_in_capitals_is_not_answered_from_the_one_before(desk: Desk) -> None:
    assert desk.rows("select 'a' as word") == [["a"]]
    assert desk.rows("select 'A' as word") == [["A"]]


def test_a_schedules_result_is_the_newest_too(desk: Desk) -> None:
    found = save(desk, "select 11 as n")
    board = make_board(desk, query_tile(found))
    run = desk.ask("", saved_id=found.id, rows_max=runs.ROWS_MAX)
    assert run.state is RunState.DONE
    assert look(desk, board)["q"].rows == [[11]]


def test_rows_behind_a_tile_stop_where_one_person_may_take_no_more(desk: Desk) -> None:
    found = save(desk, "select range as n from range(50)")
    board = make_board(desk, query_tile(found))
    _refresh(desk, found)
    with desk.tx() as tx:
        page = viewing.rows_behind(tx, board.id, "q", 0, 20, 30)
        assert (len(page.rows), page.next, page.total) == (20, 20, 50)
        with pytest.raises(Exception, match="Export the result"):
            viewing.rows_behind(tx, board.id, "q", 30, 20, 30)


def test_what_leaves_is_counted_and_much_takes_two_people(desk: Desk) -> None:
    found = save(desk, "select range as n, '=1+1' as f from range(50)")
    board = make_board(desk, query_tile(found))
    _refresh(desk, found, Role.MARKETING_MANAGER)
    strict = Settings(data_dir=desk.settings.data_dir, export_rows_max=20)
    with desk.tx(Role.MARKETING_MANAGER) as tx:
        content = taking.export_tile(tx, desk.settings, PROPOSAL_KINDS, board.id, "q", Filters(), "")
        assert isinstance(content, bytes)
        assert b"'=1+1" in content
        waits = taking.export_tile(tx, strict, PROPOSAL_KINDS, board.id, "q", Filters(), "for the board")
        assert not isinstance(waits, bytes)


def test_the_numbers_of_a_metric_leave_by_the_same_door(desk: Desk) -> None:
    board = make_board(desk, tile("m"), role=Role.EXECUTIVE)
    with desk.tx(Role.EXECUTIVE) as tx:
        content = taking.export_tile(tx, desk.settings, PROPOSAL_KINDS, board.id, "m", Filters(), "")
        acts = [entry.action for entry in audit.list_audit(tx, 5, None)]
    assert isinstance(content, bytes)
    assert content.splitlines()[0].endswith(b'"at","records"')
    assert "dashboards:export" in acts
