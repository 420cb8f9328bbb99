"""Machines' requests go a shorter way through the API; what they are answered must not depend on it."""

from __future__ import annotations

import asyncio
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from litestar import Litestar

from finer.app.api import route_handlers
from finer.app.fast_path import OPTION, Endpoint, FastPath
from finer.app.ready_boards import OPTION as READY
from finer.decisions.service import alerts as decisions
from finer.decisions.types.alerts import Decision, Verdict
from finer.identity.routes.edge import PUBLIC
from finer.identity.routes.entrance import Entrance
from finer.identity.service import api_keys
from finer.identity.types.access import Permission, Principal, Role
from finer.kit.actors import SYSTEM
from finer.kit.errors import Unprocessable
from finer.kit.ids import new_id
from finer.kit.settings import Settings
from tests.security.world import World
from tests.support.asgi import Answer, Driver

EVENTS, DECISIONS = "/api/v1/events/transaction", "/api/v1/decisions"
_GOOD = {
    "event_id": "e", "type": "purchase", "occurred_at": "2026-11-20T10:00:00Z", "customer_id": "c1",
    "account_id": "a1", "amount": 12.5, "currency": "USD",
}  # fmt: skip
# What is announced as large goes the ordinary way.
_ORDINARY = {"content-length": "1100000"}
_CHANGING = re.compile(r"(req|rct)_[0-9a-f]{32}|\d{4}-\d\d-\d\dT[0-9:.]+Z")


def _plain(answer: Answer) -> tuple[int, list[tuple[str, str]], str]:
    """An answer without what is new in each, and without whether the connection stays, which a length decides."""
    body = _CHANGING.sub("-", answer.text)
    headers = sorted((name, _CHANGING.sub("-", value)) for name, value in answer.headers if name != "connection")
    return answer.status, headers, body


def _both_ways(driver: Driver, target: str, headers: dict[str, str], body: Any) -> Answer:
    """Ask both ways, and once more before so that the credential is remembered; the answers must be the same."""
    driver.call("POST", target, headers | _ORDINARY, body)
    ordinary = driver.call("POST", target, headers | _ORDINARY, body)
    fast = driver.call("POST", target, headers, body)
    assert _plain(fast) == _plain(ordinary)
    assert fast.header("x-request-id").startswith("req_")
    assert fast.header("connection") == ""
    return fast


@pytest.fixture
def key(ours: World) -> dict[str, str]:
    return {"authorization": f"Bearer {ours.key()}"}


@pytest.mark.parametrize(
    ("target", "headers", "body", "status"),
    [
        (EVENTS, {}, _GOOD, 202),
        (EVENTS, {"content-type": "application/x-ndjson"}, b"\n".join([b'{"a": 1}', b"not json", b"7"]), 202),
        (EVENTS, {"content-type": "application/x-ndjson; charset=utf-8"}, b"", 400),
        (EVENTS, {"content-type": "text/html"}, b"x", 415),
        (EVENTS, {"content-type": "text/csv", "content-encoding": "gzip"}, b"no gzip", 400),
        (EVENTS, {"idempotency-key": "k" * 256}, _GOOD, 400),
        (EVENTS, {"idempotency-key": "the same body"}, _GOOD, 202),
        ("/api/v1/events/nothing", {}, _GOOD, 404),
        (DECISIONS, {}, b"[1]", 400),
        (DECISIONS, {}, b"{", 400),
        (DECISIONS, {}, b"[" * 5000, 400),
        (DECISIONS, {}, {**_GOOD, "amount": "much", "currency": "XXX"}, 422),
        (DECISIONS, {}, {**_GOOD, "event_id": "x" * 70_000}, 400),
    ],
)
def test_every_answer_is_the_same_either_way(
    driver: Driver, key: dict[str, str], target: str, headers: dict[str, str], body: Any, status: int
) -> None:
    assert _both_ways(driver, target, key | headers, body).status == status


def test_what_was_refused_is_shown_the_same_either_way(driver: Driver, key: dict[str, str]) -> None:
    answer = _both_ways(driver, EVENTS, key, {**_GOOD, "card_last4": "4929123412341234", "customer_id": ["c"]})
    assert answer.json()["quarantined"] == 1
    assert {one["field"] for one in answer.json()["problems"]} == {"card_last4", "customer_id"}


