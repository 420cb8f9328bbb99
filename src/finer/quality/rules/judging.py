"""Verdicts: what one step of a contract shows beside what is usual, and since when."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import numpy as np

from finer.quality.rules import bands
from finer.quality.rules.measures import Plan, matrix, measure, plan_of
from finer.quality.types import (
    HOUR_OF_WEEK,
    HOUR_S,
    STEP_S,
    Array,
    Breach,
    Monitor,
    MonitorKind,
    Observation,
    Progress,
    Sensitivity,
    Streak,
    Tally,
    Watch,
)

PERSISTS = 2
"""Steps in a row that have to be unusual, so that one odd one is no alarm. A file that comes once is judged at once."""
SETTLES = 3
"""Steps in a row that have to be usual again until it is over."""
_GAP_FACTORS = {Sensitivity.LOW: 2.0, Sensitivity.NORMAL: 1.0, Sensitivity.HIGH: 0.75}


class Verdict(NamedTuple):
    """What became of one step: what is kept of it, where the watch stands now, and who objects for long enough."""

    observation: Observation
    progress: Progress
    breaches: list[Breach]


class Judge:
    """Judges steps of one contract, one after the other, by what was learned of it."""

    def __init__(self, watch: Watch, monitors: Sequence[Monitor], recent: Sequence[Tally]) -> None:
        """`recent` are the steps before the first one that is judged, oldest first; as many as a window needs."""
        self._watch, self._monitors = watch, {one.place: one for one in monitors}
        self._plan: Plan = plan_of(watch.layout, monitors)
        self._rows = list(matrix(watch.layout, recent)[-(watch.usual.window - 1) or len(recent) :])
        self.progress = watch.progress
        self._bins = np.array(
            [len(self._plan.bins[place][2]) if place in self._plan.bins else 0 for place in range(self._plan.places)]
        )
        self._sensitivities = [
            self._monitors[place].sensitivity if place in self._monitors else Sensitivity.NORMAL
            for place in range(self._plan.places)
        ]

    def step(self, tally: Tally) -> Verdict:
        """Judge the next step."""
        values, weights = self._measured(tally)
        quiet_s = 0 if tally.received or tally.rows else self.progress.quiet_s + STEP_S
        lows, highs = self._band(weights)
        self._judge_quiet(tally, quiet_s, values, highs)
        odd = self._odd(values, lows, highs, quiet_s) & self._agrees(tally, lows, highs)
        streaks, breaches = self._follow(tally, values, lows, highs, odd)
        self.progress = Progress(
            observed_until=tally.at + timedelta(seconds=STEP_S),
            quiet_s=quiet_s,
            last_record_at=self.progress.last_record_at if quiet_s else tally.at + timedelta(seconds=STEP_S),
            streaks=streaks,
        )
        kept = Observation(
            tally=tally, values=known(values), lows=known(lows), highs=known(highs),
            unusual=tuple(int(place) for place in np.flatnonzero(odd)),
        )  # fmt: skip
        return Verdict(kept, self.progress, breaches)

    def _measured(self, tally: Tally) -> tuple[Array, Array]:
        window = self._watch.usual.window
        before = self._rows[-(window - 1) :] if window > 1 else []
        self._rows = [*before, matrix(self._watch.layout, [tally])[0]]
        values, weights = measure(self._plan, np.sum(self._rows, axis=0)[None, :], len(self._rows))
        return values[0], weights[0]

    def _band(self, weights: Array) -> tuple[Array, Array]:
        usual, kinds = self._watch.usual, self._plan.kinds
        recent = (self._learned(usual.centers), self._learned(usual.scales))
        earlier = (self._learned(usual.hour_centers), self._learned(usual.hour_scales))
        low, high = bands.hull(
            bands.band(kinds, recent, weights, self._sensitivities, self._bins),
            bands.band(kinds, earlier, weights, self._sensitivities, self._bins),
        )
        for place, kind in enumerate(kinds):
            if kind is MonitorKind.VOLUME and usual.basis != HOUR_OF_WEEK:
                for centers, _ in (recent, earlier):
                    middle = float(bands.backward(kinds, centers)[place])
                    low[place] = np.fmin(low[place], middle / bands.VOLUME_UNKNOWN)
                    high[place] = np.fmax(high[place], middle * bands.VOLUME_UNKNOWN)
            monitor = self._monitors.get(place)
            if monitor is None or not monitor.enabled:
                low[place] = high[place] = math.nan
        return low, high

    def _learned(self, numbers: Sequence[float | None]) -> Array:
        found = np.full(self._plan.places, np.nan)
        found[: len(numbers)] = [math.nan if one is None else one for one in numbers[: self._plan.places]]
        return found

    def _judge_quiet(self, tally: Tally, quiet_s: int, values: Array, highs: Array) -> None:
        """How long nothing came, as the value of the monitor of freshness."""
        gap = self._watch.usual.gap_s
        for place, monitor in self._monitors.items():
            if monitor.kind is not MonitorKind.FRESHNESS:
                continue
            values[place] = quiet_s
            if gap is None or not monitor.enabled:
                continue
            highs[place] = gap * _GAP_FACTORS[monitor.sensitivity]
            if gap < HOUR_S and place not in self.progress.streaks:
                # What is usual is known hour by hour: the quiet night is not held against the first busy hour.
                end = tally.at + timedelta(seconds=STEP_S)
                begun = end.replace(minute=0, second=0, microsecond=0)
                values[place] = min(quiet_s, (end - begun).total_seconds() or HOUR_S)

    def _odd(self, values: Array, lows: Array, highs: Array, quiet_s: int) -> Array:
        low_counts = self._plan.of(*bands.TWO_SIDED)
        if quiet_s:
            # Whether nothing comes is the matter of freshness; the volume of nothing is no news.
            low_counts &= ~self._plan.of(MonitorKind.VOLUME)
        with np.errstate(invalid="ignore"):
            found: Array = (values > highs) | ((values < lows) & low_counts)
        return found

    def _agrees(self, tally: Tally, lows: Array, highs: Array) -> Array:
        """Whether the step by itself is out of the band too, or has too few records to tell.

        Windows overlap: without this, one odd step would be odd for as long as it is in the window.
        """
        alone, _ = measure(self._plan, matrix(self._watch.layout, [tally]), 1)
        with np.errstate(invalid="ignore"):
            found: Array = ~((alone[0] <= highs) & ~(alone[0] < lows))
        return found

    def _follow(
        self, tally: Tally, values: Array, lows: Array, highs: Array, odd: Array
    ) -> tuple[dict[int, Streak], list[Breach]]:
        streaks: dict[int, Streak] = {}
        breaches = []
        for place in np.flatnonzero(odd | np.isin(np.arange(self._plan.places), list(self.progress.streaks))):
            before = self.progress.streaks.get(int(place), Streak())
            if not odd[place]:
                said = math.isfinite(values[place]) and math.isfinite(highs[place])
                after = msgspec.structs.replace(before, unusual=0, usual=before.usual + 1) if said else before
                if math.isfinite(highs[place]) and after.usual < SETTLES:
                    streaks[int(place)] = after
                continue
            since = before.since or self._begun(tally.at, int(place))
            streaks[int(place)] = Streak(before.unusual + 1, 0, since)
            at_once = not self._watch.usual.steady or self._plan.kinds[place] is MonitorKind.FRESHNESS
            if before.unusual + 1 >= (1 if at_once else PERSISTS) or before.usual > 0:
                breaches.append(self._breach(int(place), values, lows, highs, since))
        return streaks, breaches

    def _begun(self, at: datetime, place: int) -> datetime:
        if self._plan.kinds[place] is MonitorKind.FRESHNESS:
            return self.progress.last_record_at or at
        return at

    def _breach(self, place: int, values: Array, lows: Array, highs: Array, since: datetime) -> Breach:
        value, low, high = float(values[place]), float(lows[place]), float(highs[place])
        bound = high if value > high else low
        two_sided = self._plan.kinds[place] in bands.TWO_SIDED
        return Breach(
            place=place, value=value, low=low if two_sided else None, high=high, since=since,
            excess=abs(value - bound) / max(abs(bound), 1e-3),
        )  # fmt: skip


def known(numbers: Array) -> tuple[float | None, ...]:
    """Numbers as they are kept: what is not known is None."""
    return tuple(float(one) if math.isfinite(one) else None for one in numbers)
