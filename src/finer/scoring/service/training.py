"""Training: what earlier folds say about how to learn, a model made with it, and how good it is later on.

Import this only where something is trained: scikit-learn takes memory that a process which scores has no use for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from finer.kit.moments import microseconds
from finer.scoring.rules.ensemble import Calibration, Ensemble, Ratio
from finer.scoring.rules.metrics import (
    average_precision,
    interval,
    precision_at_capacity,
    roc_auc,
    threshold_by_capacity,
    threshold_by_false_positives,
)
from finer.scoring.rules.splits import Fold, backwards, prequential
from finer.scoring.rules.training import Parameters, Rows, Table, calibrate, choose, fit_ensemble

__all__ = [
    "CANDIDATES",
    "Ensemble",
    "Fold",
    "Parameters",
    "Ratio",
    "Recipe",
    "Rows",
    "Table",
    "average_precision",
    "backwards",
    "fit",
    "interval",
    "learn_recipe",
    "precision_at_capacity",
    "prequential",
    "roc_auc",
    "rows_of",
    "threshold_by_capacity",
    "threshold_by_false_positives",
]

Array = np.ndarray[Any, np.dtype[Any]]

CANDIDATES = (
    Parameters(trees=150, leaves=8, rate=0.05, rows_in_leaf=50),
    Parameters(trees=250, leaves=6, rate=0.03, rows_in_leaf=50),
    Parameters(trees=120, leaves=16, rate=0.05, rows_in_leaf=20),
)
"""Small trees, slowly: a week of payments holds a few hundred frauds, which larger ones learn by heart."""


class Recipe(msgspec.Struct, frozen=True):
    """How to learn, as the validation folds say: parameters, weights, and the mean average precision of each choice."""

    parameters: Parameters
    calibration: Calibration
    tried: list[float]


def learn_recipe(
    table: Table,
    validation: Sequence[Rows],
    *,
    candidates: Sequence[Parameters] = CANDIDATES,
    seed: int,
    threads: int = 1,
    tell: Callable[[], None] = lambda: None,
) -> Recipe:
    """Choose parameters and fit the weights of trees and forest, on the tests of the folds and on nothing else.

    `tell` is called before each training, and may raise to end it all.

    Raises TrainingRefused when a fold holds too little to learn from.
    """
    choice = choose(table, validation, candidates, seed=seed, threads=threads, tell=tell)
    return Recipe(choice.parameters, calibrate(table, validation, choice.margins, seed=seed), choice.means)


def fit(table: Table, rows: Array, recipe: Recipe, *, seed: int, threads: int = 1) -> str:
    """A model as it is stored and registered, learnt from some rows: JSON text; see finer.scoring.rules.ensemble.

    The same table, rows, recipe and seed give the same text. Raises TrainingRefused for too few frauds.
    """
    ensemble = fit_ensemble(table, rows, recipe.calibration, recipe.parameters, seed=seed, threads=threads)
    return msgspec.json.encode(ensemble).decode()


def rows_of(fold: Fold, times: Array, known_at: Array | None = None) -> Rows:
    """The rows of a fold by their times; `known_at` leaves out labels that nobody knew when the test began.

    Both int64 (rows,), microseconds since 1970 UTC. A row whose label was not known is no training row: taking it for
    a genuine one would teach the model that recent frauds are none.
    """
    train = fold.training_rows(times)
    if known_at is not None:
        train = train[known_at[train] <= microseconds(fold.test_from)]
    return Rows(train, fold.test_rows(times))
