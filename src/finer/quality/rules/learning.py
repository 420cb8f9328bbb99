"""Learning: what is usual from what was observed, hours from their steps, and how fields are counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from finer.quality.rules import bands, gaps
from finer.quality.rules.judging import known
from finer.quality.rules.measures import added, blocks, matrix, measure, plan_of, window_of
from finer.quality.types import (
    HOUR_OF_WEEK,
    HOUR_S,
    STEP_S,
    Array,
    Layout,
    Monitor,
    MonitorKind,
    Observation,
    Reference,
    Tally,
    Usual,
)

RECENT_STEPS = 2 * HOUR_S // STEP_S
STEPS_KEPT = timedelta(hours=26)
HOURS_KEPT = timedelta(days=100)
REFERENCE_ROWS = 500
"""Records that a distribution is compared with, at the least."""
CATEGORIES_MAX = 20
COVERED = 0.5
"""The share of records that the most frequent values must have, or the field names things rather than sorts them."""
_UNUSUAL_HOUR = 0.1
_FRESH_AFTER = timedelta(hours=1)
_OLD_AFTER = timedelta(days=7)


def learn(
    layout: Layout,
    monitors: Sequence[Monitor],
    steps: Sequence[Observation],
    hours: Sequence[Observation],
    by_hour: Sequence[tuple[datetime, int]],
    now: datetime,
) -> Usual:
    """What is usual for a contract in the hour of `now`; all observations are given oldest first.

    `steps` are the last RECENT_STEPS, `hours` those of this hour of earlier days, `by_hour` counts records of every
    hour that was observed.
    """
    plan = plan_of(layout, monitors)
    rows = matrix(layout, [one.tally for one in steps])
    window = window_of(rows) if len(rows) else 1
    came = _came(steps, monitors)
    enough = len(steps) >= bands.SPEAKS_AFTER
    steady = enough and gaps.is_steady(came)
    values, _ = measure(plan, blocks(rows, window), window)
    values[blocks(_left_out(steps, monitors, plan.places), window) > 0] = np.nan
    centers, scales, counts = bands.spread(bands.forward(plan.kinds, values))
    if not steady:
        centers[plan.of(MonitorKind.VOLUME)] = np.nan
    centers[(counts * window < bands.SPEAKS_AFTER) | (counts < bands.BLOCKS_MIN)] = np.nan
    same, basis = _same_hours(hours, now)
    hour_centers, hour_scales = _seasonal(layout, monitors, same)
    pauses = _pauses(monitors, same)
    gap_s = gaps.usual_gap(came, pauses, _whole_hours(by_hour, now)) if enough else None
    return Usual(
        learned_at=now,
        hour=_hour(now),
        window=window,
        steady=steady,
        gap_s=gap_s,
        observations=tuple(int(count) for count in counts * window),
        centers=known(centers),
        scales=known(scales),
        hour_centers=known(hour_centers),
        hour_scales=known(hour_scales),
        basis=basis,
    )


def _left_out(steps: Sequence[Observation], monitors: Sequence[Monitor], places: int) -> Array:
    """1 for each step and monitor that says nothing of what is usual: it was unusual, or came before a new beginning.

    Of shape (steps, monitors).
    """
    bad = np.zeros((len(steps), places))
    for row, one in zip(bad, steps, strict=True):
        row[[place for place in one.unusual if place < places]] = 1
    for monitor in monitors:
        if monitor.relearn_from is None or monitor.relearned_at is None:
            continue
        for row, one in zip(bad, steps, strict=True):
            if one.tally.at < monitor.relearn_from:
                row[monitor.place] = 1
            elif one.tally.at < monitor.relearned_at:
                row[monitor.place] = 0
    return bad


def _came(steps: Sequence[Observation], monitors: Sequence[Monitor]) -> Array:
    """Records by step; a step within a stop counts as if one had come, so that no stop is learned from.

    It begins with its first empty step, and is known for a stop some steps later.
    """
    place = _freshness(monitors)
    found = np.array([max(one.tally.received, one.tally.rows) for one in steps], np.float64)
    if place is None or not len(steps):
        return found
    places = max(one.place for one in monitors) + 1
    stopped = _left_out(steps, monitors, places)[:, place] > 0
    for at in range(len(found) - 2, -1, -1):
        stopped[at] |= stopped[at + 1] and found[at] == 0
    found[stopped] += 1
    return found


def _freshness(monitors: Sequence[Monitor]) -> int | None:
    return next((one.place for one in monitors if one.kind is MonitorKind.FRESHNESS), None)


def _same_hours(hours: Sequence[Observation], now: datetime) -> tuple[list[Observation], str]:
    here = [one for one in hours if one.tally.at.hour == now.hour and one.tally.at < _hour(now)]
    weekly = [one for one in here if one.tally.at.weekday() == now.weekday()]
    if len(weekly) >= bands.HOURS_MIN:
        return weekly[-8:], HOUR_OF_WEEK
    daily = here[-10:]
    return (daily, "hour of the day") if len(daily) >= bands.HOURS_MIN else ([], "")


def _seasonal(layout: Layout, monitors: Sequence[Monitor], same: Sequence[Observation]) -> tuple[Array, Array]:
    plan = plan_of(layout, monitors)
    values, spreads = np.full((len(same), plan.places), np.nan), np.full((len(same), plan.places), np.nan)
    for row, wide, one in zip(values, spreads, same, strict=True):
        for monitor in monitors:
            if _counts(monitor, one, layout) and monitor.place < len(one.values):
                row[monitor.place] = _number(one.values[monitor.place])
                wide[monitor.place] = _number(one.spreads[monitor.place])
    if not len(same):
        nothing = np.full(plan.places, np.nan)
        return nothing, nothing.copy()
    return bands.seasonal(bands.forward(plan.kinds, values), spreads)


def _counts(monitor: Monitor, one: Observation, layout: Layout) -> bool:
    if monitor.kind is MonitorKind.DISTRIBUTION and one.tally.layout != layout.number:
        return False
    if monitor.relearn_from is not None and one.tally.at < monitor.relearn_from:
        return False
    return monitor.place not in one.unusual


def _pauses(monitors: Sequence[Monitor], same: Sequence[Observation]) -> list[float]:
    place = _freshness(monitors)
    if place is None:
        return []
    return [float(one.values[place] or 0.0) for one in same if place < len(one.values) and place not in one.unusual]


def _whole_hours(by_hour: Sequence[tuple[datetime, int]], now: datetime) -> Array:
    """Records of every hour since the first one that is known, hours that nobody observed as empty ones."""
    if not by_hour:
        return np.zeros(0)
    begin = by_hour[0][0]
    found = np.zeros(max(1, int((_hour(now) - begin).total_seconds()) // HOUR_S + 1))
    for at, records in by_hour:
        place = int((at - begin).total_seconds()) // HOUR_S
        if place < len(found):
            found[place] = records
    return found


def hour_of_steps(layout: Layout, monitors: Sequence[Monitor], steps: Sequence[Observation]) -> Observation:
    """The observations of one hour as one."""
    plan = plan_of(layout, monitors)
    at = _hour(steps[0].tally.at)
    tally = added(layout, [one.tally for one in steps], Tally(at=at, layout=layout.number))
    rows = matrix(layout, [one.tally for one in steps])
    values, _ = measure(plan, rows.sum(axis=0)[None, :], len(steps))
    each, _ = measure(plan, blocks(rows, window_of(rows)), window_of(rows))
    _, spreads, _ = bands.spread(bands.forward(plan.kinds, each))
    place = _freshness(monitors)
    if place is not None:
        values[0, place] = gaps.longest_run(_came(steps, monitors)) * STEP_S
    often = np.zeros(plan.places)
    for one in steps:
        often[[place for place in one.unusual if place < plan.places]] += 1
    return Observation(
        tally=tally, values=known(values[0]), spreads=known(spreads),
        lows=_typical([one.lows for one in steps], plan.places),
        highs=_typical([one.highs for one in steps], plan.places),
        unusual=tuple(int(place) for place in np.flatnonzero(often > _UNUSUAL_HOUR * len(steps))),
    )  # fmt: skip


def _typical(rows: Sequence[Sequence[float | None]], places: int) -> tuple[float | None, ...]:
    found = np.full((len(rows), places), np.nan)
    for row, one in zip(found, rows, strict=True):
        row[: len(one)] = [_number(value) for value in one[:places]]
    centers, _, _ = bands.spread(found)
    return known(centers)


def wants_reference(layout: Layout, now: datetime, seen_since: datetime | None) -> bool:
    """Whether distributions should be compared with newer records: at first, after an hour, a day, then weekly."""
    if layout.made_at is None or seen_since is None:
        return True
    age, known_for = now - layout.made_at, layout.made_at - seen_since
    return age >= min(max(known_for * 4, _FRESH_AFTER), _OLD_AFTER)


def reference_of(field: str, values: Sequence[str], deciles: Sequence[float] | None, distinct: int) -> Reference | None:
    """How a field is counted, without shares yet: few values by name, numbers by their deciles; None for neither.

    `values` are the most frequent ones, as texts.
    """
    if distinct == 0:
        return None
    if distinct <= CATEGORIES_MAX or deciles is None:
        return Reference(field=field, values=tuple(sorted(values)))
    edges = sorted({float(edge) for edge in deciles if math.isfinite(edge)})
    return Reference(field=field, edges=tuple(edges)) if len(edges) > 1 else None


def with_shares(reference: Reference, counts: Sequence[int]) -> Reference | None:
    """The reference with the share of each bin; None when the values listed are too few of all."""
    total = sum(counts)
    if len(counts) < 2 or total < REFERENCE_ROWS or (reference.edges is None and counts[-1] > (1 - COVERED) * total):
        return None
    shares = tuple(count / total for count in counts)
    return Reference(field=reference.field, edges=reference.edges, values=reference.values, shares=shares)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
