"""HTTP of live dashboards: the same bytes for everybody who may see the same, polled or streamed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Request, Response, get
from litestar.params import Parameter
from litestar.response import Stream

from finer.app.board_answers import polled as _polled
from finer.app.board_answers import still_there, streamed
from finer.app.boards import Scope
from finer.app.streams import described
from finer.identity.types.access import Permission, Principal
from finer.kit.actors import SYSTEM
from finer.kit.db import Database
from finer.operations.routes.documents import FinanceBoard, OrderBoard, show_finance, show_orders
from finer.operations.service import finance, orders
from finer.operations.types import Filter

_Span = Literal["1h", "6h", "24h", "7d", "30d", "90d"]
_Choice = Annotated[str | None, Parameter(max_length=64)]
_FINANCE, _ORDERS = "finance", "orders"


def compute_board(database: Database, scope: Scope) -> Mapping[str, msgspec.Raw]:
    """The parts of a dashboard now, each encoded; in one transaction, so that its tiles are of one moment."""
    found: FinanceBoard | OrderBoard
    with database.transaction(scope.tenant, SYSTEM, read_only=True) as tx:
        chosen = Filter(region=scope.region, channel=scope.channel)
        if scope.board == _FINANCE:
            found = show_finance(*finance.finance(tx, scope.span, chosen))
        else:
            found = show_orders(*orders.orders(tx, scope.span, chosen), amounts=scope.money)
    return {name: msgspec.Raw(msgspec.json.encode(getattr(found, name))) for name in found.__struct_fields__}


class BoardController(Controller):
    """Dashboards of live operations. Ask with If-None-Match, or stream."""

    path = "/api/v1/operations"
    tags = ["Operations"]

    @get("/finance", opt={"permission": Permission.FINANCE_READ}, summary="Financial performance")
    async def finance(
        self,
        request: Request[Principal, Any, Any],
        services: Any,
        span: _Span = "24h",
        region: _Choice = None,
        channel: _Choice = None,
    ) -> Response[FinanceBoard]:
        """Revenue, payments, refunds and cash of a span by currency, against the period before."""
        return await _polled(services, request, _finance_scope(request.user, span, region, channel))

    @get(
        "/finance/stream",
        opt={
            "permission": Permission.FINANCE_READ,
            "unattended": True,
            "describe": described({"board": "FinanceBoard", "change": None}, resumes=True),
        },
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
        return _streamed(services, request, _finance_scope(request.user, span, region, channel))

    @get("/orders", opt={"permission": Permission.ORDERS_READ}, summary="Order status")
    async def orders(
        self,
        request: Request[Principal, Any, Any],
        services: Any,
        span: _Span = "24h",
        region: _Choice = None,
        channel: _Choice = None,
    ) -> Response[OrderBoard]:
        """How far orders of a span came, where from, and which wait for too long. Amounts need `finance:read`."""
        return await _polled(services, request, _order_scope(request.user, span, region, channel))

    @get(
        "/orders/stream",
        opt={
            "permission": Permission.ORDERS_READ,
            "unattended": True,
            "describe": described({"board": "OrderBoard", "change": None}, resumes=True),
        },
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
        return _streamed(services, request, _order_scope(request.user, span, region, channel))


def _finance_scope(who: Principal, span: str, region: str | None, channel: str | None) -> Scope:
    return Scope(
        tenant=who.tenant_id, board=_FINANCE, money=True, span=span, region=region or None, channel=channel or None
    )


def _order_scope(who: Principal, span: str, region: str | None, channel: str | None) -> Scope:
    return Scope(
        tenant=who.tenant_id, board=_ORDERS, money=who.may(Permission.FINANCE_READ), span=span,
        region=region or None, channel=channel or None,
    )  # fmt: skip


def _streamed(services: Any, request: Request[Principal, Any, Any], scope: Scope) -> Stream:
    return streamed(services, request, scope, _alive(services, request, scope))


def _alive(services: Any, request: Request[Principal, Any, Any], scope: Scope) -> Callable[[], Awaitable[bool]]:
    """Whether the viewer may still see the same."""

    async def alive() -> bool:
        principal = await still_there(services, request)
        return principal is not None and (
            scope.board == _FINANCE or principal.may(Permission.FINANCE_READ) == scope.money
        )

    return alive
