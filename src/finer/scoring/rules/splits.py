"""Splits by time. What is learnt from lies before what it is tried on, with the time that labels take in between."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from finer.kit.moments import microseconds
from finer.scoring.errors import TrainingRefused

Array = np.ndarray[Any, np.dtype[Any]]


class Fold(msgspec.Struct, frozen=True):
    """Learn from [train_from, train_to), and try on [test_from, test_to). All are UTC."""

    train_from: datetime
    train_to: datetime
    test_from: datetime
    test_to: datetime

    def training_rows(self, times: Array) -> Array:
        """Places of the rows to learn from; `times` int64 (rows,), microseconds since 1970."""
        return _between(times, self.train_from, self.train_to)

    def test_rows(self, times: Array) -> Array:
        """Places of the rows to try on."""
        return _between(times, self.test_from, self.test_to)


def prequential(
    last_start: datetime, count: int, *, training: timedelta, delay: timedelta, test: timedelta
) -> list[Fold]:
    """`count` folds, the earliest first, each one `test` before the next; the last learns from `last_start` on.

    Raises TrainingRefused when a length is not above zero: without a delay a fold would learn from labels that nobody
    knew when its test began, so a delay of nothing has to be asked for as the shortest one, a microsecond.
    """
    if min(training, delay, test) <= timedelta(0) or count < 1:
        raise TrainingRefused(
            f"A split needs at least one fold and lengths above zero; asked for were {count} folds with {training} of "
            f"training, {delay} of delay and {test} of test."
        )
    folds = []
    for back in reversed(range(count)):
        start = last_start - back * test
        begin = start + training + delay
        folds.append(Fold(start, start + training, begin, begin + test))
    return folds


def backwards(end: datetime, count: int, *, training: timedelta, delay: timedelta, test: timedelta) -> list[Fold]:
    """`count` folds of which the last ends its test at `end`; see `prequential`."""
    return prequential(end - test - delay - training, count, training=training, delay=delay, test=test)


def _between(times: Array, start: datetime, end: datetime) -> Array:
    return np.flatnonzero((times >= microseconds(start)) & (times < microseconds(end)))
