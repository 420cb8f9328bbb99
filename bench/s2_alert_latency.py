"""S2: from sending an event until its alert is committed and seen by another connection, at 10,000 events/s."""

from __future__ import annotations

import argparse
import threading
import time

import psycopg

from bench.support.bodies import Bodies
from bench.support.http import Connection
from bench.support.model import register_model
from bench.support.openloop import drive
from bench.support.report import median, percentile, report
from tests.support.server import Server, serving

EVENTS = 100
RATE = 10_000


def measure(server: Server, seconds: float, seed: int) -> list[float]:
    """One run; returns the latencies of its alerts in milliseconds."""
    seen: list[tuple[int, float]] = []
    stop = threading.Event()
    listener = server.database()
    listener.execute("listen finer_alerts")
    row = listener.execute("select coalesce(max(sequence), 0) from decisions_alerts").fetchone()

    def watch(last: int) -> None:
        while not stop.is_set():
            for _ in listener.notifies(timeout=0.2, stop_after=1):
                pass
            rows = listener.execute(
                "select sequence, event_id from decisions_alerts where sequence > %s order by 1", (last,)
            ).fetchall()
            at = time.perf_counter()
            for sequence, event in rows:
                last = max(last, sequence)
                seen.append((int(event, 16), at))

    watcher = threading.Thread(target=watch, args=(row[0] if row is not None else 0,))
    watcher.start()
    supply = Bodies(EVENTS, seed=seed)
    started = time.perf_counter()
    outcome = drive(
        lambda: Connection(server.port, server.api_key, "/api/v1/events/transaction"),
        supply.next, RATE / EVENTS, seconds, connections=8,
    )  # fmt: skip
    time.sleep(1.0)
    stop.set()
    watcher.join()
    listener.close()
    if outcome.errors or set(outcome.statuses) != {202}:
        raise RuntimeError(f"Not every body was accepted: {outcome.statuses}, {outcome.errors} errors.")
    found = []
    for number, at in seen:
        due = outcome.due.get(number - number % EVENTS)
        if due is not None and due - started > 3:
            found.append((at - due) * 1000)
    return found


def fsync_ms(database: psycopg.Connection) -> float:
    """What one durable commit costs on this machine, median of 50."""
    database.execute("create temporary table fsync_probe (x int)")
    database.execute("drop table if exists public.bench_fsync; create table public.bench_fsync (x int)")
    times = []
    for _ in range(50):
        at = time.perf_counter()
        database.execute("insert into public.bench_fsync values (1)")
        times.append((time.perf_counter() - at) * 1000)
    database.execute("drop table public.bench_fsync")
    return median(times)


def main() -> None:
    """Run three times and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    with serving() as server:
        register_model(server)
        measure(server, 5, seed=90)
        runs = [measure(server, arguments.seconds, seed=place + 1) for place in range(arguments.runs)]
        commit = fsync_ms(server.database())
    p50 = median([percentile(run, 0.5) for run in runs])
    p99 = median([percentile(run, 0.99) for run in runs])
    figures = {"p50_ms": p50, "p95_ms": median([percentile(run, 0.95) for run in runs]), "p99_ms": p99}
    settings = {"rate": RATE, "body": EVENTS, "alerts": [len(run) for run in runs], "one_commit_ms": round(commit, 3)}
    report("S2", figures, "p50 <= 6, p99 <= 20 ms", 0 < p50 <= 6 and p99 <= 20, settings=settings)


if __name__ == "__main__":
    main()
