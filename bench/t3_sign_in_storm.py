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
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from bench.support.bodies import Bodies
from bench.support.http import Connection
from bench.support.model import register_model
from bench.support.openloop import drive
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


def _sign_ins(port: int) -> SignIns:
    return SignIns(port, "", "/api/v1/session", "application/json")


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
        connection = _sign_ins(server.port)
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


def storm(port: int, rate: float, seconds: float, first: int) -> dict[int, int]:
    """Send sign-ins at `rate`; returns the answers by status. Runs in a process of its own, as load must not weigh on
    the clock that measures decisions."""
    global _numbers  # noqa: PLW0603 - this process counts on from where no other does
    _numbers = itertools.count(first)
    return drive(lambda: _sign_ins(port), _attempt, rate, seconds, connections=64).statuses


def main() -> None:
    """Run in turn without and with the storm, and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    calm, stormy, refused = [], [], []
    with serving() as server, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        register_model(server)
        _measured(server, 4, seed=90)
        capacity(server, 2)
        per_s = capacity(server, 5)
        for run in range(arguments.runs):
            calm.append(_measured(server, arguments.seconds, seed=run * 2 + 1))

            sent = pool.submit(storm, server.port, OVERLOAD * per_s, arguments.seconds + 3, (run + 1) * 10**6)
            time.sleep(2)
            stormy.append(_measured(server, arguments.seconds, seed=run * 2 + 2))
            statuses = sent.result()
            refused.append(statuses.get(429, 0) / max(1, sum(statuses.values())))
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
