"""How good scores are against labels: ranking, precision within a team's capacity, and intervals around both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from finer.scoring.errors import TrainingRefused

Array = np.ndarray[Any, np.dtype[Any]]
Metric = Callable[[Array, Array], float]


def roc_auc(labels: Array, scores: Array) -> float:
    """Area under the receiver operating characteristic. `labels` bool, `scores` float; both shape (rows,)."""
    return float(roc_auc_score(labels, scores))


def average_precision(labels: Array, scores: Array) -> float:
    """Mean precision over the recalls that the scores reach. `labels` bool, `scores` float; both shape (rows,)."""
    return float(average_precision_score(labels, scores))


def precision_at_capacity(labels: Array, scores: Array, entities: Array, days: Array, capacity: int) -> float:
    """Share of fraud among the `capacity` entities (cards, accounts) that a team looks at a day; the mean over days.

    On each day an entity counts once, by its highest score, and is found when any of its payments that day was a
    fraud. A found entity is blocked, and takes up nobody's time on a later day. All arrays have shape (rows,).
    """
    found = np.zeros(int(entities.max(initial=-1)) + 1, np.bool_)
    shares = []
    for day in np.unique(days):
        rows = np.flatnonzero((days == day) & ~found[entities])
        today, place = np.unique(entities[rows], return_inverse=True)
        highest = np.full(len(today), -np.inf)
        np.maximum.at(highest, place, scores[rows])
        fraud = np.zeros(len(today), np.bool_)
        np.logical_or.at(fraud, place, labels[rows])
        first = np.argsort(-highest, kind="stable")[:capacity]
        hits = today[first][fraud[first]]
        found[hits] = True
        shares.append(len(hits) / capacity)
    return float(np.mean(shares)) if shares else 0.0


def interval(
    metric: Metric, labels: Array, scores: Array, groups: Array, *, seed: int, draws: int = 200, share: float = 0.95
) -> tuple[float, float]:
    """A percentile bootstrap interval of a metric, drawing whole groups (days, customers) and not single rows.

    Rows of a group depend on one another, so that drawing them one by one would make the interval too narrow. Draws
    without both kinds of label are left out.
    """
    random = np.random.default_rng(seed)
    order = np.argsort(groups, kind="stable")
    _, starts = np.unique(groups[order], return_index=True)
    parts = np.split(order, starts[1:])
    found = []
    for _ in range(draws):
        rows = np.concatenate([parts[i] for i in random.integers(0, len(parts), len(parts))])
        if labels[rows].any() and not labels[rows].all():
            found.append(metric(labels[rows], scores[rows]))
    if not found:
        return (float("nan"), float("nan"))
    low, high = np.quantile(found, [(1 - share) / 2, (1 + share) / 2])
    return (float(low), float(high))


def threshold_by_false_positives(labels: Array, scores: Array, rate: float) -> float:
    """The lowest threshold at which at most `rate` of the genuine rows score as high; (0, 1]."""
    genuine = np.sort(scores[~labels])[::-1]
    if len(genuine) == 0:
        raise TrainingRefused(
            "There is no genuine payment to measure a false-positive rate on. Choose a longer period."
        )
    allowed = int(np.floor(rate * len(genuine)))
    return _just_above(float(genuine[allowed])) if allowed < len(genuine) else _just_above(0.0)


def threshold_by_capacity(scores: Array, entities: Array, days: Array, capacity: int) -> float:
    """The lowest threshold at which, on an average day, at most `capacity` entities reach it; (0, 1]."""
    highest = []
    for day in np.unique(days):
        rows = days == day
        today, place = np.unique(entities[rows], return_inverse=True)
        best = np.full(len(today), -np.inf)
        np.maximum.at(best, place, scores[rows])
        highest.append(best)
    if not highest:
        raise TrainingRefused("There is no payment to measure a capacity on. Choose a longer period.")
    ordered = np.sort(np.concatenate(highest))[::-1]
    allowed = capacity * len(highest)
    return _just_above(float(ordered[allowed])) if allowed < len(ordered) else _just_above(0.0)


def _just_above(score: float) -> float:
    return float(min(1.0, np.nextafter(score, 2.0)))
