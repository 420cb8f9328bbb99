"""O2: 10,000 live streams of one API process: how long until an update is at all of them, and what each costs.

The streams belong to people of two roles and come from several loopback addresses. An update is an order that is sent
by HTTP; its time runs from sending until each stream has the number that it made, through log, pipeline, sums and tick.
A share of the viewers never reads, as a laptop that was closed does. Memory is what the processes of the API hold more
than before, by stream.
"""

from __future__ import annotations

import argparse
import random
import time

import psutil

from bench.load.client import Browser, Call
from bench.load.mix import order_lines
from bench.load.people import sign_in_people
from bench.streams.crowd import Crowd, allow_open_files
from bench.support.report import median, percentile, report
from finer.identity.types.access import Role
from tests.support.server import Server, serving

_PEOPLE = 1000
_WAIT_S = 20.0
_STALLED_PER_THOUSAND = 5


def main() -> None:
    """Open the streams, send updates, and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--updates", type=int, default=20)
    parser.add_argument("--idle-s", type=float, default=60.0)
    arguments = parser.parse_args()
    allow_open_files(arguments.streams + 2000)
    with serving() as server:
        half = min(_PEOPLE, arguments.streams) // 2
        people = sign_in_people(server, {Role.MARKETING_MANAGER: half, Role.EXECUTIVE: half})
        send = Updates(server)
        send.one()
        before = _memory(server)
        viewers = [
            ("/api/v1/operations/orders/stream", people[number % len(people)].cookie)
            for number in range(arguments.streams)
        ]
        stalled = arguments.streams * _STALLED_PER_THOUSAND // 1000
        crowd = Crowd(server.port, viewers, addresses=8, stalled=stalled)
        began = time.perf_counter()
        crowd.start()
        if not crowd.all_open.wait(240):
            raise RuntimeError(f"Only {crowd.open} of {len(viewers)} streams were opened: {crowd.refused[:3]}")
        opened_s = time.perf_counter() - began
        late, spread, sizes, lost = [], [], [], 0
        for _ in range(arguments.updates):
            time.sleep(2.0)
            bytes_before = crowd.bytes
            marks = crowd.look_for(send.text_of_next())
            sent_at = time.perf_counter()
            send.one()
            marks.complete.wait(_WAIT_S)
            lost += marks.missing
            times = marks.seen_at[marks.seen_at > 0] - sent_at
            late.extend(times.tolist())
            spread.append(float(times.max() - times.min()))
            sizes.append((crowd.bytes - bytes_before) / len(viewers))
        memory = _memory(server) - before
        idle = _idle_cpu(server, arguments.idle_s) if arguments.idle_s else 0.0
        crowd.stop()
    figures = {
        "streams": float(len(viewers)), "p95_s": percentile(late, 0.95), "p50_s": percentile(late, 0.5),
        "p99_s": percentile(late, 0.99), "kb_per_stream": memory / 1024 / len(viewers), "not_told": lost,
        "first_to_last_s": median(spread), "bytes_per_update": median(sizes), "opened_s": opened_s,
        "idle_cpu_ms_per_stream_minute": idle / len(viewers) * 1000, "ended_early": crowd.reopened,
    }  # fmt: skip
    holds = figures["p95_s"] <= 1 and figures["kb_per_stream"] <= 50 and not lost and len(viewers) >= 10_000
    settings = {"updates": arguments.updates, "stalled": stalled, "people": len(people), "api_processes": 1}
    report("O2", figures, "10,000; p95 <= 1 s; <= 50 KB", holds, settings=settings)


class Updates:
    """Orders of one line, which a dashboard tells by how many there were."""

    def __init__(self, server: Server) -> None:
        self._browser = Browser(server.port)
        self._headers = f"authorization: Bearer {server.api_key}\r\ncontent-type: application/x-ndjson\r\n"
        self._chance = random.Random(5)
        self._sent = 0

    def text_of_next(self) -> bytes:
        """What stands in a dashboard once the next order is counted."""
        return b'"name":"placed","records":%d,' % (self._sent + 1)

    def one(self) -> None:
        """Send an order."""
        self._sent += 1
        body = order_lines(f"o2-{self._sent}", self._chance, 1)
        answer = self._browser.ask(Call("update", "POST", "/api/v1/events/order", self._headers, body))
        if answer.status != 202:
            raise RuntimeError(f"{answer.status}: {answer.body[:300]!r}")


def _api(server: Server) -> list[psutil.Process]:
    inner = server.process_of("api")
    return [one for one in (inner, inner.parent()) if one is not None]


def _memory(server: Server) -> float:
    return float(sum(one.memory_info().rss for one in _api(server)))


def _idle_cpu(server: Server, seconds: float) -> float:
    """CPU seconds of the API in a minute in which nothing happens: heartbeats, and looking at sessions."""
    before = sum(sum(one.cpu_times()[:2]) for one in _api(server))
    time.sleep(seconds)
    return float(sum(sum(one.cpu_times()[:2]) for one in _api(server)) - before) * 60 / seconds


if __name__ == "__main__":
    main()
