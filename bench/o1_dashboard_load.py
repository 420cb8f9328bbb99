"""O1: how long a dashboard takes to stand, for 1,000 people who have it open and open it again at random moments.

An arrival asks what the page asks, one after another: the page itself, who I am, the marks of the bell, the numbers.
Its latency is that of all of them, from the moment at which it was to begin. Everybody holds the page's live stream
meanwhile, and orders come in, so that there is something to tell.
"""

from __future__ import annotations

import argparse
import random
import threading
from collections.abc import Callable, Sequence

from bench.load.arrivals import Journey, drive
from bench.load.client import Call
from bench.load.mix import order_lines
from bench.load.people import Person, sign_in_people
from bench.streams.crowd import Crowd, allow_open_files
from bench.support.report import median, percentile, report
from finer.identity.types.access import Role
from tests.support.server import Server, serving

OPEN_EVERY_S = 30.0
"""How often each person opens the dashboard, in the mean."""
ORDERS_PER_S = 5
_BOARDS = {Role.EXECUTIVE: "finance", Role.MARKETING_MANAGER: "orders"}


def opening(people: Sequence[Person]) -> Callable[[random.Random], Journey]:
    """Makes arrivals: somebody opens their dashboard."""

    def make(chance: random.Random) -> Journey:
        person = chance.choice(people)
        headers = person.cookie + "accept-encoding: gzip\r\n"
        board = _BOARDS[person.role]
        paths = ("/", "/api/v1/me", "/api/v1/notifications/unread", f"/api/v1/operations/{board}")
        return [Call(board, "GET", path, headers) for path in paths]

    return make


def sending(server: Server, name: str) -> Callable[[random.Random], Journey]:
    """Makes arrivals: a shop sends an order of ten lines."""
    numbers = iter(range(10**9))
    headers = f"authorization: Bearer {server.api_key}\r\ncontent-type: application/x-ndjson\r\n"

    def make(chance: random.Random) -> Journey:
        body = order_lines(f"{name}-{next(numbers)}", chance, 10)
        return [Call("orders", "POST", "/api/v1/events/order", headers, body, (202,))]

    return make


def main() -> None:
    """Run in turn and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    allow_open_files(arguments.people * 2 + 1000)
    rate = arguments.people / OPEN_EVERY_S
    runs, failures = [], 0
    with serving() as server:
        people = sign_in_people(server, dict.fromkeys(_BOARDS, arguments.people // 2))
        crowd = Crowd(
            server.port, [(f"/api/v1/operations/{_BOARDS[person.role]}/stream", person.cookie) for person in people]
        )
        crowd.start()
        if not crowd.all_open.wait(120):
            raise RuntimeError(f"Only {crowd.open} of {len(people)} streams were opened: {crowd.refused[:3]}")
        for run in range(arguments.runs):
            shop = threading.Thread(
                target=drive, args=(server.port, sending(server, str(run)), ORDERS_PER_S, arguments.seconds),
                kwargs={"connections": 4},
            )  # fmt: skip
            shop.start()
            seen = drive(server.port, opening(people), rate, arguments.seconds, seed=run + 1)
            shop.join()
            failures += len(seen.failures)
            runs.append(seen.all())
        crowd.stop()
    figures = {
        "p95_ms": median([percentile(run, 0.95) for run in runs]),
        "p50_ms": median([percentile(run, 0.5) for run in runs]),
        "p99_ms": median([percentile(run, 0.99) for run in runs]),
        "loads": sum(map(len, runs)),
        "failures": failures,
        "streams": len(people),
    }
    settings = {
        "people": arguments.people, "loads_per_s": rate, "orders_per_s": ORDERS_PER_S * 10,
        "seconds": arguments.seconds, "runs": arguments.runs, "requests_per_load": 4,
    }  # fmt: skip
    report("O1", figures, "p95 <= 200 ms", figures["p95_ms"] <= 200 and not failures, settings=settings)


if __name__ == "__main__":
    main()
