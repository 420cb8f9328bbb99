"""What a model's card says: figures on later rows with their bounds, curves, groups, and how its inputs are spread."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
import numpy as np
from sklearn.metrics import precision_recall_curve

from finer.scoring.errors import TrainingRefused
from finer.scoring.rules.drift import baseline, calibration, log_odds, wilson
from finer.scoring.rules.ensemble import Scorer
from finer.scoring.rules.metrics import average_precision, interval, precision_at_capacity, roc_auc
from finer.scoring.types import Baseline, CalibrationBin, CurvePoint, GroupResult, Measure, Weight

Array = np.ndarray[Any, np.dtype[Any]]
_POINTS = 60
_GROUPS_MAX = 12
_EXPLAINED_ROWS = 2_000


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that a model was tried on: labels bool, scores float64, entities and days int64 codes; all (rows,)."""

    labels: Array
    scores: Array
    entities: Array
    days: Array


def measures(tried: Tried, threshold: float, capacity: int, *, seed: int) -> list[Measure]:
    """Ranking, precision within the team's capacity, and what the threshold gives; bounds by drawing whole entities.

    Raises TrainingRefused when the rows hold only one kind of label: nothing could be said of the model.
    """
    labels, scores = tried.labels, tried.scores
    if not labels.any() or labels.all():
        raise TrainingRefused(
            f"The {len(labels):,} payments of the trial hold {int(labels.sum()):,} known frauds; both kinds are needed "
            "to say how good a model is. Choose a longer trial, or wait for labels."
        )
    found = []
    for name, metric in (("average precision", average_precision), ("area under ROC", roc_auc)):
        low, high = interval(metric, labels, scores, tried.entities, seed=seed)
        found.append(Measure(name=name, value=metric(labels, scores), low=low, high=high))
    found.append(_at_capacity(tried, capacity, seed=seed))
    flagged = scores >= threshold
    hits = int(np.count_nonzero(flagged & labels))
    found += [
        wilson("precision", hits, int(np.count_nonzero(flagged))),
        wilson("recall", hits, int(np.count_nonzero(labels))),
        wilson("false-positive rate", int(np.count_nonzero(flagged & ~labels)), int(np.count_nonzero(~labels))),
        Measure(name="alerts per day", value=float(np.count_nonzero(flagged)) / max(len(np.unique(tried.days)), 1)),
    ]
    return found


def _at_capacity(tried: Tried, capacity: int, *, seed: int) -> Measure:
    """Precision within capacity by day; drawn are days, since it is a mean over them."""
    days = np.unique(tried.days)
    by_day = np.array([
        precision_at_capacity(
            tried.labels[rows], tried.scores[rows], tried.entities[rows], tried.days[rows], capacity
        )
        for rows in (np.flatnonzero(tried.days == day) for day in days)
    ])  # fmt: skip
    value = precision_at_capacity(tried.labels, tried.scores, tried.entities, tried.days, capacity)
    draws = np.random.default_rng(seed).choice(by_day, (400, len(by_day))).mean(axis=1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return Measure(name=f"precision at {capacity} a day", value=value, low=float(low), high=float(high))


def curve(labels: Array, scores: Array) -> list[CurvePoint]:
    """Precision and recall by threshold, from low to high, at most _POINTS of them."""
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    genuine = np.sort(scores[~labels])
    # Evenly by recall: most thresholds lie where nobody would put one.
    wanted = np.unique(np.searchsorted(-recall[:-1], -np.linspace(1, 0.01, _POINTS)).clip(0, len(thresholds) - 1))
    return [
        CurvePoint(
            threshold=float(thresholds[i]),
            precision=float(precision[i]),
            recall=float(recall[i]),
            false_positive_rate=float(len(genuine) - np.searchsorted(genuine, thresholds[i])) / max(len(genuine), 1),
        )
        for i in wanted
    ]


def groups(tried: Tried, threshold: float, by: Mapping[str, Array]) -> list[GroupResult]:
    """How the threshold treats each group: `by` are texts (rows,) by the name of the column; the largest groups."""
    flagged = tried.scores >= threshold
    found = []
    for name, values in by.items():
        texts, place, counts = np.unique(values, return_inverse=True, return_counts=True)
        for number in np.argsort(-counts, kind="stable")[:_GROUPS_MAX]:
            rows = place == number
            labels, hit = tried.labels[rows], flagged[rows]
            found.append(
                GroupResult(
                    by=name,
                    value=str(texts[number]),
                    rows=int(counts[number]),
                    frauds=int(labels.sum()),
                    flagged=int(hit.sum()),
                    false_positive_rate=wilson("false-positive rate", int((hit & ~labels).sum()), int((~labels).sum())),
                    recall=wilson("recall", int((hit & labels).sum()), int(labels.sum())),
                )
            )
    return found


def weights(scorer: Scorer, rows: Array, *, seed: int) -> list[Weight]:
    """What moves the scores, the most first, over some of `rows` float64 (columns, n)."""
    some = np.random.default_rng(seed).permutation(rows.shape[1])[:_EXPLAINED_ROWS]
    parts = np.abs(scorer.contributions(np.ascontiguousarray(rows[:, some]))[:, :-1]).mean(axis=0)
    total = float(parts.sum()) or 1.0
    order = np.argsort(-parts, kind="stable")
    return [Weight(term=scorer.terms[place], share=float(parts[place]) / total) for place in order]


def spreads(names: list[str], rows: Array) -> list[Baseline]:
    """How each column is spread over `rows` float64 (columns, n)."""
    return [baseline(name, values) for name, values in zip(names, rows, strict=True)]


def score_spread(scores: Array) -> Baseline:
    """How the scores are spread, in log-odds: nearly all probabilities are close to 0."""
    return baseline("score", log_odds(scores))


def calibrated(tried: Tried) -> tuple[list[CalibrationBin], float]:
    """How far scores are the probabilities that they say they are."""
    return calibration(tried.labels, tried.scores)


def paired(one: Tried, other_scores: Array, *, seed: int, draws: int = 200) -> list[Measure]:
    """How much better `other_scores` are than the scores of `one` on the same rows, with bounds; more is better."""
    random = np.random.default_rng(seed)
    order = np.argsort(one.entities, kind="stable")
    _, starts = np.unique(one.entities[order], return_index=True)
    parts = np.split(order, starts[1:])
    samples = [np.concatenate([parts[i] for i in random.integers(0, len(parts), len(parts))]) for _ in range(draws)]
    found = []
    for name, metric in (("average precision", average_precision), ("area under ROC", roc_auc)):
        difference = partial(_difference, metric, one, other_scores)
        drawn = [difference(rows) for rows in samples if one.labels[rows].any() and not one.labels[rows].all()]
        low, high = np.quantile(drawn, (0.025, 0.975)) if drawn else (None, None)
        found.append(
            Measure(
                name=name,
                value=difference(np.arange(len(one.labels))),
                low=None if low is None else float(low),
                high=None if high is None else float(high),
            )
        )
    return found


def _difference(metric: Any, one: Tried, other: Array, rows: Array) -> float:
    return float(metric(one.labels[rows], other[rows]) - metric(one.labels[rows], one.scores[rows]))
