"""Two API processes behind a real proxy: they show the same, and are restarted under load without a failed request."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.load import arrivals
from bench.load.mix import ROLES, Mix
from bench.load.people import Person, sign_in_people
from bench.streams.crowd import Crowd
from finer.identity.types.access import Role
from tests.support import proxies
from tests.support.server import Server, serving

_REASON = proxies.missing("haproxy", "nginx")
pytestmark = pytest.mark.skipif(bool(_REASON) and not os.environ.get("CI"), reason=_REASON or "never")
_RATE = 8
_PATIENCE_S = 180


@dataclass(frozen=True)
class Pair:
    """A server with two API processes, and people who are signed in."""

    server: Server
    people: list[Person]
    client: httpx.Client

    @property
    def ports(self) -> tuple[int, int]:
        return self.server.port, self.server.port + 1

    def pids(self) -> list[int]:
        """The processes that answer on the two ports."""
        return [self.client.get(f"http://127.0.0.1:{port}/api/v1/health/live").json()["pid"] for port in self.ports]

    def of(self, role: Role) -> Person:
        return next(person for person in self.people if person.role is role)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    assert not _REASON, _REASON
    with serving(FINER_API_PROCESSES="2", FINER_DRAIN_S="2.5", FINER_TRUSTED_PROXIES="127.0.0.1") as server:
        server.wait_ready(port=server.port + 1)
        # Each question on a connection of its own: one that is kept would stay with the old process.
        with httpx.Client(headers={"Connection": "close"}) as client:
            yield Pair(server, sign_in_people(server, dict.fromkeys(ROLES, 2), passwords=1), client)


def test_a_rolling_restart_under_mixed_load_fails_no_request_and_loses_no_record(pair: Pair, tmp_path: Path) -> None:
    can_sign_in = [person for person in pair.people if person.email.startswith(f"{person.role.value}0@")]
    mix = Mix(pair.people, can_sign_in, pair.server.api_key, seed=7)
    executive = pair.of(Role.EXECUTIVE)
    viewers = [(f"/api/v1/operations/{board}/stream", executive.cookie) for board in ("orders", "finance")] * 4
    done, before = threading.Event(), pair.pids()
    with proxies.haproxy(tmp_path, pair.ports) as port:
        crowd = Crowd(port, viewers)
        crowd.start()
        assert crowd.all_open.wait(_PATIENCE_S)
        restarting = threading.Thread(target=_restart_both, args=(pair, before, done))
        restarting.start()
        try:
            seen = arrivals.drive(port, mix, _RATE, _PATIENCE_S, connections=24, warm_s=0, until=done)
        finally:
            done.set()
            restarting.join()
        _until(lambda: crowd.open == len(viewers))
        crowd.stop()
    assert seen.failures == []
    assert not set(before) & set(pair.pids())
    assert {kind for kind, _ in seen.statuses} == {"read", "write", "sign-in", "decision"}
    # Every stream that ended came back by itself, and said what it had seen.
    assert crowd.refused == []
    assert crowd.reopened >= len(viewers)
    assert crowd.resumed_with == crowd.reopened
    # Both processes show all that was accepted, and the same.
    _until(lambda: _placed(pair, 0) == _placed(pair, 1) == mix.order_lines_sent)
    boards = [_board(pair, place, "orders") for place in (0, 1)]
    for name in ("stages", "regions", "channels", "products", "series"):
        assert boards[0][name] == boards[1][name], name


def test_nginx_as_deployed_streams_at_once_and_forwards_who_asks(pair: Pair, tmp_path: Path) -> None:
    executive = pair.of(Role.EXECUTIVE)
    with proxies.nginx(tmp_path, pair.ports) as port:
        crowd = Crowd(port, [("/api/v1/operations/orders/stream", executive.cookie)] * 2)
        marks = crowd.look_for(b"event: board")
        crowd.start()
        # It waits in no buffer until there is more of it.
        assert marks.complete.wait(20)
        crowd.stop()
        _sees_who_asks(port)


def test_haproxy_as_deployed_forwards_who_asks(pair: Pair, tmp_path: Path) -> None:
    with proxies.haproxy(tmp_path, pair.ports) as port:
        _sees_who_asks(port)


def _sees_who_asks(port: int) -> None:
    """Nobody but the proxy says where a request comes from: metrics stay closed, and claims count for nothing."""
    url = f"http://127.0.0.1:{port}"
    assert httpx.get(f"{url}/metrics").status_code == 404
    body = {"email": "nobody@acme.example", "password": "wrong wrong wrong"}
    headers = {"X-Requested-With": "finer", "Origin": url}
    # Somebody who claims another address with every attempt is slowed down all the same.
    answers = [
        httpx.post(f"{url}/api/v1/session", json=body, headers=headers | {"X-Forwarded-For": f"192.0.2.{number}"})
        for number in range(8)
    ]
    assert 429 in {answer.status_code for answer in answers}


def _restart_both(pair: Pair, before: list[int], done: threading.Event) -> None:
    """Restart both as an operator does, and say when both are others and serve."""
    time.sleep(1.5)  # some load without it first
    pair.server.process.send_signal(signal.SIGUSR2)

    def are_others() -> bool:
        try:
            return not set(before) & set(pair.pids())
        except httpx.TransportError:
            return False

    try:
        _until(are_others)
        for port in pair.ports:
            pair.server.wait_ready(port=port)
        time.sleep(1.5)  # and some after it
    finally:
        done.set()


def _board(pair: Pair, place: int, name: str) -> dict[str, Any]:
    token = pair.of(Role.EXECUTIVE).token
    answer = httpx.get(
        f"http://127.0.0.1:{pair.ports[place]}/api/v1/operations/{name}?span=90d", cookies={"finer_session": token}
    )
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _placed(pair: Pair, place: int) -> int:
    stages = {one["name"]: one["records"] for one in _board(pair, place, "orders")["stages"]}
    return int(stages["placed"])


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "It did not come about in time."
        time.sleep(0.05)
