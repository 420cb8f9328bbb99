"""What is usual of any hourly number, by the same arithmetic that watches records: for alerts on metrics."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from finer.quality.rules import bands
from finer.quality.types import MonitorKind, Sensitivity

_KIND = (MonitorKind.VOLUME,)


def seasonal_band(
    history: Sequence[tuple[datetime, float]], at: datetime, sensitivity: Sensitivity
) -> tuple[float, float] | None:
    """The lowest and the highest usual value of the hour that begins at `at`, learned from earlier hours.

    The same hour of earlier weeks counts, or of earlier days while there are fewer than three weeks. None while there
    are fewer than three such hours. Values that are negative count as nothing.
    """
    same = [(when, value) for when, value in history if when < at and when.hour == at.hour]
    weekly = [value for when, value in same if when.weekday() == at.weekday()]
    values = weekly[-8:] if len(weekly) >= bands.HOURS_MIN else [value for _, value in same[-10:]]
    if len(values) < bands.HOURS_MIN:
        return None
    learned = bands.spread(bands.forward(_KIND, np.array(values)[:, None]))
    middle = bands.backward(_KIND, learned[0])
    low, high = bands.band(_KIND, learned[:2], middle, [sensitivity], np.zeros(1))
    if len(weekly) < bands.HOURS_MIN:
        # As for volumes of records: until three weeks are known, it may be the day.
        low, high = np.fmin(low, middle / bands.VOLUME_UNKNOWN), np.fmax(high, middle * bands.VOLUME_UNKNOWN)
    return float(low[0]), float(high[0])
