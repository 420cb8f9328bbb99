"""What somebody sees of a dashboard: which tiles are open to them, and what those show.

A tile of a saved query shows the newest result that anybody in the viewer's role was given; looking never asks the
lake. A tile of a metric shows sums that are kept anyway. So what a dashboard costs does not grow with its viewers.
"""

from __future__ import annotations

import uuid
from collections.abc import MutableMapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from finer.dashboards.errors import NoResult, TileRefused
from finer.dashboards.rules import filters as narrowing
from finer.dashboards.service.dashboards import get_dashboard, get_tile
from finer.dashboards.types import (
    TILE_ROWS,
    Dashboard,
    Filters,
    MetricPart,
    QueryPart,
    Sight,
    Tile,
    TileData,
    TileKind,
    TileState,
)
from finer.identity.service.authorisation import allowed
from finer.identity.types.access import Permission, Role
from finer.kit.errors import FinerError
from finer.kit.ids import read_id
from finer.kit.tx import Tx
from finer.operations.service import metrics
from finer.operations.service.rollups import behind_since
from finer.operations.service.tiles import Ground, each
from finer.workspace.service import answers, runs, saved
from finer.workspace.service.answers import Answer
from finer.workspace.types import ResultColumn, ResultPage, Run, RunState

Kept = MutableMapping[tuple[uuid.UUID, int], ResultPage]
"""Results that a process has at hand, by run and the most rows of a page: a result never changes."""
_NOT_SHARED = "It shows a saved query that is not shared with you. Ask the dashboard's owner to share the query too."
_NOT_YOURS = "It shows what your role may not see."
_NO_RESULT = "Nobody in your role has run this query yet, or its result is not kept any more. Refresh it."
_BROKEN = "It could not be computed. It is tried again by itself."


def read_filters(span: str | None, texts: Sequence[str]) -> Filters:
    """`name:value` texts, and a span in place of each tile's own, as filters. Raises CannotBeUsed."""
    return narrowing.read_filters(span, texts)


def sight_of(tx: Tx, identifier: uuid.UUID, filters: Filters) -> Sight:
    """What the caller sees of a dashboard now. Raises DashboardNotFound."""
    found = get_dashboard(tx, identifier)
    refused = refusals(tx, found.tiles)
    opened = tuple(sorted(tile.id for tile in found.tiles if tile.id not in refused))
    return Sight(dashboard=identifier, version=found.version, role=tx.actor.role, open=opened, filters=filters)


def refusals(tx: Tx, tiles: Sequence[Tile]) -> dict[str, str]:
    """The tiles whose data the caller may not see, each with the reason."""
    found = {}
    queries = {tile.id: _saved_id(tile.query) for tile in tiles if tile.query is not None}
    for tile in tiles:
        if tile.metric is not None and not _may(tx, metrics.get_metric(tile.metric.name).needs):
            found[tile.id] = _NOT_YOURS
    if queries and not _may(tx, Permission.SQL_RUN):
        return found | dict.fromkeys(queries, _NOT_YOURS)
    seen = saved.visible(tx, queries.values()) if queries else frozenset()
    return found | {tile: _NOT_SHARED for tile, query in queries.items() if query not in seen}


def _may(tx: Tx, permission: Permission) -> bool:
    return tx.actor.kind == "system" or allowed(Role(tx.actor.role), permission) is not None


def look(tx: Tx, sight: Sight, most: int | None, kept: Kept | None = None) -> dict[str, TileData]:
    """Every tile by its id, as this sight has it; a tile that fails leaves the others as they are.

    `most` is how many rows of a query one person may have without a second (`exports.rows_alone`). Call it as whoever
    looks, or as Finer for a sight that was made for them a moment ago. Raises DashboardNotFound.
    """
    found = get_dashboard(tx, sight.dashboard)
    if found.version != sight.version:
        return {tile: TileData(state=TileState.CHANGED) for tile in sight.open} or {
            "dashboard": TileData(state=TileState.CHANGED)
        }
    at = _Looking(tx, sight, most, {} if kept is None else kept)
    tiles = {tile.id: tile for tile in found.tiles}
    shown, failed = each(tx, {one: partial(at.data, tile) for one, tile in tiles.items() if one in sight.open})
    shown |= {one: TileData(state=TileState.FAILED, problem=_BROKEN) for one in failed}
    runs_sql = allowed(Role(sight.role), Permission.SQL_RUN) is not None
    refused = {
        one: _NOT_SHARED if tile.query is not None and runs_sql else _NOT_YOURS
        for one, tile in tiles.items()
        if one not in sight.open
    }
    return shown | {one: TileData(state=TileState.REFUSED, problem=why) for one, why in refused.items()}


