"""S7: kill -9 of worker, API and PostgreSQL under 10,000 events/s: time until caught up; events lost and doubled."""

from __future__ import annotations

import argparse
import os
import signal
import threading
import time

from bench.s1_throughput import consumed
from bench.support.bodies import Bodies
from bench.support.http import Connection
from bench.support.model import register_model
from bench.support.report import report
from finer.kit.db import DatabaseError
from tests.support.server import Server, serving

EVENTS = 100
RATE = 10_000


class Sender:
    """Sends 10,000 events/s; a body that was not acknowledged is sent again until it is, as a careful sender does."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.acknowledged = 0

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the body under way and stop."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        supply = Bodies(EVENTS, seed=5)
        connection: Connection | None = None
        due = time.perf_counter()
        while not self._stop.is_set():
            _, body = supply.next()
            while True:
                try:
                    connection = connection or Connection(
                        self._server.port, self._server.api_key, "/api/v1/events/transaction"
                    )
                    status, _ = connection.post(body)
                    if status == 202:
                        break
                except OSError:
                    connection = None
                time.sleep(0.02)
            self.acknowledged += EVENTS
            due = max(due + EVENTS / RATE, time.perf_counter() - 1)
            time.sleep(max(0.0, due - time.perf_counter()))


def _head_and_consumed(server: Server) -> tuple[int, int]:
    with server.database() as database:
        row = database.execute("select coalesce(sum(next_offset), 0)::bigint from kit_log_heads").fetchone()
        return int(row[0]) if row is not None else 0, consumed(database)


def kill_and_wait(server: Server, sender: Sender, pid: int) -> float:
    """Kill a process and wait until new events are accepted and the worker has caught up; returns the seconds."""
    os.kill(pid, signal.SIGKILL)
    killed = time.perf_counter()
    before = sender.acknowledged
    while time.perf_counter() - killed < 60:
        time.sleep(0.05)
        if sender.acknowledged < before + 10 * EVENTS:
            continue
        try:
            head, done = _head_and_consumed(server)
        except (OSError, DatabaseError):  # the database may be starting
            continue
        if head - done < RATE * 0.2:
            return time.perf_counter() - killed
    raise TimeoutError("Not back in service within a minute.")


def main() -> None:
    """Kill each of the three, then count, and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="Load before each kill.")
    seconds = parser.parse_args().seconds
    times: dict[str, float] = {}
    with serving() as server:
        register_model(server)
        sender = Sender(server)
        sender.start()
        for name in ("worker", "api", "postgres"):
            time.sleep(seconds)
            times[name] = kill_and_wait(server, sender, server.process_of(name).pid)
            print(name, round(times[name], 2), flush=True)
        sender.stop()
        while True:
            head, done = _head_and_consumed(server)
            if head == done:
                break
            time.sleep(0.1)
        time.sleep(3)
        distinct, rows = counts(server)
        verified = server.finer("verify", "--json")
    lost, doubled = sender.acknowledged - distinct, rows - distinct
    figures = {"recovery_s": max(times.values()), "lost": lost, "doubled": doubled}
    report(
        "S7", figures, "<= 10 s; 0; 0", max(times.values()) <= 10 and lost == 0 and doubled == 0,
        settings={"rate": RATE, "by_process": times, "acknowledged": sender.acknowledged, "verify": verified.strip()},
    )  # fmt: skip


def counts(server: Server) -> tuple[int, int]:
    """Distinct event ids and rows of the lake's transactions."""
    import json

    out = server.finer(
        "sql",
        "select count(distinct event_id) as ids, count(*) as n from transactions",
        "--tenant",
        server.tenant,
        "--json",
    )
    row = json.loads(out)["rows"][0]
    return int(row[0]), int(row[1])


if __name__ == "__main__":
    main()
