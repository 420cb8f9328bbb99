"""O5: how far a live dashboard is behind what has been sent, second by second, at 10,000 records of orders a second.

A viewer streams the board. Its count of placed lines says how many of those that the API has taken are shown; a second
counts as behind when at any moment of it a line is missing that was taken more than a second before.
"""

from __future__ import annotations

import argparse
import bisect
import itertools
import json
import random
import threading
import time
import uuid
from datetime import UTC, datetime

import httpx

from bench.load.mix import order_lines
from bench.load.people import Person, sign_in_people
from bench.support.http import Connection
from bench.support.report import percentile, report
from finer.identity.types.access import Role
from tests.support.server import Server, serving

LINES, CONNECTIONS = 100, 8
_MARK = "0" * 12
STREAM = "/api/v1/operations/orders/stream?span=24h"


class Sender:
    """Sends bodies at fixed times, and keeps how many lines had been taken at which moment."""

    def __init__(self, server: Server, per_s: int, seconds: float) -> None:
        self._server, self._per_s, self._seconds = server, per_s, seconds
        self._lock = threading.Lock()
        self.at: list[float] = []
        """When the lines of another body had been taken, by `time.monotonic`; entry n is that of body n."""
        self.late_s = 0.0
        self.failures: list[str] = []
        self._numbers = itertools.count()
        self._began = 0.0
        chance = random.Random(11)
        self._bodies = [order_lines(_MARK, chance, LINES) for _ in range(50)]
        self._run = uuid.uuid4().hex[:4]

    def first(self) -> None:
        """Send a body before the time that is measured: what keeps the sums still starts when the API answers."""
        connection = Connection(self._server.port, self._server.api_key, "/api/v1/events/order")
        body = self._bodies[0].replace(_MARK.encode(), f"{self._run}first".encode())
        status, answer = connection.post(body)
        if status != 202:
            raise RuntimeError(f"{status}: {answer[:200]!r}")
        self.at.append(time.monotonic())

    def run(self) -> None:
        """Send for the whole time, from several threads."""
        self._began = time.monotonic() + 0.2
        threads = [threading.Thread(target=self._work) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self) -> None:
        connection = Connection(self._server.port, self._server.api_key, "/api/v1/events/order")
        while True:
            with self._lock:
                number = next(self._numbers)
            due = self._began + number * LINES / self._per_s
            if due > self._began + self._seconds:
                return
            time.sleep(max(0.0, due - time.monotonic()))
            today = datetime.now(UTC).isoformat().encode()
            body = self._bodies[number % 50].replace(_MARK.encode(), f"{self._run}{number:08d}".encode())
            body = body.replace(body[(start := body.index(b'"occurred_at": "') + 16) : start + 32], today[:32])
            status, answer = connection.post(body)
            now = time.monotonic()
            with self._lock:
                self.late_s = max(self.late_s, now - due)
                if status == 202:
                    self.at.append(now)
                else:
                    self.failures.append(f"{status}: {answer[:200]!r}")


def watch(server: Server, person: Person, shown: list[tuple[float, int]], stop: threading.Event) -> None:
    """Note, whenever the board changes, how many placed lines it shows."""
    headers = {"cookie": person.cookie.split("cookie: ")[1].split("\r\n")[0], "accept": "text/event-stream"}
    with httpx.stream("GET", server.url + STREAM, headers=headers, timeout=60) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            if stop.is_set():
                return
            if line.startswith("data: "):
                stages = json.loads(line[6:]).get("stages")
                if stages is not None:
                    placed = next((one["records"] for one in stages if one["name"] == "placed"), 0)
                    shown.append((time.monotonic(), placed))


def behind_s(at: list[float], shown: list[tuple[float, int]], moment: float) -> float:
    """How long ago the oldest line was taken that the board does not show at a moment; 0 when it shows them all."""
    place = bisect.bisect_right(shown, (moment, 2**62)) - 1
    bodies = shown[place][1] // LINES if place >= 0 else 0
    return max(0.0, moment - at[bodies]) if bodies < len(at) else 0.0


def main() -> None:
    """Load, watch, print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--per-s", type=int, default=10_000)
    arguments = parser.parse_args()
    seconds = arguments.minutes * 60
    shown: list[tuple[float, int]] = []
    stop = threading.Event()
    with serving() as server:
        (person,) = sign_in_people(server, {Role.EXECUTIVE: 1})
        sender = Sender(server, arguments.per_s, seconds)
        watcher = threading.Thread(target=watch, args=(server, person, shown, stop), daemon=True)
        watcher.start()
        sender.first()
        while not shown or shown[-1][1] < LINES:
            time.sleep(0.05)
        sender.run()
        ended = time.monotonic()
        while shown[-1][1] < len(sender.at) * LINES and time.monotonic() < ended + 120:
            time.sleep(0.2)
        stop.set()
    at = sorted(sender.at)
    begun = at[1]
    moments = [begun + tenth / 10 for tenth in range(20, int((ended - begun) * 10))]
    ages = [behind_s(at, shown, moment) for moment in moments]
    every = [max(ages[place : place + 10]) for place in range(0, len(ages) - 9, 10)]
    figures = {
        "share_of_seconds": sum(age < 1 for age in every) / len(every),
        "age_p50_s": percentile(ages, 0.5), "age_p99_s": percentile(ages, 0.99), "age_max_s": max(ages),
        "taken_per_s": len(at) * LINES / (ended - begun), "shown_in_the_end": shown[-1][1] / (len(at) * LINES),
        "send_late_max_s": sender.late_s, "failures": len(sender.failures),
    }  # fmt: skip
    holds = figures["share_of_seconds"] >= 0.999 and not sender.failures
    settings = {"minutes": arguments.minutes, "per_s": arguments.per_s, "lines_per_body": LINES}
    report("O5", figures, ">= 99.9 % of seconds less than 1 s behind", holds, settings=settings)


if __name__ == "__main__":
    main()
