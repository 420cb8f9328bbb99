"""HTTP of live dashboards: the same bytes for everybody who may see the same, polled or streamed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Request, Response, get
from litestar.params import Parameter
from litestar.response import Stream

from finer.app.board_answers import polled, still_there, streamed
from finer.app.boards import Scope
from finer.app.ready_boards import OPTION, view_of
from finer.app.streams import described
from finer.identity.types.access import Permission, Principal
from finer.kit.actors import SYSTEM
from finer.kit.db import Database
from finer.kit.tx import Tx
from finer.operations.routes.documents import (
    BehaviourBoard,
    ExecutiveBoard,
    FinanceBoard,
    OrderBoard,
    SystemBoard,
    show_behaviour,
    show_executive,
    show_finance,
    show_orders,
    show_system,
)
from finer.operations.routes.targets import TargetsController
from finer.operations.service import behaviour, executive, finance, orders, system
from finer.operations.types.sums import Filter
from finer.operations.types.system import TableFreshness
from finer.quality.service import incidents
from finer.quality.types import IncidentFilter
from finer.warehouse.service import lake as warehouse

_Span = Literal["1h", "6h", "24h", "7d", "30d", "90d"]
_FromADay = Literal["24h", "7d", "30d", "90d"]
_Period = Literal["7d", "30d", "90d"]
_Choice = Annotated[str | None, Parameter(max_length=64)]
_INCIDENTS_MAX = 200


@dataclass(frozen=True)
class _Board:
    """A dashboard of the house: how it is made, what decides on its tiles, and how often it is made at most."""

    show: Callable[[Tx, Scope], msgspec.Struct]
    decides: frozenset[Permission] = frozenset()
    pace_s: float = 0.0


def _show_finance(tx: Tx, scope: Scope) -> FinanceBoard:
    return show_finance(*finance.finance(tx, scope.span, _chosen(scope)))


def _show_orders(tx: Tx, scope: Scope) -> OrderBoard:
    found = orders.orders(tx, scope.span, _chosen(scope))
    return show_orders(*found, amounts=Permission.FINANCE_READ in scope.sees)


def _show_behaviour(tx: Tx, scope: Scope) -> BehaviourBoard:
    return show_behaviour(*behaviour.behaviour(tx, scope.span, _chosen(scope)))


def _show_executive(tx: Tx, scope: Scope) -> ExecutiveBoard:
    return show_executive(*executive.executive(tx, scope.span, scope.sees, _open_incidents))


def _open_incidents(tx: Tx) -> int:
    return len(incidents.list_incidents(tx, IncidentFilter(open=True), limit=_INCIDENTS_MAX)[0])


def _show_system(tx: Tx, scope: Scope) -> SystemBoard:
    return show_system(*system.system(tx, scope.span, scope.sees, _tables))


def _tables(tx: Tx) -> list[TableFreshness]:
    return [
        TableFreshness(table=one.table, rows=one.rows, newest=one.newest, age_s=one.seconds, delay_s=one.delay_s)
        for one in warehouse.freshness(tx)
    ]


_BOARDS = {
    "finance": _Board(_show_finance),
    "orders": _Board(_show_orders, frozenset({Permission.FINANCE_READ})),
    "executive": _Board(_show_executive, frozenset(executive.NEEDS.values()), pace_s=10.0),
    "behaviour": _Board(_show_behaviour),
    "system": _Board(_show_system, frozenset(system.NEEDS.values()), pace_s=2.0),
}


def compute_board(database: Database, scope: Scope) -> Mapping[str, msgspec.Raw]:
    """The parts of a dashboard now, each encoded; in one transaction, so that its tiles are of one moment."""
    with database.transaction(scope.tenant, SYSTEM, read_only=True) as tx:
        found = _BOARDS[scope.board].show(tx, scope)
    return {name: msgspec.Raw(msgspec.json.encode(getattr(found, name))) for name in found.__struct_fields__}


def pace_s(scope: Scope) -> float:
    """How old the snapshot of a scope gets at the least, in seconds: what moves slowly is not made at every tick."""
    return _BOARDS[scope.board].pace_s if scope.board in _BOARDS else 0.0


def _live(board: str) -> dict[str, Any]:
    """What is said of the route of a dashboard's stream."""
    return {"unattended": True, "describe": described({"board": board, "change": None}, resumes=True)}


