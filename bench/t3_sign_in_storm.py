"""T3: what a storm of sign-ins, five times more than can be hashed, does to decisions: their p99 against none.

Sign-ins come from many accounts and many loopback addresses, as a botnet's would, so that the throttle does not stop
them first. Every one that gets a place costs a whole argon2id hash; the others are turned away with 429.
"""

from __future__ import annotations

import argparse
import itertools
import socket
import threading
import time
from collections.abc import Callable

from bench.support.bodies import Bodies
from bench.support.http import Connection
from bench.support.model import register_model
from bench.support.openloop import Outcome, drive
from bench.support.report import median, percentile, report
from tests.support.server import Server, serving

RATE, OVERLOAD = 200, 5
_numbers = itertools.count(1)


def _decisions(server: Server) -> Connection:
    return Connection(server.port, server.api_key, "/api/v1/decisions", "application/json")


class SignIns(Connection):
    """A connection from a loopback address of its own, and from another one before that address has to wait."""

    _sent = 0

    def post(self, body: bytes) -> tuple[int, bytes]:
        """Send one sign-in."""
        self._sent += 1
        if self._sent % 40 == 0:
            self._socket.close()
            self._socket = self._connect()
        return super().post(body)

    def _connect(self) -> socket.socket:
        number = next(_numbers)
        place = f"127.{9 + number // 62_500 % 200}.{number // 250 % 250}.{number % 250 + 1}"
        found = socket.create_connection(("127.0.0.1", self._port), timeout=30, source_address=(place, 0))
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return found


def _sign_ins(server: Server) -> SignIns:
    return SignIns(server.port, "", "/api/v1/session", "application/json")


def _attempt() -> tuple[int, bytes]:
    number = next(_numbers)
    body = f'{{"email": "visitor{number}@nowhere.example", "password": "a wrong password"}}'
    return number, body.encode()


def capacity(server: Server, seconds: float, callers: int = 4) -> float:
    """Sign-ins per second that are hashed when a few callers each wait for their answer."""
    done = [0]
    lock = threading.Lock()
    end = time.perf_counter() + seconds

    def work() -> None:
        connection = _sign_ins(server)
        while time.perf_counter() < end:
            status, _ = connection.post(_attempt()[1])
            with lock:
                done[0] += status == 401

    threads = [threading.Thread(target=work) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done[0] / seconds


def _measured(server: Server, seconds: float, seed: int) -> float:
    """The p99 of decisions in milliseconds."""
    supply = Bodies(1, seed=seed)
    outcome = drive(lambda: _decisions(server), supply.next, RATE, seconds, connections=16)
    if outcome.errors or set(outcome.statuses) != {200}:
        raise RuntimeError(f"Not every decision was answered: {outcome.statuses}, {outcome.errors} errors.")
    return percentile(outcome.latencies, 0.99) * 1000


def _in_storm(server: Server, rate: float, seconds: float, measure: Callable[[], float]) -> tuple[float, Outcome]:
    """What `measure` gives while sign-ins arrive at `rate`, and how those were answered."""
    found: list[Outcome] = []

    def storm() -> None:
        found.append(drive(lambda: _sign_ins(server), _attempt, rate, seconds + 2, connections=64))

    thread = threading.Thread(target=storm)
    thread.start()
    time.sleep(1)
    value = measure()
    thread.join()
    return value, found[0]


def main() -> None:
    """Run in turn without and with the storm, and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    calm, stormy, refused = [], [], []
    with serving() as server:
        register_model(server)
        _measured(server, 4, seed=90)
        capacity(server, 2)
        per_s = capacity(server, 5)
        for run in range(arguments.runs):
            calm.append(_measured(server, arguments.seconds, seed=run * 2 + 1))

            def measure(seed: int = run * 2 + 2) -> float:
                return _measured(server, arguments.seconds, seed)

            value, outcome = _in_storm(server, OVERLOAD * per_s, arguments.seconds, measure)
            stormy.append(value)
            answered = sum(outcome.statuses.values())
            refused.append(outcome.statuses.get(429, 0) / max(1, answered))
    ratio = median(stormy) / median(calm)
    figures = {
        "ratio_p99": ratio,
        "calm_p99_ms": median(calm),
        "storm_p99_ms": median(stormy),
        "hashed_per_s": per_s,
        "turned_away_share": median(refused),
    }
    settings = {"rate": RATE, "overload": OVERLOAD, "seconds": arguments.seconds, "runs": arguments.runs}
    report("T3", figures, "ratio <= 2", ratio <= 2, settings=settings)


if __name__ == "__main__":
    main()
