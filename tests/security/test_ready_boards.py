"""A poll whose answer lies ready goes a shorter way through the API, and no other does."""

from __future__ import annotations

import asyncio
import uuid
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from finer.app.boards import Boards, Scope
from finer.app.ready_boards import OPTION, ReadyBoards, view_of
from finer.identity.routes.entrance import Entrance
from finer.identity.routes.watch import AccessWatch
from finer.identity.types.access import Permission, Principal, Role
from finer.kit.settings import Settings

FIRM = uuid.UUID(int=7)
PATH, QUERY = "/api/v1/operations/orders", b"span=7d"


class _Remembering:
    """A look-up of the last second."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    def remembered(self, credential: str) -> tuple[bool, Principal | None]:
        return True, self._principal if credential == "good" else None

    def look_up(self, credential: str, *, touch: bool = True) -> Principal | None:
        raise AssertionError("the short way looks nobody up")

    def forget(self, credential: str) -> None: ...


class _Counting:
    """Counts the rows that were read."""

    def __init__(self) -> None:
        self.rows = 0

    def read(self, principal: Principal, rows: int) -> None:
        self.rows += rows


def _person(**changes: Any) -> Principal:
    person = Principal(
        kind="user", id=uuid.UUID(int=1), tenant_id=FIRM, name="p", role=Role.EXECUTIVE,
        permissions=frozenset({Permission.ORDERS_READ}), credential="p",
    )  # fmt: skip
    return msgspec.structs.replace(person, **changes)


def _asked(**changes: Any) -> Any:
    headers = {"host": "finer.example", "cookie": "finer_session=good"} | changes.pop("headers", {})
    return {
        "type": "http", "method": "GET", "scheme": "http", "path": PATH, "query_string": QUERY,
        "client": ("192.0.2.7", 1),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "route_handler": SimpleNamespace(opt={OPTION: True, "permission": Permission.ORDERS_READ}),
    } | changes  # fmt: skip


async def _way(asked: Any, person: Principal, *, marked: bool = False) -> tuple[str, Any, int]:
    """Which way a request goes when somebody was answered before, what it is sent, and rows that were noted."""
    boards = Boards(lambda _: {"a": msgspec.Raw(b"1")}, tick_s=0)
    scope = Scope(tenant=FIRM, board="orders", span="7d")
    boards.remember(view_of(_asked(), _person()), scope)
    await boards.snapshot(scope)
    if marked:
        boards._shown[scope].dirty = True
    counting, sent = _Counting(), []
    settings = Settings(allowed_hosts="finer.example")
    short = ReadyBoards(boards, Entrance(settings), _Remembering(person), AccessWatch(cast(Any, counting)))

    async def ordinary(*_: Any) -> None:
        sent.append("ordinary")

    async def send(message: Any) -> None:
        sent.append(message)

    await short.handle(asked, cast(Any, None), send, ordinary)
    return ("ordinary" if sent == ["ordinary"] else "ready"), sent, counting.rows


def test_what_lies_ready_is_handed_out_and_counted_as_read() -> None:
    way, sent, rows = asyncio.run(_way(_asked(), _person()))
    assert (way, rows) == ("ready", 1)
    assert (sent[0]["status"], sent[1]["body"]) == (200, b'{"a":1}')


@pytest.mark.parametrize(
    "changes",
    [
        {"query_string": b"span=30d"},
        {"query_string": b""},
        {"path": "/api/v1/operations/finance"},
        {"method": "HEAD"},
        {"route_handler": SimpleNamespace(opt={"permission": Permission.ORDERS_READ})},
        {"route_handler": SimpleNamespace(opt={OPTION: True, "permission": Permission.FINANCE_READ})},
        {"headers": {"cookie": "finer_session=other"}},
        {"headers": {"host": "elsewhere.example"}},
        {"headers": {"authorization": "Bearer other"}},
    ],
)
def test_what_was_not_asked_for_before_goes_the_ordinary_way(changes: dict[str, Any]) -> None:
    assert asyncio.run(_way(_asked(**changes), _person()))[0] == "ordinary"


@pytest.mark.parametrize(
    "changes",
    [
        {"tenant_id": uuid.UUID(int=8)},
        {"permissions": frozenset({Permission.ORDERS_READ, Permission.FINANCE_READ})},
        {"permissions": frozenset({Permission.ALERTS_READ})},
        {"second_factor_missing": True},
        {"networks": ("10.0.0.0/8",)},
    ],
)
def test_who_sees_something_else_goes_the_ordinary_way(changes: dict[str, Any]) -> None:
    assert asyncio.run(_way(_asked(), _person(**changes)))[0] == "ordinary"


def test_what_has_changed_since_goes_the_ordinary_way() -> None:
    assert asyncio.run(_way(_asked(), _person(), marked=True))[0] == "ordinary"
