"""Open-model arrivals: requests come at random moments at a fixed mean rate, whether or not earlier ones were answered.

Every latency counts from the moment at which the request was to begin, so that a slow server, or a busy load generator,
cannot hide its own delays.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.load.client import Answer, Browser, Call


@dataclass
class Seen:
    """Latencies in milliseconds by kind of request, answers by kind and status, and what went wrong, in words."""

    latencies: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def all(self) -> list[float]:
        """The latencies of all kinds."""
        return [value for found in self.latencies.values() for value in found]


Journey = list[Call]
"""Requests of one arrival, one after another; its latency is that of all of them."""


def drive(
    port: int, make: Callable[[random.Random], Journey], rate: float, seconds: float, *, connections: int = 48,
    warm_s: float = 2.0, seed: int = 1, heard: Callable[[Call, Answer], None] | None = None,
    until: threading.Event | None = None,
) -> Seen:  # fmt: skip
    """`rate` arrivals per second for `seconds`, or until an event; those of the first `warm_s` are not timed.

    `make` makes an arrival; it is called in the order of time, so that a seed gives the same load. `heard` is told of
    every answer.
    """
    seen, lock = Seen(), threading.Lock()
    waiting: queue.SimpleQueue[tuple[float, Journey] | None] = queue.SimpleQueue()
    started = time.perf_counter() + 0.2

    def work() -> None:
        browser = Browser(port)
        while (arrival := waiting.get()) is not None:
            due, journey = arrival
            wrong = _make(browser, journey, seen, lock, heard)
            taken = (time.perf_counter() - due) * 1000
            with lock:
                if wrong:
                    seen.failures.append(f"{time.perf_counter() - started:.1f} s: {wrong}")
                elif due - started > warm_s:
                    seen.latencies.setdefault(journey[0].kind, []).append(taken)
        browser.close()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(connections)]
    for thread in threads:
        thread.start()
    chance, due = random.Random(seed), started
    while due - started < seconds and not (until is not None and until.is_set()):
        journey = make(chance)
        time.sleep(max(0.0, due - time.perf_counter()))
        waiting.put((due, journey))
        due += chance.expovariate(rate)
    for _ in threads:
        waiting.put(None)
    for thread in threads:
        thread.join(timeout=90)
    return seen


def _make(
    browser: Browser, journey: Journey, seen: Seen, lock: threading.Lock, heard: Callable[[Call, Answer], None] | None
) -> str:
    """Go through a journey; returns what went wrong, empty for nothing."""
    for call in journey:
        try:
            answer = browser.ask(call)
        except OSError as error:
            return f"{call.method} {call.path}: {error!r}"
        with lock:
            seen.statuses[call.kind, answer.status] += 1
        if answer.status not in call.good:
            return f"{call.method} {call.path}: {answer.status} {answer.body[:200]!r}"
        if heard is not None:
            heard(call, answer)
    return ""
