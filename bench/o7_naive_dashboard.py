"""O7: a dashboard over a million orders, beside the same made naively, in the same run and on the same PostgreSQL.

The naive one asks six aggregate queries for every request (bench/peers/w3_naive.py, FastAPI and asyncpg); it runs when
FINER_PEERS_PYTHON names a Python that has bench/peers/requirements.txt. Thirty viewers ask each over and over.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from bench.load.client import Browser, Call
from bench.load.closed import Answers, ask_over_and_over
from bench.load.people import Person, sign_in_people
from bench.support.peers import peers_python, serving_peer
from bench.support.report import median, percentile, report
from finer.identity.types.access import Role
from tests.support.server import Server, serving

BOARD = "/api/v1/operations/orders?span=90d"
VIEWERS = 30
_CATCH_UP_S = 900


def make_orders(file: Path, orders: int) -> None:
    """Order lines of the last 90 days, as Parquet."""
    chance = np.random.default_rng(5)
    began = datetime.now(UTC) - timedelta(days=89)
    numbers = pl.Series(np.arange(orders)).cast(pl.String)
    pl.DataFrame(
        {
            "event_id": "o7-" + numbers,
            "order_id": "order-" + numbers,
            "type": chance.choice(np.array(["placed", "paid", "shipped", "delivered"]), orders),
            "occurred_at": pl.Series(np.arange(orders)) * (timedelta(days=88) / orders) + began,
            "customer_id": "c" + pl.Series(chance.integers(0, 50_000, orders)).cast(pl.String),
            "product_id": "p" + pl.Series(chance.integers(0, 200, orders)).cast(pl.String),
            "quantity": np.ones(orders, np.int64),
            "unit_price": (price := np.round(chance.random(orders) * 200 + 1, 2)),
            "amount": price,
            "currency": ["PHP"] * orders,
            "country": ["Philippines"] * orders,
            "channel": chance.choice(np.array(["web", "app", "branch"]), orders),
        }
    ).write_parquet(file)


def fill(server: Server, orders: int, person: Person) -> float:
    """Take the orders in and wait until the dashboard holds them all; returns the seconds that both took."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, "orders.parquet")
        make_orders(file, orders)
        server.finer("ingest", "order", str(file), "--tenant", server.tenant)
    browser = Browser(server.port)
    while time.perf_counter() - began < _CATCH_UP_S:
        answer = browser.ask(Call("board", "GET", BOARD, person.cookie))
        stages = pl.read_json(answer.body).get_column("stages")[0] if answer.status == 200 else []
        if sum(stage["records"] for stage in stages) >= orders:
            return time.perf_counter() - began
        time.sleep(1)
    raise TimeoutError(f"The dashboard did not hold {orders} orders after {_CATCH_UP_S} s: {answer.body[:500]!r}")


def main() -> None:
    """Fill both, ask both in turn, print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--naive-seconds", type=float, default=60)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    theirs: list[Answers] = []
    with serving() as server:
        (person,) = sign_in_people(server, {Role.EXECUTIVE: 1})
        filled_s = fill(server, arguments.orders, person)
        headers = person.cookie + "accept-encoding: gzip\r\n"
        ours = [
            ask_over_and_over(server.port, BOARD, headers, viewers=VIEWERS, seconds=arguments.seconds)
            for _ in range(arguments.runs)
        ]
        if peers_python():
            with serving_peer(server, "w3_naive.py", str(arguments.orders)) as port:
                theirs.append(
                    ask_over_and_over(port, "/dashboard", "", viewers=VIEWERS, seconds=arguments.naive_seconds)
                )
    per_s, failures = median([run.per_s for run in ours]), sum(len(run.failures) for run in ours)
    figures = {
        "per_s": per_s, "p50_ms": median([percentile(run.latencies, 0.5) * 1000 for run in ours]),
        "p95_ms": median([percentile(run.latencies, 0.95) * 1000 for run in ours]), "failures": failures,
        "filled_s": filled_s,
    }  # fmt: skip
    peers = {}
    if theirs:
        peers = {"naive_per_s": theirs[0].per_s, "naive_p50_s": percentile(theirs[0].latencies, 0.5)}
        figures["ratio"] = per_s / theirs[0].per_s
    holds = figures.get("ratio", 0) >= 2000 and not failures
    settings = {"orders": arguments.orders, "viewers": VIEWERS, "runs": arguments.runs, "seconds": arguments.seconds}
    report("O7", figures, ">= 2,000x the naive requests/s", holds, peers=peers, settings=settings)


if __name__ == "__main__":
    main()
