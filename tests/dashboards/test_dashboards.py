"""Dashboards are kept by their owner, shared within the firm, and never half-saved."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.dashboards.errors import (
    AnnotationNotFound,
    CannotBeUsed,
    ChangedMeanwhile,
    DashboardNotFound,
    NotYours,
)
from finer.dashboards.rules.layout import check_tiles
from finer.dashboards.service import dashboards, notes, viewing
from finer.dashboards.types import Draft, MetricPart, Threshold, Tile
from finer.identity.errors import PermissionMissing
from finer.identity.service import teams
from finer.identity.types.access import Role
from finer.kit.errors import FinerError, InvalidInput
from finer.workspace.types import Sharing
from tests.dashboards.conftest import make_board, query_tile, save, tile
from tests.workspace.conftest import Desk

_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tiles", "says"),
    [
        ([tile("a"), tile("a", x=6)], "same id"),
        ([tile("a"), tile("b", x=2)], "lie over each other"),
        ([tile("a", x=10)], "stands out of the grid"),
        ([tile("a", metric=None)], "one of the two"),
        ([tile("a", metric=MetricPart(name="wealth"))], "no metric 'wealth'"),
        ([tile("a", thresholds=[Threshold(value=float("nan"))])], "is no number"),
        ([tile(f"t{n}", y=2 * n) for n in range(31)], "at most 30"),
    ],
)
def test_tiles_that_cannot_stand_are_refused_and_nothing_is_kept(desk: Desk, tiles: list[Tile], says: str) -> None:
    with desk.tx() as tx:
        before = len(dashboards.list_dashboards(tx))
        with pytest.raises((CannotBeUsed, InvalidInput), match=says):
            dashboards.create_dashboard(tx, Draft(name="Board", tiles=tuple(tiles)))
        assert len(dashboards.list_dashboards(tx)) == before


_PLACES = st.tuples(st.integers(0, 11), st.integers(0, 8), st.integers(1, 12), st.integers(1, 6))


@given(st.lists(_PLACES, max_size=6))
def test_tiles_stand_exactly_when_no_cell_of_the_grid_is_taken_twice(places: list[tuple[int, int, int, int]]) -> None:
    tiles = [tile(f"t{at}", x=x, y=y, w=w, h=h) for at, (x, y, w, h) in enumerate(places)]
    cells = [(col, row) for x, y, w, h in places for col in range(x, x + w) for row in range(y, y + h)]
    good = len(cells) == len(set(cells)) and all(x + w <= 12 for x, _, w, _ in places)
    try:
        check_tiles(tiles)
    except CannotBeUsed:
        assert not good
    else:
        assert good


def test_a_dashboard_is_seen_by_whom_it_is_shared_with_and_changed_by_its_owner(desk: Desk) -> None:
    board = make_board(desk, tile("a"), sharing=Sharing.OWN)
    with desk.tx(Role.RISK_ANALYST) as tx, pytest.raises(DashboardNotFound):
        dashboards.get_dashboard(tx, board.id)
    with desk.tx() as tx:
        board = dashboards.change_dashboard(
            tx, board.id, 1, Draft(name=" Shared ", sharing=Sharing.TENANT, tiles=board.tiles)
        )
    assert (board.name, board.version) == ("Shared", 2)
    with desk.tx(Role.RISK_ANALYST) as tx:
        assert dashboards.get_dashboard(tx, board.id).tiles == board.tiles
        for act in (
            lambda: dashboards.delete_dashboard(tx, board.id),
            lambda: dashboards.change_dashboard(tx, board.id, 2, Draft(name="Mine")),
        ):
            with pytest.raises(NotYours):
                act()
    with desk.tx() as tx:
        with pytest.raises(ChangedMeanwhile):
            dashboards.change_dashboard(tx, board.id, 1, Draft(name="From an old window"))
        dashboards.delete_dashboard(tx, board.id)
        with pytest.raises(DashboardNotFound):
            dashboards.get_dashboard(tx, board.id)


def test_a_team_sees_what_is_shared_with_it(desk: Desk) -> None:
    with desk.firm.tx() as tx:
        team = teams.create_team(tx, name=f"Team {uuid.uuid4().hex[:6]}").id
    draft = Draft(name="Ours", sharing=Sharing.TEAM, team_id=team)
    with desk.tx() as tx, pytest.raises(CannotBeUsed, match="your own teams"):
        dashboards.create_dashboard(tx, draft)
    with desk.tx(teams=(team,)) as tx:
        board = dashboards.create_dashboard(tx, draft)
    with desk.tx(Role.RISK_ANALYST, (team,)) as tx:
        assert dashboards.get_dashboard(tx, board.id).name == "Ours"
    with desk.tx(Role.RISK_ANALYST) as tx, pytest.raises(DashboardNotFound):
        dashboards.get_dashboard(tx, board.id)


def test_an_auditor_reads_and_does_not_write(desk: Desk) -> None:
    board = make_board(desk, tile("a"))
    with desk.tx(Role.AUDITOR) as tx:
        assert dashboards.get_dashboard(tx, board.id).id == board.id
        acts: list[Any] = [
            lambda: dashboards.create_dashboard(tx, Draft(name="Audit")),
            lambda: notes.annotate(tx, board.id, _AT, "seen"),
        ]
        for act in acts:
            with pytest.raises(PermissionMissing):
                act()
    with desk.tx(Role.ADMINISTRATOR) as tx, pytest.raises(PermissionMissing):
        dashboards.list_dashboards(tx)


def test_notes_stand_in_order_and_are_taken_away_by_their_author_or_the_owner(desk: Desk) -> None:
    board = make_board(desk, tile("a"))
    with desk.tx(Role.RISK_ANALYST) as tx:
        first = notes.annotate(tx, board.id, _AT, " Release 7 ")[0]
    with desk.tx() as tx:
        found = notes.annotate(tx, board.id, _AT.replace(hour=15), "Outage")
        assert [one.text for one in found] == ["Outage", "Release 7"]
        with pytest.raises(CannotBeUsed):
            notes.annotate(tx, board.id, _AT, "  ")
    with desk.tx(Role.RISK_ANALYST) as tx, pytest.raises(AnnotationNotFound):
        notes.remove_annotation(tx, board.id, found[0].id)
    with desk.tx() as tx:
        assert [one.text for one in notes.remove_annotation(tx, board.id, first.id)] == ["Outage"]


@pytest.mark.parametrize("texts", [["region"], [":GB"], ["region:"], ["a:1", "a:2"], ["x" * 65 + ":1"]])
def test_filters_that_say_nothing_are_refused(texts: list[str]) -> None:
    with pytest.raises(CannotBeUsed):
        viewing.read_filters(None, texts)


def test_equal_filters_are_equal_in_any_order() -> None:
    assert viewing.read_filters("7d", ["b:2", "a:1:x"]) == viewing.read_filters("7d", ["a:1:x", "b:2"])


def test_b04_a_dashboard_of_another_firm_is_not_there(desk: Desk, make_desk: Any) -> None:
    other = make_desk("foreign")
    board = make_board(other, query_tile(save(other, "select 1 as n")))
    with desk.tx() as tx:
        for act in (
            lambda: dashboards.get_dashboard(tx, board.id),
            lambda: notes.list_annotations(tx, board.id),
            lambda: viewing.open_query(tx, board.id, "q"),
        ):
            with pytest.raises(FinerError, match="no dashboard"):
                act()