@contextmanager
def _announcing(world: World, event_id: str) -> Iterator[None]:
    """Tell over and over that an event is known, as the worker does when it meets it again."""
    stop = threading.Event()

    def tell() -> None:
        while not stop.wait(0.02):
            with world.worker.transaction(world.firm.tenant.id, SYSTEM) as tx:
                decisions.announce_known(tx, [event_id])

    thread = threading.Thread(target=tell)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_decision_is_shown_the_same_either_way(driver: Driver, ours: World, key: dict[str, str]) -> None:
    event_id = uuid.uuid4().hex
    body = {**_GOOD, "event_id": event_id}
    verdict = Verdict(
        action="approve", rules=[], reasons=["No rule fired."], features={"a": 1.0, "b": None}, score=0.25,
        rule_pack="1", feature_set="1", model="abc",
    )  # fmt: skip
    decided = Decision(
        id=new_id(), event_id=event_id, body_hash=decisions.content_hash(msgspec.json.encode(body, order="sorted")),
        verdict=verdict, decided_at=datetime(2026, 11, 20, tzinfo=UTC), alert_id=None,
    )  # fmt: skip
    with ours.worker.transaction(ours.firm.tenant.id, SYSTEM) as tx:
        decisions.record_verdicts(tx, [], [decided])
    with _announcing(ours, event_id):
        answer = _both_ways(driver, DECISIONS, key, body)
        assert (answer.status, answer.json()["event_id"], answer.json()["action"]) == (200, event_id, "approve")
        assert _both_ways(driver, DECISIONS, key, {**body, "amount": 13}).status == 409


def test_a_credential_that_may_not_is_refused_and_noted_however_often_it_comes(driver: Driver, ours: World) -> None:
    reader = {"authorization": f"Bearer {ours.key(Permission.RECEIPTS_READ)}"}
    for target in (EVENTS, DECISIONS):
        assert _both_ways(driver, target, reader, _GOOD).status == 403
    assert driver.call("POST", EVENTS, {"authorization": "Bearer fnr_nobody"}, _GOOD).status == 401
    assert driver.call("POST", EVENTS, {}, _GOOD).status == 401


def test_a_revoked_key_is_no_longer_believed_after_a_second(driver: Driver, ours: World) -> None:
    headers = {"authorization": f"Bearer {ours.key()}"}
    assert driver.call("POST", EVENTS, headers, _GOOD).status == 202
    with ours.firm.tx() as tx:
        api_keys.revoke_api_key(tx, prefix=headers["authorization"].split("_")[1])
    deadline = threading.Event()
    for _ in range(60):
        if driver.call("POST", EVENTS, headers, _GOOD).status == 401:
            return
        deadline.wait(0.05)
    pytest.fail("a revoked key still works after three seconds")


BOARD = "/api/v1/operations/orders?span=7d"


def _polls(driver: Driver, headers: dict[str, str]) -> list[Answer]:
    """The same poll the ordinary way, as nobody's answer lies ready, and then the short way."""
    return [driver.call("GET", BOARD, headers), driver.call("GET", BOARD, headers)]


@pytest.mark.parametrize("more", [{}, {"accept-encoding": "gzip, br"}, {"if-none-match": '"another"'}])
def test_a_poll_is_answered_the_same_either_way(driver: Driver, ours: World, more: dict[str, str]) -> None:
    headers = ours.headers(Role.EXECUTIVE) | more
    ordinary, ready = _polls(driver, headers)
    assert ordinary.status == 200
    assert _plain(ready) == _plain(ordinary)
    assert ready.header("x-request-id").startswith("req_")
    known = [driver.call("GET", BOARD, headers | {"if-none-match": ready.header("etag")}) for _ in range(2)]
    assert [(one.status, one.body, one.header("etag")) for one in known] == [(304, b"", ready.header("etag"))] * 2


def test_what_lies_ready_for_one_role_is_not_given_to_another(driver: Driver, ours: World) -> None:
    executive, marketing = ours.headers(Role.EXECUTIVE), ours.headers(Role.MARKETING_MANAGER)
    seen = [_polls(driver, executive)[1].json(), _polls(driver, marketing)[1].json()]
    assert seen[0] != seen[1]
    assert driver.call("GET", BOARD, marketing).json() == seen[1]
    for headers in (ours.headers(Role.CREDIT_OFFICER), {}, {"authorization": "Bearer fnr_nobody"}):
        assert driver.call("GET", BOARD, headers).status == driver.call("GET", BOARD, headers).status >= 401


def test_the_fast_path_knows_every_middleware_that_it_passes_by(app: Litestar) -> None:
    # Whoever adds one decides what it means for the routes of the fast path, does it there, and adds its name here.
    names = [type(one).__name__ for one in app.middleware]
    assert names == ["FastPath", "ReadyBoards", "Entrance", "Authentication", "Patience", "AccessWatch", "Idempotency"]
    assert len(app.guards) == 1
    for handler in route_handlers(app):
        if OPTION in handler.opt:
            assert handler.opt["permission"] != PUBLIC
            assert not {"step_up", "sensitive", "answer_once"} & set(handler.opt)
            assert "recorded" in handler.opt
            assert len(handler.guards or ()) == 0
        if handler.opt.get(READY):
            assert handler.http_methods <= {"GET", "HEAD"}
            assert handler.opt["permission"] != PUBLIC
            assert not {"step_up", "sensitive", "answer_once"} & set(handler.opt)
            assert len(handler.guards or ()) == 0


