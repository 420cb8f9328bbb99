"""What monitors measure, from sums of tallies: arrays of shape (windows, monitors), NaN where nothing can be said."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from finer.quality.types import STEP_S, Array, Layout, Monitor, MonitorKind, Tally

_COUNTS = 6
RECEIVED, QUARANTINED, PROCESSED, DUPLICATES, ROWS, DELAY = range(_COUNTS)
ENOUGH = 200
"""Records that a window should hold: then a share of 2 % is known to a percentage point."""
LEAST = 20
"""Records below which a share or a distribution says nothing."""
WINDOW_MAX = 30
_SMOOTH = 0.5


class Plan(NamedTuple):
    """Where each monitor finds its numbers in a row of sums."""

    places: int
    kinds: tuple[MonitorKind | None, ...]
    nulls: dict[int, int]
    bins: dict[int, tuple[int, int, Array]]

    def of(self, *kinds: MonitorKind) -> Array:
        """A mask of the monitors of these kinds, shape (monitors,)."""
        return np.array([kind in kinds for kind in self.kinds], bool)


@lru_cache(maxsize=512)
def _plan(layout: Layout, monitors: tuple[tuple[int, MonitorKind, str], ...]) -> Plan:
    places = max((place for place, _, _ in monitors), default=-1) + 1
    kinds: list[MonitorKind | None] = [None] * places
    nulls: dict[int, int] = {}
    bins: dict[int, tuple[int, int, Array]] = {}
    at = {field: _COUNTS + index for index, field in enumerate(layout.fields)}
    begins: dict[str, tuple[int, int, Array]] = {}
    begin = _COUNTS + len(layout.fields)
    for reference in layout.references:
        shares = np.asarray(reference.shares, np.float64)
        begins[reference.field] = (begin, begin + len(shares), shares)
        begin += len(shares)
    for place, kind, field in monitors:
        kinds[place] = kind
        if kind is MonitorKind.COMPLETENESS and field in at:
            nulls[place] = at[field]
        if kind is MonitorKind.DISTRIBUTION and field in begins:
            bins[place] = begins[field]
    return Plan(places, tuple(kinds), nulls, bins)


def plan_of(layout: Layout, monitors: Sequence[Monitor]) -> Plan:
    """The plan of a layout and its monitors."""
    return _plan(layout, tuple((one.place, one.kind, one.field) for one in monitors))


def matrix(layout: Layout, tallies: Sequence[Tally]) -> Array:
    """Tallies as rows that can be added up, without the counts of other layouts that cannot be compared."""
    nulls, bins = len(layout.fields), sum(len(one.shares) for one in layout.references)
    rows = np.zeros((len(tallies), _COUNTS + nulls + bins))
    for row, one in zip(rows, tallies, strict=True):
        comparable = one.layout >= layout.fields_since and len(one.nulls) == nulls
        seen = one.rows if comparable else 0
        row[:_COUNTS] = (
            one.received, one.quarantined, one.processed, one.duplicates, seen, seen * (one.delay_s or 0.0)
        )  # fmt: skip
        if comparable:
            row[_COUNTS : _COUNTS + nulls] = one.nulls
        if one.layout == layout.number and len(one.bins) == bins:
            row[_COUNTS + nulls :] = one.bins
    return rows


def added(layout: Layout, tallies: Sequence[Tally], at: Tally) -> Tally:
    """All of them as one tally that begins when `at` does."""
    whole = matrix(layout, tallies).sum(axis=0)
    nulls = len(layout.fields)
    counts = [int(value) for value in whole[:ROWS]]
    return Tally(
        at=at.at, layout=layout.number, received=counts[RECEIVED], quarantined=counts[QUARANTINED],
        processed=counts[PROCESSED], duplicates=counts[DUPLICATES], rows=int(whole[ROWS]),
        delay_s=float(whole[DELAY] / whole[ROWS]) if whole[ROWS] else None,
        nulls=tuple(int(value) for value in whole[_COUNTS : _COUNTS + nulls]),
        bins=tuple(int(value) for value in whole[_COUNTS + nulls :]),
    )  # fmt: skip


def blocks(rows: Array, steps: int) -> Array:
    """Sums of `steps` rows each, counted from the last row backwards; what is left over in front is dropped."""
    whole = len(rows) // steps
    found: Array = rows[len(rows) - whole * steps :].reshape(whole, steps, rows.shape[1]).sum(axis=1)
    return found


def measure(plan: Plan, sums: Array, steps: int) -> tuple[Array, Array]:
    """Values and how many records each rests on, both of shape (windows, monitors).

    `sums` are rows of `matrix` added up over `steps` steps. Shares are 0 to 1, the volume is in records per second, the
    delay in seconds, a distribution in PSI. Freshness is not measured here: it is a matter of time, not of sums.
    """
    values = np.full((len(sums), plan.places), np.nan)
    weights = np.zeros((len(sums), plan.places))
    for place, kind in enumerate(plan.kinds):
        if kind is MonitorKind.VOLUME:
            values[:, place] = sums[:, RECEIVED] / (steps * STEP_S)
            weights[:, place] = steps * STEP_S
        elif kind is MonitorKind.VALIDITY:
            values[:, place], weights[:, place] = _share(sums[:, QUARANTINED], sums[:, RECEIVED])
        elif kind is MonitorKind.DUPLICATES:
            values[:, place], weights[:, place] = _share(sums[:, DUPLICATES], sums[:, PROCESSED])
        elif kind is MonitorKind.TIMELINESS:
            values[:, place], weights[:, place] = _share(sums[:, DELAY], sums[:, ROWS])
        elif place in plan.nulls:
            values[:, place], weights[:, place] = _share(sums[:, plan.nulls[place]], sums[:, ROWS])
        elif place in plan.bins:
            begin, end, shares = plan.bins[place]
            values[:, place], weights[:, place] = stability(sums[:, begin:end], shares)
    return values, weights


def _share(part: Array, whole: Array) -> tuple[Array, Array]:
    enough = whole >= LEAST
    return np.where(enough, part / np.maximum(whole, 1.0), np.nan), np.where(enough, whole, 0.0)


def stability(counts: Array, shares: Array) -> tuple[Array, Array]:
    """The population stability index of counts of shape (windows, bins) against shares of shape (bins,).

    Sum of (p - q) ln(p / q): the symmetric divergence of Jeffreys (1946), in use in credit scoring since Lewis (1994),
    where 0.1 is taken as a small change and 0.25 as a large one. Half a record is added to each bin, so that an empty
    one does not make it infinite.
    """
    total = counts.sum(axis=1)
    found = (counts + _SMOOTH) / (total + _SMOOTH * len(shares))[:, None]
    # The reference is smoothed as if it had as many records: an empty bin weighs the same on both sides.
    known = (shares[None, :] * total[:, None] + _SMOOTH) / (total + _SMOOTH * len(shares))[:, None]
    index = ((found - known) * np.log(found / known)).sum(axis=1)
    enough = total >= LEAST
    return np.where(enough, index, np.nan), np.where(enough, total, 0.0)


def window_of(rows: Array) -> int:
    """How many steps together usually bring ENOUGH records, 1 to WINDOW_MAX."""
    filled = rows[rows[:, ROWS] > 0, ROWS]
    if len(filled) == 0:
        return 1
    per_step = float(filled.mean()) * len(filled) / len(rows)
    return int(np.clip(np.ceil(ENOUGH / max(per_step, 0.1)), 1, WINDOW_MAX))
