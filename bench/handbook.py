"""The Fraud Detection Handbook's protocol through Finer's own windows and training.

Chapter 3: train on 7 days, wait 7 days for labels, test on 7 days. Chapter 5: four such folds one week apart, with
parameters chosen on four earlier folds only, the last of which ends before the first test begins. Cards that are known
to be compromised are left out of a test. Windows see every payment before, and labels 7 days old or older.

    finer bench handbook --data transactions.parquet
    finer bench handbook --seed 1

Without --data a world is made by bench/handbook_world.py. Beside Finer stand what the book's own models reach on the
same data (bench/handbook_peers.py) and a judge who knows how its frauds are made (bench/handbook_judge.py), the limit.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.handbook_judge import judged
from bench.handbook_peers import scores as book_scores
from bench.handbook_world import make_world
from bench.support.report import machine, report
from finer.features.service import Engine
from finer.features.types import Aggregate, Entity, FeatureDefinition, FeatureSet
from finer.kit.columns import Columns
from finer.scoring.service import models, training
from finer.scoring.service.training import Fold, Ratio, Rows, Table

Array = np.ndarray[Any, np.dtype[Any]]
DELAY = timedelta(days=7)
DAY_US = 86_400_000_000
BATCH = 16_384
CAPACITY = 100


def feature_set() -> FeatureSet:
    """Windows of the card and of the terminal; what is known of fraud is known 7 days later."""
    declare, kind, day = FeatureDefinition, Aggregate, timedelta(days=1)
    card = [
        declare(f"card.{name}_{days}d", "card", aggregate, days * day, value)
        for days in (1, 7, 30)
        for name, aggregate, value in (("count", kind.COUNT, None), ("mean", kind.MEAN, "amount_minor"))
    ]
    card += [
        declare("card.max_7d", "card", kind.MAX, 7 * day, "amount_minor"),
        declare("card.stddev_14d", "card", kind.STDDEV, 14 * day, "amount_minor"),
        declare("card.mean_90d", "card", kind.MEAN, 90 * day, "amount_minor"),
        declare("card.stddev_90d", "card", kind.STDDEV, 90 * day, "amount_minor"),
        declare("card.genuine_mean_83d", "card", kind.MEAN, 83 * day, "amount_minor", "is_genuine", delay=DELAY),
    ]
    # A compromised terminal has frauds only: whether a genuine payment came since says more than their share does.
    known = (("genuine", "is_genuine", (1, 3, 7, 21, 30)), ("frauds", "is_fraud", (1, 3, 7, 14, 21)))
    terminal = [
        declare(f"terminal.{name}_{days}d", "terminal", kind.COUNT, days * day, None, where, delay=DELAY)
        for name, where, lengths in known
        for days in lengths
    ]
    terminal.append(
        declare("terminal.frauds_before", "terminal", kind.COUNT, 28 * day, None, "is_fraud", delay=28 * day)
    )
    # Only the book's models read this one, so it is the last.
    terminal.append(declare("terminal.frauds_30d", "terminal", kind.COUNT, 30 * day, None, "is_fraud", delay=DELAY))
    entities = (Entity("card", ("card",)), Entity("terminal", ("terminal",)))
    return FeatureSet(entities, (*card, *terminal))


RATIOS = [
    *(
        Ratio(f"amount_to_{name}", "amount_minor", f"card.{name}")
        for name in ("mean_7d", "mean_30d", "mean_90d", "genuine_mean_83d")
    ),
    *(
        Ratio(f"{name}_to_genuine", f"card.{name}", "card.genuine_mean_83d")
        for name in ("mean_7d", "max_7d", "stddev_14d", "stddev_90d")
    ),
]
"""What a card does, measured by what is usual for it: learnt from a week, trees do not find a division."""


class Payments(msgspec.Struct):
    """Every payment in the order of its time, with its windows; arrays of shape (payments,).

    `table` is what Finer learns from, `windows` by name also those that only the book's models read.
    """

    table: Table
    windows: dict[str, Array]
    times: Array
    days: Array
    cards: Array
    terminals: Array


def read(file: Path | None, seed: int) -> pa.Table:
    """The payments of a Parquet file, or of a world that is made now."""
    wanted = ["TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD"]
    if file is None:
        return make_world(seed).select(wanted)
    try:
        names = pq.read_schema(file).names
    except (pa.ArrowException, OSError) as error:
        raise click.UsageError(f"{file} is no Parquet file: {error}") from error
    missing = set(wanted) - set(names)
    if missing:
        raise click.UsageError(f"{file} has no column {', '.join(sorted(missing))}.")
    return pq.read_table(file, columns=wanted)


def compute(found: pa.Table) -> Payments:
    """Put the payments in the order of their time and take them through the windows."""
    times = np.asarray(found.column("TX_DATETIME").cast(pa.timestamp("us")).combine_chunks().view(pa.int64()))
    order = np.argsort(times, kind="stable")
    found, times = found.take(pa.array(order)).combine_chunks(), times[order]
    amount = pc.round(pc.multiply(found.column("TX_AMOUNT").cast(pa.float64()), 100)).cast(pa.int64())
    batch = pa.RecordBatch.from_pydict(
        {
            "card": found.column("CUSTOMER_ID").cast(pa.string()).combine_chunks(),
            "terminal": found.column("TERMINAL_ID").cast(pa.string()).combine_chunks(),
            "occurred_at": pa.array(times, pa.timestamp("us", "UTC")),
            "amount_minor": amount.combine_chunks(),
        }
    )
    windows = feature_set()
    days = times // DAY_US
    values = np.empty((len(windows.names) + 3, len(times)))
    values[0] = np.asarray(batch.column("amount_minor"))
    values[1] = (days + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    values[2] = times // 3_600_000_000 % 24 <= 6
    fraud = np.asarray(found.column("TX_FRAUD").cast(pa.int64())) > 0
    engine = Engine(windows, lateness=timedelta(0))
    for start in range(0, len(times), BATCH):
        part = slice(start, start + BATCH)
        columns = Columns(batch.slice(start, BATCH))
        columns.add("is_fraud", fraud[part])
        columns.add("is_genuine", ~fraud[part])
        values[3:, part] = engine.step(columns, 1).matrix
    if engine.metrics()["truncated"]:
        raise click.ClickException("A window has lost payments for want of room: the figures would mean nothing.")
    names = ["amount_minor", "weekend", "night", *windows.names]
    cards, terminals = (
        np.asarray(batch.column(name).dictionary_encode().indices).astype(np.int64) for name in ("card", "terminal")
    )
    table = Table(names[:-1], RATIOS, values[:-1], fraud)
    return Payments(table, dict(zip(names, values, strict=True)), times, days - days[0], cards, terminals)


def rows_of(fold: Fold, found: Payments) -> Rows:
    """The rows of a fold, without the cards that are known to be compromised on the day of the test.

    Those are the cards with a fraud in the training week, and for each day of the test those with one a week before it
    or earlier, since the training week.
    """
    rows = training.rows_of(fold, found.times)
    fraud, cards, days = found.table.labels, found.cards, found.days
    first, begin = int(days[rows.train[0]]), int(days[rows.test[0]])
    known = np.zeros(int(cards.max()) + 1, np.bool_)
    known[cards[rows.train][fraud[rows.train]]] = True
    kept = []
    for day in range(int(days[rows.test[-1]]) - begin + 1):
        learnt = (days == first + DELAY.days + day - 1) & fraud
        known[cards[learnt]] = True
        today = rows.test[days[rows.test] == begin + day]
        kept.append(today[~known[cards[today]]])
    return Rows(rows.train, np.concatenate(kept))


def measure(found: Payments, rows: Rows, scores: Array) -> dict[str, float]:
    """AUC, AP, CP@100 and the share of the best possible CP@100 on one test."""
    labels, cards, days = found.table.labels[rows.test], found.cards[rows.test], found.days[rows.test]
    reached = training.precision_at_capacity(labels, scores, cards, days, CAPACITY)
    possible = training.precision_at_capacity(labels, labels.astype(np.float64), cards, days, CAPACITY)
    return {
        "auc": training.roc_auc(labels, scores),
        "ap": training.average_precision(labels, scores),
        "cp100": reached,
        "oracle_cp100": possible,
        "share_of_oracle": reached / possible,
    }


def folds() -> tuple[list[Fold], list[Fold]]:
    """The four folds that parameters are chosen on, and the four that are tested; the first of these is chapter 3's."""
    shape = {"training": timedelta(days=7), "delay": DELAY, "test": timedelta(days=7)}
    chosen_on = training.prequential(datetime(2018, 7, 11, tzinfo=UTC), 4, **shape)
    return chosen_on, training.prequential(datetime(2018, 8, 15, tzinfo=UTC), 4, **shape)


