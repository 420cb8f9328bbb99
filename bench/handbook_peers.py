"""The Handbook's own models with its own 15 inputs, on the same folds of the same data as Finer's.

A world that is made is easier or harder than the published data, so that the book's figures say little about it: what
these two reach on it does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from finer.scoring.service.training import Rows, Table

Array = np.ndarray[Any, np.dtype[Any]]
INPUTS = (
    "amount_minor", "weekend", "night",
    *(f"card.{name}_{days}d" for days in (1, 7, 30) for name in ("count", "mean")),
    *(f"terminal.{name}_{days}d" for days in (1, 7, 30) for name in ("count", "share")),
)  # fmt: skip
"""What the book's models read; the windows of a terminal see labels that are 7 days old."""


def scores(table: Table, rows: Rows) -> dict[str, Array]:
    """What each model of the book gives the payments of a test, float64 (test rows,), by its name."""
    places = [table.names.index(name) for name in INPUTS]
    # A terminal without a payment has no share of frauds; the book says 0.
    inputs = np.nan_to_num(table.columns[places].T)
    models = {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1_000)),
        "forest": RandomForestClassifier(100, max_depth=20, random_state=0, n_jobs=1),
    }
    return {
        name: model.fit(inputs[rows.train], table.labels[rows.train]).predict_proba(inputs[rows.test])[:, 1]
        for name, model in models.items()
    }
