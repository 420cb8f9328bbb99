"""Metrics: sums by name that people put on dashboards of their own, each with the permission that it takes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import msgspec

from finer.identity.types.access import Permission
from finer.kit.money import exponent
from finer.kit.tx import Tx
from finer.operations.errors import UnknownMetric
from finer.operations.rules.grouping import MEASURED
from finer.operations.rules.spans import floor, kept_since
from finer.operations.rules.sums import buckets, shares
from finer.operations.service.finance import FIGURES, Counted, figure_of
from finer.operations.service.tiles import Ground, ground
from finer.operations.store.rollups import RollupStore
from finer.operations.types.orders import Stage
from finer.operations.types.sums import HOUR_S, Choices, Filter, Measured, Share, Sums

DIMENSIONS = ("region", "channel", "product")
_ADDED = ("currency", "amount", "quantity", "unit_cost")
_TITLES = {
    "revenue": ("Revenue", "What was paid for orders, less what was returned."),
    "gross_profit": ("Gross profit", "Revenue less what the goods cost, of the lines whose cost is known."),
    "ordered": ("Ordered", "The worth of the lines that were placed."),
    "returned": ("Returned", "The worth of the lines that came back."),
    "cancelled": ("Cancelled", "The worth of the lines that were cancelled."),
    "payments": ("Payments", "Purchases, payments and transfers, authorised or settled."),
    "refunds": ("Refunds", "Refunds, authorised or settled."),
    "cash_in": ("Cash in", "Deposits, authorised or settled."),
    "cash_out": ("Cash out", "Withdrawals, authorised or settled."),
    "fees": ("Fees", "Fees, authorised or settled."),
    "declined": ("Declined", "What was declined or reversed."),
}


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """A sum by name. `money` counts an amount in the firm's currency, everything else counts records."""

    name: str
    title: str
    about: str
    needs: Permission
    money: bool
    counted: Counted

    @property
    def contract(self) -> str:
        """The contract of the records that are summed."""
        return self.counted.contract


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A metric over a span: minor units of `currency`, or a number of records when that is empty.

    `total` is None where no amount is known, such as profit without any cost; the series is empty then.
    `change` compares whole buckets with those of the period before, 0.1 for a tenth more, None when that was nothing.
    """

    as_of: datetime
    currency: str
    exponent: int
    total: int | None
    change: float | None
    series: list[tuple[datetime, int]]


def _of_kind(kind: str) -> Callable[[Sums], bool]:
    return lambda one: one.kind == kind


def _made() -> dict[str, Metric]:
    found = [
        Metric(
            name=name, title=_TITLES[name][0], about=_TITLES[name][1], needs=Permission.FINANCE_READ,
            money=True, counted=counted,
        )
        for name, counted in FIGURES.items()
    ]  # fmt: skip
    found += [
        Metric(
            name=f"{name}_count", title=f"{_TITLES[name][0]}, number", about="How many there were.",
            needs=Permission.FINANCE_READ, money=False, counted=FIGURES[name],
        )
        for name in ("payments", "refunds", "declined")
    ]  # fmt: skip
    found += [
        Metric(
            name=f"orders_{stage.value}", title=f"Orders {stage.value}", about=f"Lines of orders that were {stage}.",
            needs=Permission.ORDERS_READ, money=False, counted=Counted(contract="order", counts=_of_kind(stage.value)),
        )
        for stage in Stage
    ]  # fmt: skip
    return {one.name: one for one in found}


METRICS = _made()


def get_metric(name: str) -> Metric:
    """A metric by name. Raises UnknownMetric."""
    found = METRICS.get(name)
    if found is None:
        raise UnknownMetric(f"There is no metric {name[:60]!r}. Metrics are {', '.join(METRICS)}.")
    return found


def columns_summed(contract: str, adds: Collection[str] = ()) -> list[str]:
    """The columns by which sums of a contract are split, and those of what is added: members of `Measured`."""
    measured = MEASURED[contract]
    split = [name for name in Measured.__struct_fields__ if name not in _ADDED or name in adds]
    return ["occurred_at", *(column for name in split if (column := getattr(measured, name)))]


def columns_of(name: str) -> list[str]:
    """The columns that a metric is made of and split by; what counts records reads no amount. Raises UnknownMetric."""
    metric = get_metric(name)
    return columns_summed(metric.contract, metric.counted.adds if metric.money else ())


def choices(tx: Tx) -> Choices:
    """The regions and channels that records have, in alphabetical order."""
    store = RollupStore(tx)
    contracts = sorted({one.contract for one in METRICS.values()})
    found = {dimension: {v for contract in contracts for v in store.values(contract, dimension)}
             for dimension in ("region", "channel")}  # fmt: skip
    return Choices(regions=sorted(found["region"]), channels=sorted(found["channel"]))


def ground_of(tx: Tx, span: str, region: str | None = None, channel: str | None = None) -> Ground:
    """What metrics of one span are read from; one is enough for many. Raises UnknownSpan."""
    return ground(tx, span, Filter(region=region, channel=channel))


def read_metric(at: Ground, name: str) -> Reading:
    """A metric over the span, with every bucket of it. Raises UnknownMetric."""
    metric = get_metric(name)
    weigh = at.worth if metric.money else _records
    whole = figure_of(at, name, metric.counted, weigh)
    total = whole.amount_minor if metric.money else whole.records
    found = dict.fromkeys(buckets(at.since, at.now, at.span.bucket_s) if total is not None else (), 0)
    for one in metric.counted.of(at.series(metric.contract)):
        if one.at in found:
            found[one.at] += weigh(one)
    return Reading(
        as_of=at.now,
        currency=at.currency if metric.money else "",
        exponent=exponent(at.currency) if metric.money else 0,
        total=total,
        change=whole.change,
        series=list(found.items()),
    )


def read_shares(at: Ground, name: str, dimension: str) -> list[Share]:
    """A metric by region, channel or product, the largest first; products are not narrowed to a region or channel.

    Raises UnknownMetric.
    """
    metric = get_metric(name)
    return shares(metric.counted.of(at.labelled(metric.contract, dimension)), at.worth if metric.money else _records)


def _records(one: Sums) -> int:
    return one.records


def read_hours(tx: Tx, name: str, region: str | None, channel: str | None) -> list[tuple[datetime, int]]:
    """A metric in every whole hour that is kept, the earliest first: minor units, or a number of records.

    Hours in which nothing happened count as nothing from the first one on in which something did. There are none where
    no amount is known of the last one. Raises UnknownMetric.
    """
    metric = get_metric(name)
    at = ground_of(tx, "1h", region, channel)
    weigh = at.worth if metric.money else _records
    end = floor(at.now, HOUR_S)
    since = kept_since(at.now)[HOUR_S]
    found: dict[datetime, int] = {}
    for one in metric.counted.of(at.store.by_bucket(metric.contract, HOUR_S, HOUR_S, (since, end), at.chosen)):
        if one.at is not None:
            found[one.at] = found.get(one.at, 0) + weigh(one)
    if not found or (metric.counted.known_only and max(found) < end - timedelta(seconds=HOUR_S)):
        return []
    return [(when, found.get(when, 0)) for when in buckets(min(found), end - timedelta(seconds=1), HOUR_S)]