def run(file: Path | None, seed: int, threads: int, say: Callable[[str], None] = click.echo) -> dict[str, Any]:
    """The whole protocol: the figures of rows F1 and F2, and those of each fold."""
    began = time.perf_counter()
    found = compute(read(file, seed))
    table = found.table
    say(
        f"{len(table.labels)} payments, {int(table.labels.sum())} frauds, {len(table.input_names)} inputs, "
        f"windows after {time.perf_counter() - began:.0f} s"
    )
    chosen_on, tested = folds()
    recipe = training.learn_recipe(table, [rows_of(fold, found) for fold in chosen_on], seed=seed, threads=threads)
    say(f"chosen on {chosen_on[0].train_from:%Y-%m-%d} to {chosen_on[-1].test_to:%Y-%m-%d}: {recipe.parameters}")
    results, books = [], []
    delay_us = DELAY // timedelta(microseconds=1)
    amounts, places = table.columns[0] / 100, (found.cards, found.terminals)
    limit = judged(found.times, delay_us, found.days, *places, amounts, table.labels)
    for fold in tested:
        rows = rows_of(fold, found)
        scorer = models.load_scorer(training.fit(table, rows.train, recipe, seed=seed, threads=threads))
        scores = scorer.margins(table.columns[:, rows.test])
        results.append(measure(found, rows, scores))
        others = {**book_scores(found.windows, table.labels, rows), "judge": limit[rows.test]}
        books.append({name: measure(found, rows, its) for name, its in others.items()})
        say(
            f"train {fold.train_from:%m-%d}, test {fold.test_from:%m-%d} to {fold.test_to:%m-%d} (excluded): "
            f"{len(rows.test)} payments, {int(table.labels[rows.test].sum())} frauds; "
            "AUC {auc:.3f}  AP {ap:.3f}  CP@100 {cp100:.3f} of {oracle_cp100:.3f} ({share_of_oracle:.1%})".format(
                **results[-1]
            )
        )
    mean = {name: float(np.mean([one[name] for one in results])) for name in results[0]}
    spread = {f"{name}_std": float(np.std([one[name] for one in results])) for name in results[0]}
    say(
        "four folds: AUC {auc:.3f}  AP {ap:.3f}  CP@100 {cp100:.3f} ({share_of_oracle:.1%} of the oracle)".format(
            **mean
        )
    )
    seconds = time.perf_counter() - began
    here = {
        "F1": {
            name: {one: float(np.mean([fold[name][one] for fold in books])) for one in MEASURED} for name in books[0]
        },
        "F2": {name: {one: figures[one] for one in MEASURED} for name, figures in books[0].items()},
    }
    for name, figures in here["F1"].items():
        say("{} here: AUC {auc:.3f}  AP {ap:.3f}  CP@100 {cp100:.3f}".format(name, **figures))
    return {"F1": mean | spread | {"seconds": seconds}, "F2": results[0], "folds": results, "here": here}


