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
from finer.kit.shares import Z_95, wilson_bounds

FRAUD, LEGITIMATE = 1, 2
"""What is known of a payment; 0 is nothing."""
LABELS: Mapping[str, int] = {"confirmed_fraud": FRAUD, "dismissed": LEGITIMATE}
SEGMENTS = ("channel", "merchant_country", "type")
_SEGMENTS_MAX = 12
_RESAMPLES = 1_000
_RESAMPLED_MAX = 5_000
_DAY_S = 86_400.0


def wilson(hits: int, of: int) -> Interval:
    """A share with its bounds by Wilson's score interval; None of nothing."""
    if of == 0:
        return Interval(value=None, low=None, high=None)
    low, high = wilson_bounds(hits, of)
    return Interval(value=hits / of, low=low, high=high)


def total(amounts: Array, seed: int = 0) -> Interval:
    """A sum of amounts with its bounds, by drawing as many cases again and again: Poisson bootstrap.

    Where there are very many, the bounds are those that the draws would tend to.
    """
    worth = amounts.astype(np.float64)
    value = float(worth.sum())
    if len(worth) > _RESAMPLED_MAX:
        half = Z_95 * math.sqrt(float((worth * worth).sum()))
        return Interval(value=value, low=max(0.0, value - half), high=value + half)
    if len(worth) == 0:
        return Interval(value=0.0, low=0.0, high=0.0)
    draws = np.random.default_rng(seed).poisson(1.0, (_RESAMPLES, len(worth))) @ worth
    low, high = np.quantile(draws, (0.025, 0.975))
    return Interval(value=value, low=float(low), high=float(high))


class Judged:
    """What is known of a batch of decided payments, computed once for all rules that are held to it."""

    def __init__(self, columns: Columns, labels: Array) -> None:
        """`labels` int8 (rows,): 0, FRAUD or LEGITIMATE."""
        self.rows = columns.rows
        self.fraud, self.legitimate = labels == FRAUD, labels == LEGITIMATE
        self.usd, self.worth_known = columns.values("amount_usd_minor"), columns.valid("amount_usd_minor")
        self.customers = columns.hashes("customer_id")
        self.defrauded = np.unique(self.customers[self.fraud])
        self.segments = [(by, *_codes(columns.arrow(by))) for by in SEGMENTS]


class PriceTally:
    """The sums of one backtest so far."""

    def __init__(self, begun: Price) -> None:
        self._price = begun
        self._counts = dict.fromkeys(("events", "hits", "marginal", "fraud", "legitimate", "fraud_known"), 0)
        self._saved: list[Array] = []
        self._hurt: list[Array] = []
        self._defrauded: list[Array] = []
        self._segments: dict[tuple[str, str], Array] = {}
        self._seconds = 0.0

    def add(self, judged: Judged, held: Array, stopped: Array, seconds: float) -> None:
        """Count a batch: where the rule `held`, and where other live rules `stopped` the payment.

        `held` and `stopped` bool (rows,); `seconds` is what the rule took.
        """
        fraud, marginal = judged.fraud, held & ~stopped
        for name, rows in (
            ("hits", held), ("marginal", marginal), ("fraud", held & fraud),
            ("legitimate", held & judged.legitimate), ("fraud_known", fraud),
        ):  # fmt: skip
            self._counts[name] += int(np.count_nonzero(rows))
        self._counts["events"] += judged.rows
        self._seconds += seconds
        saved = marginal & fraud if judged.worth_known is None else marginal & fraud & judged.worth_known
        self._saved.append(judged.usd[saved])
        self._hurt.append(np.unique(judged.customers[marginal & ~fraud]))
        self._defrauded.append(judged.defrauded)
        if held.any():
            self._segment(judged, np.flatnonzero(held))

    def _segment(self, judged: Judged, rows: Array) -> None:
        fraud, legitimate = judged.fraud[rows], judged.legitimate[rows]
        for by, words, codes in judged.segments:
            of = codes[rows]
            sums = [np.bincount(some, minlength=len(words)) for some in (of, of[fraud], of[legitimate])]
            for code in np.flatnonzero(sums[0]).tolist():
                key = by, words[code]
                self._segments[key] = self._segments.get(key, 0) + np.array([one[code] for one in sums])

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
            of = sorted(
                ((sums.tolist(), value) for (name, value), sums in self._segments.items() if name == by), reverse=True
            )
            for (hits, fraud, legitimate), value in of[:_SEGMENTS_MAX]:
                sure = wilson(fraud, fraud + legitimate)
                found.append(Segment(by=by, value=value, hits=hits, fraud=fraud, legitimate=legitimate, precision=sure))
        return found


def slices(since: datetime, until: datetime, parts_max: int = 400) -> list[tuple[datetime, datetime]]:
    """The period in days, so that each is read by itself."""
    parts = min(parts_max, max(1, math.ceil((until - since).total_seconds() / _DAY_S)))
    step = (until - since) / parts
    edges = [*(since + step * place for place in range(parts)), until]
    return list(pairwise(edges))


def _codes(values: pa.Array) -> tuple[list[str], Array]:
    """The words of a text column, and for each row the place of its word; no value is the empty word."""
    encoded = pc.fill_null(values.cast(pa.string()), "").dictionary_encode()
    return encoded.dictionary.to_pylist(), np.asarray(encoded.indices.to_numpy(zero_copy_only=False))


def _distinct(parts: list[Array]) -> Array:
    found = np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.uint64)
    some: Array = found[found != 0]
    return some
