"""S3: synchronous decisions: latency at 200 requests/s, and the most that one API process sustains."""

from __future__ import annotations

import argparse
import threading
import time

from bench.support.bodies import Bodies
from bench.support.http import Connection
from bench.support.model import register_model
from bench.support.openloop import drive
from bench.support.report import median, percentile, report
from tests.support.server import Server, serving

RATE = 200
# Each caller waits for its answer, so that few callers measure how long a decision takes and not how many there can be.
CALLERS = (48, 192, 384)


def _connect(server: Server) -> Connection:
    return Connection(server.port, server.api_key, "/api/v1/decisions", "application/json")


def most(server: Server, seconds: float, seed: int, callers: int) -> float:
    """Decisions per second with that many callers who each wait for their answer."""
    supply = Bodies(1, seed=seed)
    lock = threading.Lock()
    done = [0]
    end = time.perf_counter() + seconds

    def work() -> None:
        connection = _connect(server)
        while time.perf_counter() < end:
            with lock:
                _, body = supply.next()
            status, answer = connection.post(body)
            if status != 200:
                raise RuntimeError(f"{status}: {answer[:300]!r}")
            done[0] += 1

    threads = [threading.Thread(target=work) for _ in range(callers)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done[0] / (time.perf_counter() - started)


def main() -> None:
    """Run three times each, with several numbers of callers, and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    latencies: list[list[float]] = []
    rates: dict[int, list[float]] = {callers: [] for callers in CALLERS}
    with serving() as server:
        register_model(server)
        most(server, 3, seed=90, callers=CALLERS[0])
        for place in range(arguments.runs):
            supply = Bodies(1, seed=place + 1)
            outcome = drive(lambda: _connect(server), supply.next, RATE, arguments.seconds, connections=16)
            if outcome.errors or set(outcome.statuses) != {200}:
                raise RuntimeError(f"Not every decision was answered: {outcome.statuses}, {outcome.errors} errors.")
            latencies.append([value * 1000 for value in outcome.latencies])
            for callers, found in rates.items():
                found.append(most(server, arguments.seconds / 2, seed=place + 50 + callers, callers=callers))
    p50 = median([percentile(run, 0.5) for run in latencies])
    p99 = median([percentile(run, 0.99) for run in latencies])
    by_callers = {callers: median(found) for callers, found in rates.items()}
    figures = {"p50_ms": p50, "p99_ms": p99, "max_per_s": max(by_callers.values())}
    holds = p50 <= 4 and p99 <= 15 and figures["max_per_s"] >= 2500
    settings = {"rate": RATE, "runs": arguments.runs, "per_s_by_callers": by_callers}
    report("S3", figures, "p50 <= 4, p99 <= 15 ms; >= 2,500/s", holds, settings=settings)


if __name__ == "__main__":
    main()
