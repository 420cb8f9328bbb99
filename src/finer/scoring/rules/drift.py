"""How far values have moved since a model was tried: the population stability index, bin by bin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from finer.kit.shares import Z_95, wilson_bounds
from finer.scoring.types import Baseline, CalibrationBin, Drift, Measure, WatchLimits, WatchState

Array = np.ndarray[Any, np.dtype[Any]]
BINS = 10
_LEAST = 1e-4
"""A bin that nothing falls into counts as this share, so that one empty bin does not make the index endless."""


def baseline(name: str, values: Array) -> Baseline:
    """How values are spread, in about BINS bins of equal size; `values` float64 (rows,), NaN where missing."""
    known = values[~np.isnan(values)]
    quantiles = np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]) if len(known) else np.zeros(0)
    edges = [float(edge) for edge in np.unique(quantiles)]
    shares, missing = _spread(edges, values)
    return Baseline(name=name, edges=edges, shares=[float(share) for share in shares], missing=missing)


def stability(base: Baseline, values: Array) -> float:
    """The population stability index of `values` against a baseline; 0 is no change, from 0.25 on it is another one."""
    shares, missing = _spread(base.edges, values)
    before = np.maximum(np.array([*base.shares, base.missing]), _LEAST)
    now = np.maximum(np.array([*shares, missing]), _LEAST)
    return float(np.sum((now - before) * np.log(now / before)))


def by_chance(base: Baseline, rows: int, tried: int) -> float:
    """The index that `rows` values of the very spread of the `tried` ones have on average: it is never negative."""
    bins = sum(share > 0 for share in (*base.shares, base.missing))
    return (bins - 1) * (1 / max(rows, 1) + 1 / max(tried, 1))


def drift(base: Baseline, values: Array, limits: WatchLimits, tried: int) -> Drift:
    """The index of one column, and whether it calls for somebody: what chance alone makes of it does not.

    `tried` is the number of values that the baseline rests on.
    """
    psi = stability(base, values)
    moved = psi - by_chance(base, len(values), tried)
    state: WatchState = "ok"
    if moved >= limits.psi_alarm:
        state = "alarm"
    elif moved >= limits.psi_warning:
        state = "warning"
    return Drift(name=base.name, psi=psi, state=state)


def log_odds(scores: Array) -> Array:
    """Scores as the card's baseline and the monitors take them: nearly all probabilities are close to 0."""
    clipped = np.clip(scores.astype(np.float64), 1e-9, 1 - 1e-9)
    return np.asarray(np.log(clipped / (1 - clipped)))


def wilson(name: str, hits: int, of: int) -> Measure:
    """A share with its bounds by Wilson's score interval; None of nothing."""
    if of == 0:
        return Measure(name=name, value=None)
    low, high = wilson_bounds(hits, of)
    return Measure(name=name, value=hits / of, low=low, high=high)


def calibration(labels: Array, scores: Array) -> tuple[list[CalibrationBin], float]:
    """Mean score and share of fraud in bins by score, and the expected calibration error, 0 to 1.

    `labels` bool, `scores` float64, both (rows,). The bins hold equally many rows, but for the highest scores, which
    most rows say nothing about: the top hundredth, thousandth and ten thousandth have bins of their own.
    """
    if len(scores) == 0:
        return [], 0.0
    tops = [0.0, *np.linspace(0.1, 0.9, 9), 0.95, 0.99, 0.999, 0.9999]
    edges = np.unique(np.quantile(scores, tops))
    place = np.maximum(np.searchsorted(edges, scores, side="right") - 1, 0)
    found, error = [], 0.0
    for number in range(len(edges)):
        rows = place == number
        count = int(np.count_nonzero(rows))
        if count == 0:
            continue
        predicted, share = float(scores[rows].mean()), wilson("", int(labels[rows].sum()), count)
        observed = share.value or 0.0
        error += count / len(scores) * abs(predicted - observed)
        found.append(
            CalibrationBin(
                rows=count, predicted=predicted, observed=observed, low=share.low or 0.0, high=share.high or 0.0
            )
        )
    return found, error


def ratio(observed: int, expected: float) -> Measure | None:
    """How many times as many frauds there were as the scores say, with bounds (Byar's for a Poisson count)."""
    if expected <= 0:
        return None
    low = 0.0
    if observed:
        low = observed * (1 - 1 / (9 * observed) - Z_95 / (3 * math.sqrt(observed))) ** 3
    more = observed + 1
    high = more * (1 - 1 / (9 * more) + Z_95 / (3 * math.sqrt(more))) ** 3
    return Measure(name="calibration", value=observed / expected, low=max(0.0, low) / expected, high=high / expected)


def _spread(edges: list[float], values: Array) -> tuple[Array, float]:
    """The share of each bin and of what is missing."""
    missing = np.isnan(values)
    count = np.bincount(np.searchsorted(np.array(edges), values[~missing], side="left"), minlength=len(edges) + 1)
    rows = max(len(values), 1)
    return count / rows, float(np.count_nonzero(missing)) / rows
