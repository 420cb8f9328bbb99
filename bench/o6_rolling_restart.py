"""O6: the mix of O3 goes on behind HAProxy while two API processes are restarted one after the other: failed requests.

Streams that end are opened anew by their viewers, which is no failure; a stream that is refused is one.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import tempfile
import threading
import time
from pathlib import Path

import httpx

from bench.load.arrivals import drive
from bench.load.mix import Mix
from bench.o3_mixed_load import EACH_S, people_of, watching
from bench.streams.crowd import allow_open_files
from bench.support.report import percentile, report
from tests.support import proxies
from tests.support.server import Server, serving

_DRAIN_S = 3.0
_LONGEST_S = 300.0


def pids(server: Server) -> list[int]:
    """The processes that answer on the two ports; empty while one does not."""
    with contextlib.suppress(httpx.TransportError):
        ports = (server.port, server.port + 1)
        return [httpx.get(f"http://127.0.0.1:{port}/api/v1/health/live").json()["pid"] for port in ports]
    return []


def restart(server: Server, calm_s: float, done: threading.Event, took: list[float]) -> None:
    """Restart both as an operator does, after and before a while of load."""
    time.sleep(calm_s)
    before, began = pids(server), time.monotonic()
    server.process.send_signal(signal.SIGUSR2)
    while time.monotonic() - began < _LONGEST_S:
        now = pids(server)
        if now and not set(now) & set(before):
            break
        time.sleep(0.2)
    for port in (server.port, server.port + 1):
        server.wait_ready(port=port)
    took.append(time.monotonic() - began)
    time.sleep(calm_s)
    done.set()


def main() -> None:
    """Run and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--restarts", type=int, default=3)
    parser.add_argument("--calm-s", type=float, default=10)
    arguments = parser.parse_args()
    if lacking := proxies.missing("haproxy"):
        raise SystemExit(lacking)
    allow_open_files(4000)
    failures: list[str] = []
    latencies: list[float] = []
    took: list[float] = []
    requests = 0
    with (
        serving(FINER_API_PROCESSES="2", FINER_DRAIN_S=str(_DRAIN_S), FINER_TRUSTED_PROXIES="127.0.0.1") as server,
        tempfile.TemporaryDirectory() as place,
    ):
        server.wait_ready(port=server.port + 1)
        people, able = people_of(server, arguments.people)
        with proxies.haproxy(Path(place), (server.port, server.port + 1)) as port:
            crowd = watching(port, people)
            for turn in range(arguments.restarts):
                done = threading.Event()
                threading.Thread(target=restart, args=(server, arguments.calm_s, done, took), daemon=True).start()
                mix = Mix(people, able, server.api_key, seed=turn * 10 + 1)
                rate = arguments.people / EACH_S
                seen = drive(port, mix, rate, _LONGEST_S * 2, seed=turn + 1, until=done)
                failures += seen.failures
                latencies += seen.all()
                requests += sum(seen.statuses.values())
            crowd.stop()
    failed = len(failures) + len(crowd.refused)
    figures = {
        "failed": failed, "requests": requests, "p95_ms": percentile(latencies, 0.95),
        "p99_ms": percentile(latencies, 0.99), "restarts": len(took), "restart_s": max(took, default=0.0),
        "streams_resumed": crowd.resumed_with, "streams_refused": len(crowd.refused),
    }  # fmt: skip
    settings = {
        "people": arguments.people, "drain_s": _DRAIN_S, "proxy": "HAProxy",
        "failures": failures[:3] + crowd.refused[:3],
    }  # fmt: skip
    report("O6", figures, "0 failed requests", failed == 0 and len(took) == arguments.restarts, settings=settings)


if __name__ == "__main__":
    main()
