"""The ingest path beside its peers in one run: events per second over HTTP, and of the streaming job alone.

Finer takes bodies of 1,000 transactions as NDJSON and does all that it does: the contract, durability, row-level
security, windows, rules, a 100-tree model, alerts, the lake. The peer (FastAPI, pydantic, COPY) checks and stores them,
and does nothing else. The job alone (read, windows, two rules, write) is that of S4, with a plain-Python deque
baseline, river and bytewax. Peers run when FINER_PEERS_PYTHON names a Python that has bench/peers/requirements.txt.
"""

from __future__ import annotations

import argparse
import json
import threading
import time

from bench.load.client import Browser, Call
from bench.s1_throughput import run as finer_over_http
from bench.s4_windows import whole_job
from bench.support.bodies import Bodies
from bench.support.model import register_model
from bench.support.peers import peers_python, serving_peer
from bench.support.report import median, report
from tests.support.server import serving

EVENTS, SENDERS = 1000, 8


def peer_over_http(port: int, seconds: float, seed: int) -> float:
    """Events per second that the peer takes in from as many senders."""
    supply, lock, taken = Bodies(EVENTS, seed=seed), threading.Lock(), [0]
    end = time.perf_counter() + seconds

    def send() -> None:
        browser = Browser(port)
        while time.perf_counter() < end:
            with lock:
                _, lines = supply.next()
            body = b"[" + lines.rstrip(b"\n").replace(b"\n", b",") + b"]"
            answer = browser.ask(Call("events", "POST", "/events", "content-type: application/json\r\n", body))
            if answer.status != 202 or json.loads(answer.body)["accepted"] != EVENTS:
                raise RuntimeError(f"{answer.status}: {answer.body[:300]!r}")
            with lock:
                taken[0] += EVENTS

    began = time.perf_counter()
    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken[0] / (time.perf_counter() - began)


def main() -> None:
    """Measure in turn and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    ours: list[float] = []
    theirs: list[float] = []
    with serving() as server:
        register_model(server)
        finer_over_http(server, EVENTS, 3, seed=99)
        for run in range(arguments.runs):
            ours.append(finer_over_http(server, EVENTS, arguments.seconds, seed=run + 1)["eps"])
            if peers_python():
                with serving_peer(server, "w2_fastapi.py") as port:
                    theirs.append(peer_over_http(port, arguments.seconds, seed=run + 51))
    job, peers, exact = whole_job()
    figures = {"per_s": median(ours), "exact": float(exact), **{f"job_{name}": value for name, value in job.items()}}
    if theirs:
        peers = {"fastapi_pydantic_copy": median(theirs), **peers}
        figures["ratio_fastapi"] = median(ours) / median(theirs)
    settings = {"events_per_body": EVENTS, "senders": SENDERS, "seconds": arguments.seconds, "runs": arguments.runs}
    holds = figures["per_s"] >= 200_000 and exact
    report("throughput", figures, ">= 200,000/s in bodies of 1,000, exact", holds, peers=peers, settings=settings)


if __name__ == "__main__":
    main()
