"""Arithmetic of sums: in one currency, against the period before, and by label."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from finer.operations.types.sums import OTHER, Change, Figure, InCurrency, Share, Sums

Convert = Callable[[str, int], int | None]
"""Minor units of the firm's currency for (currency, minor units); None where no rate is known."""
LABELS_MAX = 12
"""Labels of a table; what is beyond them is one line."""


def converter(rates: Mapping[str, Decimal]) -> Convert:
    """Amounts by `rates`: minor units of the firm's currency for one minor unit of another."""

    def convert(currency: str, minor: int) -> int | None:
        rate = rates.get(currency)
        return None if rate is None else int((minor * rate).quantize(Decimal(1), ROUND_HALF_EVEN))

    return convert


def figure(
    name: str,
    now: Iterable[Sums],
    before: Iterable[Sums],
    convert: Convert,
    weigh: Callable[[Sums], int],
    since: Change,
) -> Figure:
    """What records add up to, by currency and together, and how that compares with the period before.

    `now` are the sums of the whole period; of those, and of `before`, the buckets that `since` names are compared, by
    what `weigh` says.
    """
    records, by_currency = 0, dict[str, tuple[int, int]]()
    here = there = 0
    for one in now:
        records += one.records
        count, minor = by_currency.get(one.currency, (0, 0))
        by_currency[one.currency] = (count + one.records, minor + one.amount_minor)
        if one.at is not None and one.at < since.whole_until:
            here += weigh(one)
    for one in before:
        if one.at is not None and one.at < since.whole_until - since.length:
            there += weigh(one)
    together = sum(convert(currency, minor) or 0 for currency, (_, minor) in by_currency.items())
    return Figure(
        name=name,
        records=records,
        amount_minor=together,
        change=None if there == 0 else (here - there) / abs(there),
        before=there,
        by_currency=[
            InCurrency(currency=currency, records=count, amount_minor=minor, converted=convert(currency, minor))
            for currency, (count, minor) in sorted(by_currency.items(), key=lambda item: (-item[1][0], item[0]))
            if currency
        ],
    )


def shares(sums: Iterable[Sums], weigh: Callable[[Sums], int]) -> list[Share]:
    """Weights by label, the largest first; beyond a dozen labels, and what is not counted by itself, is one line."""
    found: dict[str, tuple[int, int]] = {}
    for one in sums:
        records, weight = found.get(one.label, (0, 0))
        found[one.label] = (records + one.records, weight + weigh(one))
    ranked = sorted(found.items(), key=lambda item: (item[0] == OTHER, -item[1][1], item[0]))
    head = [Share(label=label, records=count, weight=weight) for label, (count, weight) in ranked[:LABELS_MAX]]
    rest = ranked[LABELS_MAX:]
    if not rest:
        return head
    last = Share(label=OTHER, records=sum(c for _, (c, _) in rest), weight=sum(w for _, (_, w) in rest))
    if head[-1].label == OTHER:
        known = head.pop()
        last = Share(label=OTHER, records=last.records + known.records, weight=last.weight + known.weight)
    return [*head, last]


def buckets(since: datetime, now: datetime, bucket_s: int) -> list[datetime]:
    """The beginnings of all buckets from `since` to `now`, also of those in which nothing happened."""
    count = int((now - since).total_seconds() // bucket_s) + 1
    return [since + timedelta(seconds=place * bucket_s) for place in range(count)]