class BoardController(Controller):
    """Dashboards of live operations. Ask with If-None-Match, or stream."""

    path = "/api/v1/operations"
    tags = ["Operations"]

    @get("/finance", opt={"permission": Permission.FINANCE_READ, OPTION: True}, summary="Financial performance")
    async def finance(
        self,
        request: Request[Principal, Any, Any],
        services: Any,
        span: _Span = "24h",
        region: _Choice = None,
        channel: _Choice = None,
    ) -> Response[FinanceBoard]:
        """Revenue, payments, refunds and cash of a span by currency, against the period before."""
        return await _polled(services, request, _scope(request.user, "finance", span, region, channel))

    @get(
        "/finance/stream",
        opt={"permission": Permission.FINANCE_READ, **_live("FinanceBoard")},
        summary="Live financial performance",
    )
    async def finance_stream(
        self,
        request: Request[Principal, Any, Any],
        services: Any,
        span: _Span = "24h",
        region: _Choice = None,
        channel: _Choice = None,
    ) -> Stream:
        """Events `board` (the whole) and `change` (the members that changed). Resumes from Last-Event-ID."""
        return _streamed(services, request, _scope(request.user, "finance", span, region, channel))

    @get("/orders", opt={"permission": Permission.ORDERS_READ, OPTION: True}, summary="Order status")
    async def orders(
        self,
        request: Request[Principal, Any, Any],
        services: Any,
        span: _Span = "24h",
        region: _Choice = None,
        channel: _Choice = None,
    ) -> Response[OrderBoard]:
        """How far orders of a span came, where from, and which wait for too long. Amounts need `finance:read`."""
        return await _polled(services, request, _scope(request.user, "orders", span, region, channel))

    @get(
        "/orders/stream",
        opt={"permission": Permission.ORDERS_READ, **_live("OrderBoard")},
        summary="Live order status",
    )
    async def order_stream(
        self,
        request: Request[Principal, Any, Any],
        services: Any,
        span: _Span = "24h",
        region: _Choice = None,
        channel: _Choice = None,
    ) -> Stream:
        """Events `board` (the whole) and `change` (the members that changed). Resumes from Last-Event-ID."""
        return _streamed(services, request, _scope(request.user, "orders", span, region, channel))

    @get("/executive", opt={"permission": Permission.ALERTS_SUMMARISE, OPTION: True}, summary="Figures and goals")
    async def executive(
        self, request: Request[Principal, Any, Any], services: Any, span: _Period = "30d"
    ) -> Response[ExecutiveBoard]:
        """What the firm is held to: each figure of a period with its goal, its days and the period before.

        A figure that the caller's role does not see is null and was not pulled.
        """
        return await _polled(services, request, _scope(request.user, "executive", span))

    @get(
        "/executive/stream",
        opt={"permission": Permission.ALERTS_SUMMARISE, **_live("ExecutiveBoard")},
        summary="Live figures and goals",
    )
    async def executive_stream(
        self, request: Request[Principal, Any, Any], services: Any, span: _Period = "30d"
    ) -> Stream:
        """Events `board` (the whole) and `change` (the members that changed). Resumes from Last-Event-ID."""
        return _streamed(services, request, _scope(request.user, "executive", span))

    @get("/system", opt={"permission": Permission.PIPELINE_READ, OPTION: True}, summary="System performance")
    async def system(
        self, request: Request[Principal, Any, Any], services: Any, span: _Span = "24h"
    ) -> Response[SystemBoard]:
        """How the firm's part of the system does: throughput, time to each stage, what waits, what fails.

        Nothing in it is of other firms. A part that the caller's role does not see is null and was not pulled.
        """
        return await _polled(services, request, _scope(request.user, "system", span))

    @get(
        "/system/stream",
        opt={"permission": Permission.PIPELINE_READ, **_live("SystemBoard")},
        summary="Live system performance",
    )
    async def system_stream(self, request: Request[Principal, Any, Any], services: Any, span: _Span = "24h") -> Stream:
        """Events `board` (the whole) and `change` (the members that changed). Resumes from Last-Event-ID."""
        return _streamed(services, request, _scope(request.user, "system", span))

    @get("/behaviour", opt={"permission": Permission.BEHAVIOUR_READ, OPTION: True}, summary="Customer behaviour")
    async def behaviour(
        self,
        request: Request[Principal, Any, Any],
        services: Any,
        span: _FromADay = "7d",
        region: _Choice = None,
        channel: _Choice = None,
    ) -> Response[BehaviourBoard]:
        """Sessions and how far they come, actions, products, by channel, region and hour, against the period before."""
        return await _polled(services, request, _scope(request.user, "behaviour", span, region, channel))

    @get(
        "/behaviour/stream",
        opt={"permission": Permission.BEHAVIOUR_READ, **_live("BehaviourBoard")},
        summary="Live customer behaviour",
    )
    async def behaviour_stream(
        self,
        request: Request[Principal, Any, Any],
        services: Any,
        span: _FromADay = "7d",
        region: _Choice = None,
        channel: _Choice = None,
    ) -> Stream:
        """Events `board` (the whole) and `change` (the members that changed). Resumes from Last-Event-ID."""
        return _streamed(services, request, _scope(request.user, "behaviour", span, region, channel))


def _chosen(scope: Scope) -> Filter:
    return Filter(region=scope.region, channel=scope.channel)


def _scope(who: Principal, board: str, span: str, region: str | None = None, channel: str | None = None) -> Scope:
    sees = tuple(sorted(one.value for one in _BOARDS[board].decides if who.may(one)))
    return Scope(
        tenant=who.tenant_id, board=board, sees=sees, span=span, region=region or None, channel=channel or None
    )


async def _polled(services: Any, request: Request[Principal, Any, Any], scope: Scope) -> Response[Any]:
    answer = await polled(services, request, scope)
    services.boards.remember(view_of(request.scope, request.user), scope)
    return answer


def _streamed(services: Any, request: Request[Principal, Any, Any], scope: Scope) -> Stream:
    return streamed(services, request, scope, _alive(services, request, scope))


def _alive(services: Any, request: Request[Principal, Any, Any], scope: Scope) -> Callable[[], Awaitable[bool]]:
    """Whether the viewer may still see the same."""

    async def alive() -> bool:
        found = await still_there(services, request)
        return found is not None and _scope(found, scope.board, scope.span, scope.region, scope.channel) == scope

    return alive


ROUTES: list[Any] = [BoardController, TargetsController]
