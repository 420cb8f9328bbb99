"""What a rule would have done, added up over batches of decided payments, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from finer.fraud.rules.evaluate import Array
from finer.fraud.types import Interval, Price, Segment
from finer.kit.columns import Columns

FRAUD, LEGITIMATE = 1, 2
"""What is known of a payment; 0 is nothing."""
LABELS: Mapping[str, int] = {"confirmed_fraud": FRAUD, "dismissed": LEGITIMATE}
SEGMENTS = ("channel", "merchant_country", "type")
_SEGMENTS_MAX = 12
_Z = 1.959963984540054  # 19 of 20 cases
_RESAMPLES = 1_000
_RESAMPLED_MAX = 5_000
_DAY_S = 86_400.0


def wilson(hits: int, of: int) -> Interval:
    """A share with its bounds by Wilson's score interval, which holds for few cases and near 0 and 1 as well."""
    if of == 0:
        return Interval(value=None, low=None, high=None)
    share, spread = hits / of, _Z * _Z / of
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return Interval(value=share, low=max(0.0, middle - half), high=min(1.0, middle + half))


def total(amounts: Array, seed: int = 0) -> Interval:
    """A sum of amounts with its bounds, by drawing as many cases again and again: Poisson bootstrap.

    Where there are very many, the bounds are those that the draws would tend to.
    """
    worth = amounts.astype(np.float64)
    value = float(worth.sum())
    if len(worth) > _RESAMPLED_MAX:
        half = _Z * math.sqrt(float((worth * worth).sum()))
        return Interval(value=value, low=max(0.0, value - half), high=value + half)
    if len(worth) == 0:
        return Interval(value=0.0, low=0.0, high=0.0)
    draws = np.random.default_rng(seed).poisson(1.0, (_RESAMPLES, len(worth))) @ worth
    low, high = np.quantile(draws, (0.025, 0.975))
    return Interval(value=value, low=float(low), high=float(high))


class PriceTally:
    """The sums of one backtest so far."""

    def __init__(self, begun: Price) -> None:
        self._price = begun
        self._counts = dict.fromkeys(("events", "hits", "marginal", "fraud", "legitimate", "fraud_known"), 0)
        self._saved: list[Array] = []
        self._hurt: list[Array] = []
        self._defrauded: list[Array] = []
        self._segments: dict[tuple[str, str], list[int]] = {}
        self._seconds = 0.0

    def add(self, columns: Columns, held: Array, stopped: Array, labels: Array, seconds: float) -> None:
        """Count a batch: where the rule `held`, where other live rules `stopped` the payment, and what is known of it.

        `held` and `stopped` bool, `labels` int8 (0, FRAUD or LEGITIMATE), all (rows,); `seconds` is what the rule took.
        """
        fraud, legitimate, marginal = labels == FRAUD, labels == LEGITIMATE, held & ~stopped
        for name, rows in (
            ("hits", held), ("marginal", marginal), ("fraud", held & fraud), ("legitimate", held & legitimate),
            ("fraud_known", fraud),
        ):  # fmt: skip
            self._counts[name] += int(np.count_nonzero(rows))
        self._counts["events"] += columns.rows
        self._seconds += seconds
        usd, known = columns.values("amount_usd_minor"), columns.valid("amount_usd_minor")
        saved = marginal & fraud if known is None else marginal & fraud & known
        self._saved.append(usd[saved])
        customers = columns.hashes("customer_id")
        self._hurt.append(np.unique(customers[marginal & ~fraud]))
        self._defrauded.append(np.unique(customers[fraud]))
        if held.any():
            self._segment(columns, held, fraud, legitimate)

    def _segment(self, columns: Columns, held: Array, fraud: Array, legitimate: Array) -> None:
        rows = pa.array(np.flatnonzero(held))
        known = pa.array(fraud[held].astype(np.int64)), pa.array(legitimate[held].astype(np.int64))
        for by in SEGMENTS:
            values = pc.fill_null(columns.arrow(by).cast(pa.string()).take(rows), "")
            table = pa.table({"value": values, "fraud": known[0], "legitimate": known[1]})
            grouped = table.group_by("value").aggregate([("value", "count"), ("fraud", "sum"), ("legitimate", "sum")])
            for row in grouped.to_pylist():
                sums = self._segments.setdefault((by, row["value"]), [0, 0, 0])
                for place, name in enumerate(("value_count", "fraud_sum", "legitimate_sum")):
                    sums[place] += row[name]

    def price(self) -> Price:
        """What was found so far."""
        counts, begun = self._counts, self._price
        saved = np.concatenate(self._saved) if self._saved else np.zeros(0, np.int64)
        hurt = _distinct(self._hurt)
        days = max((begun.until - begun.since).total_seconds() / _DAY_S, 1 / 24)
        return msgspec.structs.replace(
            begun,
            **counts,
            precision=wilson(counts["fraud"], counts["fraud"] + counts["legitimate"]),
            recall=wilson(counts["fraud"], counts["fraud_known"]),
            saved_usd_minor=int(saved.sum()),
            saved=total(saved),
            hurt=int(np.count_nonzero(~np.isin(hurt, _distinct(self._defrauded)))),
            alerts_per_day=counts["marginal"] / days,
            us_per_event=1e6 * self._seconds / counts["events"] if counts["events"] else 0.0,
            segments=self._listed(),
        )

    def _listed(self) -> list[Segment]:
        found = []
        for by in SEGMENTS:
            of = sorted(((sums, value) for (name, value), sums in self._segments.items() if name == by), reverse=True)
            found += [
                Segment(by=by, value=value, hits=sums[0], fraud=sums[1], legitimate=sums[2])
                for sums, value in of[:_SEGMENTS_MAX]
            ]
        return found


def slices(since: datetime, until: datetime, parts_max: int = 400) -> list[tuple[datetime, datetime]]:
    """The period in days, so that each is read by itself."""
    parts = min(parts_max, max(1, math.ceil((until - since).total_seconds() / _DAY_S)))
    step = (until - since) / parts
    edges = [*(since + step * place for place in range(parts)), until]
    return list(pairwise(edges))


def _distinct(parts: list[Array]) -> Array:
    found = np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.uint64)
    some: Array = found[found != 0]
    return some
