"""What is usual: robust centres and widths learned from history, and the band that follows from them.

A value is looked at on a scale on which its noise is about the same everywhere: the arcsine of the root for shares
(Anscombe 1948), the root for rates and distributions, the inverse hyperbolic sine for delays. Centre and width are the
median and 1.4826 times the median absolute deviation (Hampel 1974), which up to half of all values can be wrong without
moving far. Two bands are learned, of the last hours and of this hour of earlier weeks (of earlier days, while there are
fewer than three weeks); usual is what either of them holds. Whatever was unusual is not learned from.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from finer.quality.types import Array, MonitorKind, Sensitivity

SPEAKS_AFTER = 30
"""Steps that must have been seen before a monitor speaks: five minutes of a steady flow."""
BLOCKS_MIN = 6
HOURS_MIN = 3
WIDTHS = {Sensitivity.LOW: 9.0, Sensitivity.NORMAL: 6.0, Sensitivity.HIGH: 4.0}
"""How many robust standard deviations of a value belong to the band."""
FLOORS = {Sensitivity.LOW: 2.0, Sensitivity.NORMAL: 1.0, Sensitivity.HIGH: 0.5}
"""By how much the floors below are multiplied."""
SHARE_FLOOR = 0.01
"""A share is unusual at a percentage point above the usual, at the earliest."""
VOLUME_FLOOR = 0.5
"""A volume is unusual at half above or below the usual, at the earliest."""
VOLUME_UNKNOWN = 3.0
"""Until three weeks are known, a third and three times the usual volume are usual too: it may be the day."""
DELAY_FLOOR_S = 5.0
PSI_FLOOR = 0.2
"""A distribution has to move by as much as is taken as a large change in credit scoring."""
_MAD = 1.4826
SHARES = (MonitorKind.VALIDITY, MonitorKind.DUPLICATES, MonitorKind.COMPLETENESS)
TWO_SIDED = (MonitorKind.VOLUME, MonitorKind.TIMELINESS)


def forward(kinds: tuple[MonitorKind | None, ...], values: Array) -> Array:
    """Values on the scale of their kind; the last axis is that of monitors."""
    shares, roots, delays = _masks(kinds)
    found = np.array(values, np.float64)
    found[..., shares] = np.arcsin(np.sqrt(np.clip(found[..., shares], 0.0, 1.0)))
    found[..., roots] = np.sqrt(np.maximum(found[..., roots], 0.0))
    found[..., delays] = np.arcsinh(found[..., delays])
    return found


def backward(kinds: tuple[MonitorKind | None, ...], values: Array) -> Array:
    """The inverse of `forward`; what lies beyond the scale becomes its end."""
    shares, roots, delays = _masks(kinds)
    found = np.array(values, np.float64)
    found[..., shares] = np.sin(np.clip(found[..., shares], 0.0, np.pi / 2)) ** 2
    found[..., roots] = np.maximum(found[..., roots], 0.0) ** 2
    found[..., delays] = np.sinh(np.clip(found[..., delays], -50.0, 50.0))
    return found


@lru_cache(maxsize=512)
def _masks(kinds: tuple[MonitorKind | None, ...]) -> tuple[Array, Array, Array]:
    return (
        np.array([kind in SHARES for kind in kinds], bool),
        np.array([kind in (MonitorKind.VOLUME, MonitorKind.DISTRIBUTION) for kind in kinds], bool),
        np.array([kind is MonitorKind.TIMELINESS for kind in kinds], bool),
    )


def spread(values: Array) -> tuple[Array, Array, Array]:
    """Median, robust standard deviation and number of the values of each column, NaN left out."""
    counts = np.isfinite(values).sum(axis=0)
    centers, scales = np.full(values.shape[1], np.nan), np.full(values.shape[1], np.nan)
    known = counts > 0
    if known.any():
        chosen = values[:, known]
        centers[known] = np.nanmedian(chosen, axis=0)
        scales[known] = _MAD * np.nanmedian(np.abs(chosen - centers[known]), axis=0)
    return centers, scales, counts


def seasonal(values: Array, spreads: Array) -> tuple[Array, Array]:
    """Centre and width of an hour from the same hour of earlier days: widths within hours and between them add up.

    NaN where fewer than HOURS_MIN such hours are known.
    """
    centers, between, counts = spread(values)
    within, _, _ = spread(spreads)
    scales = np.sqrt(np.nan_to_num(within) ** 2 + np.nan_to_num(between) ** 2)
    few = counts < HOURS_MIN
    centers[few], scales[few] = np.nan, np.nan
    return centers, scales


def noise(kinds: tuple[MonitorKind | None, ...], weights: Array) -> Array:
    """The standard deviation that a value has because it rests on few records, on the scale of its kind.

    Exact for shares and for counts of independent records (Anscombe 1948); real ones differ more, which is learned.
    """
    shares, _, _ = _masks(kinds)
    volumes = np.array([kind is MonitorKind.VOLUME for kind in kinds], bool)
    found = np.zeros(len(weights))
    root = np.sqrt(np.maximum(weights, 1.0))
    found[shares | volumes] = 0.5 / root[shares | volumes]
    return found


def band(
    kinds: tuple[MonitorKind | None, ...],
    learned: tuple[Array, Array],
    weights: Array,
    sensitivities: Sequence[Sensitivity],
    bins: Array,
) -> tuple[Array, Array]:
    """The lowest and the highest usual value of each monitor, NaN where nothing is learned; shapes (monitors,).

    `learned` are centres and scales, `weights` the records that the value to be judged rests on, `bins` how many bins a
    distribution has: its index is raised by few records, by about (bins - 1) / n with a standard deviation of
    sqrt(2 (bins - 1)) / n (Yurdakul 2018).
    """
    centers, scales = learned
    width = np.array([WIDTHS[one] for one in sensitivities])
    floor = np.array([FLOORS[one] for one in sensitivities])
    reach = width * np.sqrt(scales**2 + noise(kinds, weights) ** 2)
    middle = backward(kinds, centers)
    low, high = backward(kinds, centers - reach), backward(kinds, centers + reach)
    for place, kind in enumerate(kinds):
        if kind in SHARES:
            high[place] = max(high[place], middle[place] + SHARE_FLOOR * floor[place])
        elif kind is MonitorKind.VOLUME:
            low[place] = min(low[place], middle[place] / (1 + VOLUME_FLOOR * floor[place]))
            high[place] = max(high[place], middle[place] * (1 + VOLUME_FLOOR * floor[place]))
        elif kind is MonitorKind.TIMELINESS:
            far = floor[place] * max(DELAY_FLOOR_S, abs(middle[place]))
            low[place], high[place] = min(low[place], middle[place] - far), max(high[place], middle[place] + far)
        elif kind is MonitorKind.DISTRIBUTION:
            few = max(bins[place] - 1, 1) / max(weights[place], 1.0)
            chance = few + width[place] * np.sqrt(2 * max(bins[place] - 1, 1)) / max(weights[place], 1.0)
            high[place] = max(high[place], middle[place] + PSI_FLOOR * floor[place], middle[place] + chance)
    return low, high


def hull(one: tuple[Array, Array], other: tuple[Array, Array]) -> tuple[Array, Array]:
    """What either of two bands holds; NaN only where both are."""
    return np.fmin(one[0], other[0]), np.fmax(one[1], other[1])
