"""A small world of payments with fraud that depends on amount and habit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from finer.scoring.service import training
from finer.scoring.service.training import Parameters, Ratio, Recipe, Rows, Table

Array = np.ndarray[Any, np.dtype[Any]]
SMALL = Parameters(trees=20, leaves=6, rate=0.2, rows_in_leaf=10)
SEED = 3


def make_table(rows: int = 6000, seed: int = SEED) -> Table:
    random = np.random.default_rng(seed)
    habit = random.uniform(500, 10_000, rows)
    amount = habit * random.lognormal(0, 0.3, rows)
    fraud = random.random(rows) < 0.02
    amount[fraud] *= 5
    count = random.poisson(2, rows).astype(np.float64)
    count[random.random(rows) < 0.05] = np.nan
    columns = np.stack([amount, habit, count])
    return Table(["amount_minor", "account.mean_30d", "account.count_1h"],
                 [Ratio("amount_to_mean_30d", "amount_minor", "account.mean_30d")], columns, fraud)  # fmt: skip


def make_folds(rows: int = 6000) -> list[Rows]:
    third = rows // 3
    return [Rows(np.arange(third), np.arange(third, 2 * third)),
            Rows(np.arange(third, 2 * third), np.arange(2 * third, rows))]  # fmt: skip


@pytest.fixture(scope="package")
def table() -> Table:
    return make_table()


@pytest.fixture(scope="package")
def recipe(table: Table) -> Recipe:
    return training.learn_recipe(table, make_folds(), candidates=[SMALL], seed=SEED)


@pytest.fixture(scope="package")
def text(table: Table, recipe: Recipe) -> str:
    return training.fit(table, np.arange(4000), recipe, seed=SEED)
