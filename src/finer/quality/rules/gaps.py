"""Pauses: how long a contract may usually be without a record."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from finer.quality.types import HOUR_S, STEP_S, Array

LEAST_S = 20
"""A pause of two observations is never a stop; a third one may be."""
_FACTOR = 2.0
"""How much longer than the longest one a pause may be, where pauses are long: few are known, and they differ."""
_RARE = 1e-6
"""How seldom a pause of a steady flow may be a stop by chance alone: less than once in ten weeks of steps."""
_BETWEEN_HOURS = 1.5
STEADY = 0.9
"""A flow is steady when so many of its steps bring records. Others are judged by their pauses, not by their volume."""
HOURS_MIN = 5
SAME_HOURS_MIN = 3


def is_steady(received: Array) -> bool:
    """Whether records come in nearly every step."""
    return len(received) > 0 and float((received > 0).mean()) >= STEADY


def longest_run(received: Array) -> int:
    """The most steps in a row without a record."""
    longest = run = 0
    for count in received:
        run = 0 if count > 0 else run + 1
        longest = max(longest, run)
    return longest


def _steady_gap(recent: Array) -> float:
    """How long a pause of a steady flow may be: as long as it was, and a step; or as long as chance makes it.

    Steps of a steady flow are empty by chance, each by itself: n in a row have the n-th power of the share of one. In
    its first hour, two empty steps are no share yet; they may be a hiccup of one minute.
    """
    empty = float((recent == 0).sum()) / max(len(recent), HOUR_S // STEP_S)
    by_chance = math.ceil(math.log(_RARE) / math.log(empty)) - 1 if empty > 0 else 0
    return float(max(longest_run(recent) + 1, by_chance) * STEP_S)


def usual_gap(recent: Array, same_hours: Sequence[float], hours: Array) -> float | None:
    """How long a pause may be, in seconds; None when too little is known of this flow.

    `recent` counts records by step of the last hours, `same_hours` are the longest pauses within this hour of earlier
    days or weeks, `hours` counts records by hour over the last weeks, oldest first.
    """
    known = max(same_hours) if len(same_hours) >= SAME_HOURS_MIN else None
    pauses: list[float] = [_steady_gap(recent)] if is_steady(recent) else []
    if known is not None:
        pauses.append((known if known <= LEAST_S else _FACTOR * known) + STEP_S)
    # An hour that was empty on some day is judged by the pauses between hours, however busy the one before it was.
    if pauses and (known is None or known < HOUR_S / 2):
        return max(float(LEAST_S), *pauses)
    # Files that come once a day, or a few times an hour: the pauses between the hours in which something came.
    came = np.flatnonzero(hours > 0)
    if len(came) < HOURS_MIN:
        return None
    return float(_BETWEEN_HOURS * np.diff(came).max() * HOUR_S + HOUR_S)
