"""F8: training on one million labelled payments: windows, choice of parameters, calibration, and the model itself."""

from __future__ import annotations

import time
from datetime import timedelta

import click
import numpy as np

from bench.handbook import compute
from bench.handbook_world import make_world
from bench.support.report import report
from finer.kit.moments import from_microseconds
from finer.scoring.service import models, training

PAYMENTS, SEED = 1_000_000, 0


@click.command()
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="Threads of LightGBM.")
def main(threads: int) -> None:
    """Parameters are chosen on two folds of the last weeks, then the model learns from all rows."""
    world = make_world(SEED, customers=3000, terminals=6000).slice(0, PAYMENTS)
    begin = time.perf_counter()
    found = compute(world)
    windows = time.perf_counter() - begin
    week = timedelta(days=7)
    end = from_microseconds(int(found.times[-1]))
    folds = [
        training.rows_of(fold, found.times)
        for fold in training.backwards(end, 2, training=4 * week, delay=week, test=week)
    ]
    recipe = training.learn_recipe(found.table, folds, seed=SEED, threads=threads)
    scorer = models.load_scorer(
        training.fit(found.table, np.arange(world.num_rows), recipe, seed=SEED, threads=threads)
    )
    seconds = time.perf_counter() - begin
    exact = scorer.parity() <= models.PARITY_MAX
    figures = {"seconds": seconds, "seconds_windows": windows, "payments": float(world.num_rows)}
    report("F8", figures, "<= 120 s", seconds <= 120 and exact and world.num_rows == PAYMENTS,
           settings={"threads": threads, "inputs": len(found.table.input_names)})  # fmt: skip


if __name__ == "__main__":
    main()
