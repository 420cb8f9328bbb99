"""S6: how old the newest queryable row of the lake is, at 10,000 events/s and at full load."""

from __future__ import annotations

import argparse
import threading
import time

import psycopg

from bench.s1_throughput import run as flood
from bench.support.bodies import Bodies
from bench.support.http import Connection
from bench.support.model import register_model
from bench.support.openloop import drive
from bench.support.report import percentile, report
from tests.support.server import Server, serving


def watch(server: Server, stop: threading.Event, ages: list[float]) -> None:
    """Sample, ten times a second, how long ago the newest queryable transaction was received.

    It begins with the first record of the load: making the load takes seconds, in which nothing can be newer.
    """
    database = server.database()
    before = _in_log(database)
    while _in_log(database) == before and not stop.wait(0.01):
        pass
    began = time.time()
    while not stop.wait(0.1):
        row = database.execute(
            "select extract(epoch from clock_timestamp()), extract(epoch from newest) from warehouse_freshness "
            "where table_name = 'transactions'"
        ).fetchone()
        if row is not None and row[1] is not None:
            ages.append(float(row[0]) - max(float(row[1]), began))


def _in_log(database: psycopg.Connection) -> int:
    row = database.execute("select coalesce(sum(next_offset), 0)::bigint from kit_log_heads").fetchone()
    return int(row[0]) if row is not None else 0


def _during(server: Server, load: threading.Thread) -> list[float]:
    ages: list[float] = []
    stop = threading.Event()
    watcher = threading.Thread(target=watch, args=(server, stop, ages))
    watcher.start()
    load.start()
    load.join()
    stop.set()
    watcher.join()
    return ages


def main() -> None:
    """Measure under both loads and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    seconds = parser.parse_args().seconds
    with serving() as server:
        register_model(server)
        flood(server, 5000, 3, seed=99)
        supply = Bodies(100, seed=1)
        steady = threading.Thread(
            target=drive,
            args=(
                lambda: Connection(server.port, server.api_key, "/api/v1/events/transaction"),
                supply.next, 100, seconds, 8,
            ),
        )  # fmt: skip
        at_10k = _during(server, steady)
        at_most = _during(server, threading.Thread(target=flood, args=(server, 5000, seconds, 2)))
    figures = {"p99_s_10k": percentile(at_10k, 0.99), "p99_s_max": percentile(at_most, 0.99)}
    holds = figures["p99_s_10k"] <= 2 and figures["p99_s_max"] <= 5
    report("S6", figures, "p99 <= 2 s / 5 s", holds, settings={"seconds": seconds, "samples": len(at_10k)})


if __name__ == "__main__":
    main()
