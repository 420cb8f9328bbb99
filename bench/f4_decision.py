"""F4: rules, model and reasons: microseconds for a payment of a batch, milliseconds for a payment alone.

The built-in rules and a model of 100 trees; windows are there already. What is measured is what decides: the model's
score, every rule, and the sentences of those that held.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from bench.support.bodies import Bodies
from bench.support.model import COLUMNS, learnt_text
from bench.support.report import median, percentile, report
from finer.features.service import Engine
from finer.fraud.service import verdicts as fraud
from finer.ingest.service import contracts, parsing
from finer.ingest.types.records import Body
from finer.kit.columns import Columns
from finer.ledger.rules import RateTable, starter_rates
from finer.scoring.service import models

BATCH, BATCHES, SINGLES = 10_000, 20, 400
NOW = datetime(2027, 1, 1, tzinfo=UTC)
ZONE, RATES = ZoneInfo("Asia/Manila"), RateTable(starter_rates())


class Taken:
    """Seconds that passed, and seconds of the processor: on a machine that others use, only the second tells."""

    def __init__(self) -> None:
        self.passed: list[float] = []
        self.cpu: list[float] = []

    def timed(self, columns: Columns, model: fraud.ActiveModel) -> int:
        """Decide a batch, and note how long it took."""
        passed, cpu = time.perf_counter(), time.process_time()
        done = decide(columns, model)
        self.passed.append(time.perf_counter() - passed)
        self.cpu.append(time.process_time() - cpu)
        return done


def prepared(supply: Bodies, engine: Engine) -> Columns:
    """A batch up to its windows, as the pipeline hands it to the rules."""
    parsed = parsing.parse_body(contracts.contract("transaction"), Body(data=supply.next()[1]), NOW)
    columns = Columns(parsed.batch)
    fraud.derive(columns, RATES, ZONE)
    engine.step(columns, 1)
    return columns


def decide(columns: Columns, model: fraud.ActiveModel) -> int:
    """Score, rules, reasons; returns how many alerts there were."""
    verdicts = fraud.evaluate(columns, model)
    offsets, fresh = np.arange(columns.rows), np.ones(columns.rows, np.bool_)
    return len(fraud.verdicts_to_store(columns, offsets, 0, verdicts, fresh, model, NOW).alerts)


def main() -> None:
    """Batches of 10,000, then payments alone."""
    model = fraud.ActiveModel("bench", "0" * 64, 0.99, models.load_scorer(learnt_text()))
    engine = Engine(fraud.windows(), pool_events=1 << 20)
    supply, alone = Bodies(BATCH, seed=1), Bodies(1, seed=2)
    decide(prepared(supply, engine), model)
    batch, single = Taken(), Taken()
    alerts = sum(batch.timed(prepared(supply, engine), model) for _ in range(BATCHES))
    for _ in range(SINGLES):
        single.timed(prepared(alone, engine), model)
    figures = {
        "us_batch": 1e6 * median(batch.passed) / BATCH, "us_batch_cpu": 1e6 * median(batch.cpu) / BATCH,
        "ms_single": 1e3 * median(single.passed), "ms_single_cpu": 1e3 * median(single.cpu),
        "ms_single_p99": 1e3 * percentile(single.passed, 0.99), "alerts": float(alerts),
    }  # fmt: skip
    good = figures["us_batch"] <= 2 and figures["ms_single"] <= 1
    report("F4", figures, "<= 2 us; <= 1 ms", good,
           settings={"batch": BATCH, "trees": 100, "columns": len(COLUMNS)})  # fmt: skip


if __name__ == "__main__":
    main()