MEASURED = ("auc", "ap", "cp100")
GOALS = {"F1": (0.878, 0.700, 0.310), "F2": (0.885, 0.670, 0.300)}


def holds(row: str, figures: dict[str, float]) -> bool:
    """Whether a row of the numbers to reach is reached."""
    return all(figures[name] >= goal for name, goal in zip(MEASURED, GOALS[row], strict=True))


def peers_here(figures: dict[str, Any], row: str) -> dict[str, float]:
    """What the book's models and the judge reached on the same data, as `forest_here_auc`."""
    return {f"{name}_here_{one}": value for name, its in figures["here"][row].items() for one, value in its.items()}


def command(row: str | None) -> click.Command:
    """`finer bench handbook`, or one of its rows."""

    @click.command()
    @click.option("--data", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Parquet; else a world.")
    @click.option("--seed", type=int, default=0, show_default=True, help="Of the training, and of the world.")
    @click.option("--threads", type=click.IntRange(1, 64), default=1, show_default=True, help="Threads of LightGBM.")
    def main(data: Path | None, seed: int, threads: int) -> None:
        """The protocol of the Fraud Detection Handbook; the last line is JSON."""
        figures = run(data, seed, threads)
        settings = {"data": "file" if data else "made by bench/handbook_world.py", "seed": seed, "threads": threads}
        if row is None:
            rounded = json.loads(json.dumps(figures), parse_float=lambda text: round(float(text), 4))
            held = {name: holds(name, figures[name]) for name in GOALS}
            click.echo(json.dumps(rounded | {"holds": held, "settings": settings, "machine": machine()}))
            return
        auc, precision, capacity = GOALS[row]
        goal = f"AUC >= {auc}, AP >= {precision}, CP@100 >= {capacity}"
        report(
            row,
            figures[row],
            goal,
            holds(row, figures[row]),
            peers=PEERS[row] | peers_here(figures, row),
            settings=settings,
        )

    return main


PEERS = {
    "F1": {"xgboost_auc": 0.869, "xgboost_ap": 0.687, "xgboost_cp100": 0.303},
    "F2": {"best_of_five_auc": 0.871, "best_of_five_ap": 0.658, "best_of_five_cp100": 0.291},
}
"""The book's own rows, on the published data; what others reach on the same data stands beside them."""

if __name__ == "__main__":
    command(None)()
