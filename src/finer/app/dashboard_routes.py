"""HTTP of what dashboards of people show: made once for all who see the same, and refreshed once for all of a role."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import Parameter
from litestar.response import Stream

from finer.app.board_answers import polled, still_there, streamed
from finer.app.board_routes import compute_board, pace_s
from finer.app.boards import Boards, Scope
from finer.app.streams import described
from finer.dashboards.routes.alerts import ROUTES as ALERT_ROUTES
from finer.dashboards.routes.dashboards import ROUTES as KEPT_ROUTES
from finer.dashboards.service import viewing
from finer.dashboards.service.dashboards import PREFIX
from finer.dashboards.types import Sight, TileData
from finer.identity.service import exports
from finer.identity.types.access import Permission, Principal
from finer.kit.actors import SYSTEM
from finer.kit.db import Database
from finer.kit.errors import FinerError, NotFound
from finer.kit.ids import read_id
from finer.kit.settings import Settings
from finer.workspace.service import answers, runs
from finer.workspace.service import saved as saved_queries
from finer.workspace.types import NewRun

OWN = "own"
"""The board of a scope that shows a dashboard of somebody."""
_KEPT_MAX = 200
_Span = Literal["1h", "6h", "24h", "7d", "30d", "90d"] | None
_Filters = Annotated[list[str] | None, Parameter(query="filter", max_items=6)]


class Refreshing(msgspec.Struct, frozen=True):
    """Whether a refresh is under way now; its result shows by itself."""

    refreshing: bool


class _Computing:
    """What dashboards show: the house's own, and those of people with the results that this process has at hand."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._most = exports.rows_alone(settings, runs.EXPORT)
        self._kept: dict[Any, Any] = {}

    def compute(self, scope: Scope) -> Mapping[str, msgspec.Raw]:
        """The parts of a scope now, each encoded; none when the dashboard is gone, which ends its streams too."""
        if scope.board != OWN:
            return compute_board(self._database, scope)
        sight = msgspec.json.decode(scope.view, type=Sight)
        while len(self._kept) > _KEPT_MAX:
            self._kept.pop(next(iter(self._kept)), None)
        try:
            with self._database.transaction(scope.tenant, SYSTEM, read_only=True) as tx:
                found = viewing.look(tx, sight, self._most, self._kept)
        except NotFound:
            return {}
        return {tile: msgspec.Raw(msgspec.json.encode(data)) for tile, data in found.items()}


def all_boards(database: Database, settings: Settings) -> Boards:
    """Every dashboard of one API process."""
    return Boards(_Computing(database, settings).compute, pace_s=pace_s)


class DashboardDataController(Controller):
    """What the tiles of a dashboard show. Ask with If-None-Match, or stream."""

    path = "/api/v1/dashboards"
    tags = ["Dashboards"]

    @get(
        "/{dashboard_id:str}/data",
        opt={"permission": Permission.DASHBOARDS_READ},
        summary="What a dashboard shows",
    )
    async def data(
        self,
        request: Request[Principal, Any, Any],
        services: Any,
        dashboard_id: str,
        span: _Span = None,
        filters: _Filters = None,
    ) -> Response[dict[str, TileData]]:
        """Every tile by its id. `filter` is `column:value`; `span` takes the place of each tile's own.

        A tile of a query shows the newest result that anybody in the caller's role was given. A tile whose data the
        caller may not see says so and shows nothing.
        """
        return await polled(services, request, await _scope(services, request.user, dashboard_id, span, filters))

    @get(
        "/{dashboard_id:str}/stream",
        opt={
            "permission": Permission.DASHBOARDS_READ,
            "unattended": True,
            "describe": described({"board": "TileData", "change": "TileData"}, resumes=True),
        },
        summary="What a dashboard shows, live",
    )
    async def stream(
        self,
        request: Request[Principal, Any, Any],
        services: Any,
        dashboard_id: str,
        span: _Span = None,
        filters: _Filters = None,
    ) -> Stream:
        """Events `board` (every tile by its id) and `change` (those that changed). Resumes from Last-Event-ID.

        It ends within a second when the caller may not see the same any more, or the dashboard is shared otherwise.
        """
        scope = await _scope(services, request.user, dashboard_id, span, filters)

        async def alive() -> bool:
            principal = await still_there(services, request)
            if principal is None:
                return False
            try:
                return await _scope(services, principal, dashboard_id, span, filters) == scope
            except FinerError:
                return False

        return streamed(services, request, scope, alive)

    @post(
        "/{dashboard_id:str}/tiles/{tile:str}/refresh",
        opt={
            "permission": Permission.DASHBOARDS_READ,
            "recorded": "sql:run",
            "repeat": "A refresh within seconds of another one is that one.",
        },
        status_code=202,
        summary="Refresh a tile",
    )
    async def refresh(
        self, request: Request[Principal, Any, Any], services: Any, dashboard_id: str, tile: str
    ) -> Refreshing:
        """Ask the query of a tile again, for everybody in the caller's role. Metrics are always of now."""
        wanted = await asyncio.to_thread(_asked, services.database, request.user, dashboard_id, tile)
        if wanted is not None:
            await services.queries.ask(request.user, wanted, 0.0)
        return Refreshing(wanted is not None)


async def _scope(
    services: Any, who: Principal, dashboard_id: str, span: str | None, filters: list[str] | None
) -> Scope:
    """Who sees what: decided anew for each request, as the caller."""
    chosen = viewing.read_filters(span, filters or [])
    identifier = read_id(PREFIX, dashboard_id)

    def sight() -> Sight:
        with services.database.transaction(who.tenant_id, who.actor(), read_only=True) as tx:
            return viewing.sight_of(tx, identifier, chosen)

    view = msgspec.json.encode(await asyncio.to_thread(sight)).decode()
    return Scope(tenant=who.tenant_id, board=OWN, span=span or "", view=view)


def _asked(database: Database, who: Principal, dashboard_id: str, tile: str) -> NewRun | None:
    """The question of a tile, to be asked anew; None when that was just done, or there is nothing to ask."""
    with database.transaction(who.tenant_id, who.actor(), read_only=True) as tx:
        _, one, answer = viewing.open_query(tx, read_id(PREFIX, dashboard_id), tile)
        if one.query is None or answer is None or answers.asked_just_now(tx, answer):
            return None
        return answers.asking(read_id(saved_queries.PREFIX, one.query.saved), one.query.parameters)


ROUTES: list[Any] = [*KEPT_ROUTES, *ALERT_ROUTES, DashboardDataController]
