"""F3: the demo world of a seed that nobody has seen, through the API and the pipeline, held against its own labels.

A Finer with the rules of a new firm takes the whole history of a simulated bank. Its alerts are then compared with the
labels, which never leave the world: no record carries them.
"""

from __future__ import annotations

import argparse
import secrets
import time
from datetime import UTC, datetime, timedelta

import msgspec

from bench.support.report import report
from finer.demo.evaluation import Evaluation
from finer.demo.loader import load
from finer.demo.world import DEFAULT_CUSTOMERS, World
from finer.ingest.types.receipts import READER
from tests.support.server import Server, serving

RECALL_MIN, FALSE_POSITIVES_MAX, ACCURACY_MIN = 0.90, 0.001, 0.95
_WAIT_S = 300.0


def decided(server: Server) -> set[str]:
    """The event ids of all alerts, once every payment was decided. Raises TimeoutError when that does not happen."""
    deadline = time.monotonic() + _WAIT_S
    head = "select next_offset from kit_log_heads where stream = 'transaction'"
    consumed = f"select next_offset from kit_log_consumers where stream = 'transaction' and name = '{READER}'"
    with server.database() as database:
        while time.monotonic() < deadline:
            if database.execute(head).fetchall() == database.execute(consumed).fetchall():
                return {one[0] for one in database.execute("select event_id from decisions_alerts").fetchall()}
            time.sleep(0.5)
    raise TimeoutError(f"Not every payment was decided within {_WAIT_S:g} s.")


def measure(seed: int, days: int, customers: int) -> tuple[Evaluation, float]:
    """Load a world and compare the alerts with its labels; also the seconds that loading and deciding took."""
    world = World.ending(datetime.now(UTC), days, seed, customers)
    with serving() as server:
        began = time.perf_counter()
        loaded = load(world, server.url, server.api_key)
        if loaded.accepted + loaded.duplicate + loaded.quarantined != loaded.received:
            raise RuntimeError(f"The receipts do not add up: {loaded}.")
        alerts = decided(server)
        seconds = time.perf_counter() - began
    return world.evaluate(alerts), seconds


def main() -> None:
    """Draw a seed, run once, print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="The default is drawn, so that nobody has seen it.")
    parser.add_argument("--days", type=int, default=45)
    parser.add_argument("--customers", type=int, default=DEFAULT_CUSTOMERS)
    arguments = parser.parse_args()
    seed = secrets.randbelow(1 << 31) if arguments.seed is None else arguments.seed
    found, seconds = measure(seed, arguments.days, arguments.customers)
    figures = {
        "recall": found.recall, "fpr": found.fpr, "rule_cases_flagged": found.rule_cases_flagged,
        "high_value_covered": found.high_value_covered, "episode_recall": found.episode_recall,
        "precision": found.precision, "accuracy": found.accuracy, "seconds": seconds,
    }  # fmt: skip
    good = (
        found.recall >= RECALL_MIN
        and found.fpr <= FALSE_POSITIVES_MAX
        and found.accuracy > ACCURACY_MIN
        and found.rule_cases_flagged == found.high_value_covered == 1
    )
    settings = {
        "seed": seed, "days": arguments.days, "customers": arguments.customers, "payments": found.payments,
        "frauds": found.frauds, "alerts": found.alerts, "by_scenario": found.by_scenario,
    }  # fmt: skip
    report("F3", figures, "recall >= 90 % at <= 0.1 %; 100 %; 100 %", good, settings=msgspec.to_builtins(settings))


if __name__ == "__main__":
    main()