class _Remembering:
    """A look-up of the last second."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    def remembered(self, credential: str) -> tuple[bool, Principal | None]:
        return True, self._principal if credential == "good" else None

    def look_up(self, credential: str, *, touch: bool = True) -> Principal | None:
        raise AssertionError("the fast path looks nobody up")

    def forget(self, credential: str) -> None: ...


def _machine(*, networks: tuple[str, ...] = ()) -> Principal:
    return Principal(
        kind="key", id=new_id(), tenant_id=new_id(), name="m", role=Role.SERVICE, networks=networks,
        permissions=frozenset({Permission.EVENTS_WRITE}), credential="m",
    )  # fmt: skip


def _fast_path(answer: Any, settings: Settings, networks: tuple[str, ...]) -> FastPath:
    """The fast path with one route and one caller; nothing is refused on it."""
    nothing: Any = SimpleNamespace()
    caller = _Remembering(_machine(networks=networks))
    return FastPath(
        {"events": Endpoint(202, 1000, answer)}, Entrance(settings), caller, nothing, nothing, body_wait_s=1
    )


@pytest.mark.parametrize(
    ("changed", "networks", "fast"),
    [
        ({}, (), True),
        ({"authorization": "bearer good"}, (), True),
        ({"authorization": "Bearer other"}, (), False),
        ({"authorization": "Basic good"}, (), False),
        ({"content-length": "2000"}, (), False),
        ({"content-length": "-1"}, (), False),
        ({"content-length": "1" * 5000}, (), False),
        ({"content-length": "²"}, (), False),
        ({"host": "elsewhere.example"}, (), False),
        ({}, ("10.0.0.0/8",), False),
        ({}, ("192.0.2.0/24",), True),
        # The proxy that is trusted says who asks; whoever asks cannot.
        ({"x-forwarded-for": "10.1.1.1"}, ("10.0.0.0/8",), False),
    ],
)
def test_what_is_not_plain_goes_the_ordinary_way(
    changed: dict[str, str], networks: tuple[str, ...], fast: bool
) -> None:
    settings = Settings(allowed_hosts="finer.example", trusted_proxies="127.0.0.0/8")
    served: list[str] = []

    async def answer(*_: Any) -> list[str]:
        served.append("fast")
        return []

    async def ordinary(*_: Any) -> None:
        served.append("ordinary")

    async def receive() -> Any:
        return {"type": "http.request", "body": b"{}"}

    async def send(_: Any) -> None: ...

    path = _fast_path(answer, settings, networks)
    headers = {"host": "finer.example", "authorization": "Bearer good", "content-length": "2"} | changed
    scope: Any = {
        "type": "http", "client": ("192.0.2.7", 1), "path_params": {},
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "route_handler": SimpleNamespace(opt={OPTION: "events", "permission": Permission.EVENTS_WRITE}),
    }  # fmt: skip
    asyncio.run(path.handle(scope, receive, send, ordinary))
    assert served == ["fast" if fast else "ordinary"]


def test_whoever_lacks_the_second_factor_of_their_firm_goes_the_ordinary_way() -> None:
    served: list[str] = []

    async def answer(*_: Any) -> None:
        served.append("fast")

    async def ordinary(*_: Any) -> None:
        served.append("ordinary")

    path = _fast_path(answer, Settings(), ())
    path._credentials = _Remembering(msgspec.structs.replace(_machine(), second_factor_missing=True))
    scope: Any = {
        "type": "http", "client": ("192.0.2.7", 1), "path_params": {},
        "headers": [(b"authorization", b"Bearer good"), (b"content-length", b"2")],
        "route_handler": SimpleNamespace(opt={OPTION: "events", "permission": Permission.EVENTS_WRITE}),
    }  # fmt: skip
    asyncio.run(path.handle(scope, cast(Any, ordinary), cast(Any, ordinary), ordinary))
    assert served == ["ordinary"]


def test_a_sender_that_leaves_in_the_middle_leaves_nothing() -> None:
    async def answer(*_: Any) -> None:
        raise Unprocessable("nothing may be taken of half a body")

    async def ordinary(*_: Any) -> None:
        raise AssertionError("the body is half read")

    parts: list[Any] = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return parts.pop(0)

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    path = _fast_path(answer, Settings(), ())
    scope: Any = {
        "type": "http", "client": ("192.0.2.7", 1), "path_params": {},
        "headers": [(b"authorization", b"Bearer good"), (b"content-length", b"2")],
        "route_handler": SimpleNamespace(opt={OPTION: "events", "permission": Permission.EVENTS_WRITE}),
    }  # fmt: skip
    asyncio.run(path.handle(scope, receive, send, ordinary))
    assert sent == []
