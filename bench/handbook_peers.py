"""The Handbook's own models with its own 15 inputs, on the same folds of the same data as Finer's.

A world that is made is easier or harder than the published data, so that the book's figures say little about it: what
these two reach on it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from finer.scoring.service.training import Rows

Array = np.ndarray[Any, np.dtype[Any]]
DAYS = (1, 7, 30)


def inputs_of(windows: Mapping[str, Array], rows: Array) -> Array:
    """What the book's models read, float64 (rows, 15); the windows of a terminal see labels that are 7 days old.

    A terminal without a payment has no share of frauds; the book says 0, and so it is here.
    """
    read = [windows[name][rows] for name in ("amount_minor", "weekend", "night")]
    read += [windows[f"card.{name}_{days}d"][rows] for days in DAYS for name in ("count", "mean")]
    for days in DAYS:
        frauds = windows[f"terminal.frauds_{days}d"][rows]
        count = frauds + windows[f"terminal.genuine_{days}d"][rows]
        read += [count, np.divide(frauds, count, out=np.zeros_like(count), where=count > 0)]
    return np.asarray(np.nan_to_num(np.column_stack(read)))


def scores(windows: Mapping[str, Array], labels: Array, rows: Rows) -> dict[str, Array]:
    """What each model of the book gives the payments of a test, float64 (test rows,), by its name.

    `windows` float64 (payments,) by name, `labels` bool (payments,).
    """
    learnt, tried = inputs_of(windows, rows.train), inputs_of(windows, rows.test)
    models = {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1_000)),
        "forest": RandomForestClassifier(100, max_depth=20, random_state=0, n_jobs=1),
    }
    return {name: model.fit(learnt, labels[rows.train]).predict_proba(tried)[:, 1] for name, model in models.items()}
