"""S1: events per second end to end, sustained, with bodies of 5,000, 1,000 and 100 events.

From the HTTP body to alerts committed, with the contract, durability, row-level security, windows, rules, a
100-tree model and the lake on. Counted from the first body sent until the worker has committed the last event.
"""

from __future__ import annotations

import argparse
import threading
import time

import psycopg

from bench.support.bodies import Bodies
from bench.support.http import Connection
from bench.support.model import register_model
from bench.support.report import report
from tests.support.server import Server, serving

GOALS = {5000: 250_000, 1000: 200_000, 100: 110_000}
CONNECTIONS = {5000: 4, 1000: 8, 100: 16}


def consumed(database: psycopg.Connection) -> int:
    """Events that the worker has committed."""
    row = database.execute(
        "select coalesce(sum(next_offset), 0)::bigint from kit_log_consumers where name = 'pipeline'"
    ).fetchone()
    return int(row[0]) if row is not None else 0


def run(server: Server, events: int, seconds: float, seed: int) -> dict[str, float]:
    """One closed-loop run; returns what was measured."""
    supply = Bodies(events, seed=seed)
    lock = threading.Lock()
    sent, refused = [0], [0]
    database = server.database()
    before = consumed(database)
    end = time.perf_counter() + seconds

    def send() -> None:
        connection = Connection(server.port, server.api_key, "/api/v1/events/transaction")
        while time.perf_counter() < end:
            with lock:
                _, body = supply.next()
            status, answer = connection.post(body)
            while status == 429 and time.perf_counter() < end + 30:
                refused[0] += 1
                time.sleep(0.05)
                status, answer = connection.post(body)
            if status != 202:
                raise RuntimeError(f"{status}: {answer[:300]!r}")
            with lock:
                sent[0] += events

    started = time.perf_counter()
    threads = [threading.Thread(target=send) for _ in range(CONNECTIONS[events])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sending = time.perf_counter() - started
    while consumed(database) - before < sent[0]:
        if time.perf_counter() - started > seconds + 60:
            raise TimeoutError("The worker did not catch up within a minute.")
        time.sleep(0.005)
    total = time.perf_counter() - started
    return {"events": sent[0], "eps": sent[0] / total, "drain_s": total - sending, "refused_429": refused[0]}


def main() -> None:
    """Run the three sizes and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--sizes", type=int, nargs="+", default=[5000, 1000, 100])
    arguments = parser.parse_args()
    figures: dict[str, float] = {}
    details: dict[str, object] = {"seconds": arguments.seconds}
    with serving() as server:
        register_model(server)
        run(server, 5000, 3, seed=99)
        for place, events in enumerate(arguments.sizes):
            found = run(server, events, arguments.seconds, seed=place + 1)
            figures[f"eps_{events}"] = found["eps"]
            details[f"run_{events}"] = {name: round(value, 2) for name, value in found.items()}
            print(events, found, flush=True)
        row = server.database().execute("select count(*) from decisions_alerts").fetchone()
        details["alerts"] = row[0] if row is not None else 0
        details["worker_rss_mb"] = server.process_of("worker").memory_info().rss // 2**20
        details["api_rss_mb"] = server.process_of("api").memory_info().rss // 2**20
    holds = all(figures.get(f"eps_{events}", 0) >= goal for events, goal in GOALS.items())
    report("S1", figures, ">= 250 k / 200 k / 110 k events/s", holds, settings=details)


if __name__ == "__main__":
    main()