def open_query(tx: Tx, identifier: uuid.UUID, tile: str) -> tuple[Dashboard, Tile, Answer | None]:
    """A tile whose data the caller may see, with the newest answer when it is one of a query.

    Raises DashboardNotFound, TileNotFound, TileRefused.
    """
    found = get_dashboard(tx, identifier)
    one = get_tile(found, tile)
    why = refusals(tx, [one]).get(tile)
    if why is not None:
        raise TileRefused(f"The tile {one.title!r} is not for you. {why}")
    return found, one, None if one.query is None else _answer(tx, one.query, tx.actor.role)


def _answer(tx: Tx, query: QueryPart, role: str) -> Answer:
    return answers.newest(tx, _saved_id(query), query.parameters, role)


def _saved_id(query: QueryPart) -> uuid.UUID:
    return read_id(saved.PREFIX, query.saved)


class _Looking:
    """One look at a dashboard; what several tiles are read from is made once."""

    def __init__(self, tx: Tx, sight: Sight, most: int | None, kept: Kept) -> None:
        self._tx, self._sight, self._most, self._kept = tx, sight, most, kept
        self._grounds: dict[str, Ground] = {}

    @cached_property
    def _behind(self) -> datetime | None:
        return behind_since(self._tx)

    def data(self, tile: Tile) -> TileData:
        """What one tile shows. What is wrong with the tile itself is said in it."""
        try:
            if tile.metric is not None:
                return self._metric(tile, tile.metric)
            assert tile.query is not None  # noqa: S101 - a tile has one of the two
            return self._query(tile.query)
        except FinerError as error:
            return TileData(state=TileState.FAILED, problem=error.detail)

    def _metric(self, tile: Tile, part: MetricPart) -> TileData:
        filters = self._sight.filters
        at = self._ground(filters.span or part.span)
        found = metrics.read_metric(at, part.name)
        known = ("region", "channel") if part.by != "product" else ()
        name = "at" if not part.by else part.by
        if part.by and tile.kind is not TileKind.NUMBER:
            shares = metrics.read_shares(at, part.name, part.by)
            rows: list[list[Any]] = [[one.label, one.weight] for one in shares]
        else:
            rows, name = [[at.isoformat(), value] for at, value in found.series], "at"
        return TileData(
            state=TileState.SHOWN, as_of=found.as_of, value=found.total, change=found.change, rows=rows,
            total=len(rows), currency=found.currency, exponent=found.exponent,
            columns=[ResultColumn(name, "timestamp" if name == "at" else "text"), ResultColumn("value", "number")],
            unfiltered=[one for one, _ in filters.values if one not in known], behind_since=self._behind,
        )  # fmt: skip

    def _query(self, part: QueryPart) -> TileData:
        answer = _answer(self._tx, part, self._sight.role)
        problem = _failure(answer)
        if answer.good is None:
            state = TileState.FAILED if problem else TileState.WAITING
            return TileData(state=state, problem=problem or _NO_RESULT, refreshing=answer.under_way)
        page = self._page(answer.good)
        rows, unfiltered = narrowing.narrowed(page.columns, page.rows, self._sight.filters)
        return TileData(
            state=TileState.SHOWN, as_of=answer.good.finished_at, problem=problem, refreshing=answer.under_way,
            columns=list(page.columns), rows=rows[:TILE_ROWS], unfiltered=unfiltered,
            total=page.total if len(rows) == len(page.rows) else len(rows),
        )  # fmt: skip

    def _page(self, run: Run) -> ResultPage:
        key = (run.id, self._most or 0)
        if key not in self._kept:
            self._kept[key] = runs.page_of(self._tx, run, 0, runs.PAGE_MAX, self._most)
        return self._kept[key]

    def _ground(self, span: str) -> Ground:
        if span not in self._grounds:
            filters = self._sight.filters
            self._grounds[span] = metrics.ground_of(self._tx, span, filters.of("region"), filters.of("channel"))
        return self._grounds[span]


def _failure(answer: Answer) -> str:
    """Why the newest run gave no result, if it did not."""
    last = answer.last
    if last is None or not last.over or last.state is RunState.DONE:
        return ""
    return f"The last refresh did not work: {last.error or 'it was cancelled.'}"[:500]


def rows_behind(tx: Tx, identifier: uuid.UUID, tile: str, offset: int, limit: int, most: int | None) -> ResultPage:
    """Rows of the result behind a tile of a query, for whoever wants to see them all.

    Raises DashboardNotFound, TileNotFound, TileRefused, NoResult, NotShown, ResultGone.
    """
    run = result_of(open_query(tx, identifier, tile)[2])
    return runs.page_of(tx, run, offset, limit, most)


def result_of(answer: Answer | None) -> Run:
    """The newest result. Raises NoResult when there is none."""
    if answer is None or answer.good is None:
        raise NoResult(_NO_RESULT)
    return answer.good
