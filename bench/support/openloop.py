"""Open-model load: requests are due at fixed times whether or not earlier ones were answered, and every latency counts
from the time the request was due, so that a slow server cannot hide its own delays."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.support.http import Connection


@dataclass
class Outcome:
    """What an open-model run saw: latencies in seconds, answers by status, and when each request was due."""

    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    due: dict[int, float] = field(default_factory=dict)
    errors: int = 0


def drive(
    connect: Callable[[], Connection], make: Callable[[], tuple[int, bytes]], rate: float, seconds: float,
    connections: int, warm_s: float = 2.0,
) -> Outcome:  # fmt: skip
    """Send `rate` requests per second for `seconds`; the first `warm_s` are not counted in latencies."""
    outcome = Outcome()
    jobs: queue.SimpleQueue[tuple[float, bytes] | None] = queue.SimpleQueue()
    lock = threading.Lock()
    started = time.perf_counter() + 0.2

    def work() -> None:
        connection = connect()
        while (job := jobs.get()) is not None:
            due, body = job
            try:
                status, _ = connection.post(body)
            except OSError:
                with lock:
                    outcome.errors += 1
                connection = connect()
                continue
            taken = time.perf_counter() - due
            with lock:
                outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
                if due - started > warm_s:
                    outcome.latencies.append(taken)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for place in range(int(rate * seconds)):
        due = started + place / rate
        number, body = make()
        delay = due - time.perf_counter()
        if delay > 0:
            time.sleep(delay)
        outcome.due[number] = due
        jobs.put((due, body))
    for _ in threads:
        jobs.put(None)
    for thread in threads:
        thread.join(timeout=60)
    return outcome
