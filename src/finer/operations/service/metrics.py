"""Metrics: sums by name that people put on dashboards of their own, each with the permission that it takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from finer.identity.types.access import Permission
from finer.kit.money import exponent
from finer.kit.tx import Tx
from finer.operations.errors import UnknownMetric
from finer.operations.rules.grouping import MEASURED
from finer.operations.rules.spans import floor, kept_since
from finer.operations.rules.sums import buckets, figure, shares
from finer.operations.service.finance import FIGURES, Counted
from finer.operations.service.tiles import Ground, ground
from finer.operations.store.rollups import RollupStore
from finer.operations.types.orders import Stage
from finer.operations.types.sums import HOUR_S, Choices, Filter, Share, Sums

DIMENSIONS = ("region", "channel", "product")
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

    `change` compares whole buckets with those of the period before, 0.1 for a tenth more, None when that was nothing.
    """

    as_of: datetime
    currency: str
    exponent: int
    total: int
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


def columns_summed(contract: str) -> list[str]:
    """The columns of a contract that sums are made of and split by; empty for contracts that are not summed."""
    measured = MEASURED.get(contract)
    if measured is None:
        return []
    return ["occurred_at", *(name for name in msgspec.structs.astuple(measured) if name)]


def columns_of(name: str) -> list[str]:
    """The columns that a metric is made of and split by; what counts records reads no amount. Raises UnknownMetric."""
    metric = get_metric(name)
    measured = MEASURED[metric.contract]
    left_out = {measured.quantity} if metric.money else {measured.quantity, measured.amount, measured.currency}
    return [column for column in columns_summed(metric.contract) if column not in left_out]


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
    now, before = metric.counted.of(at.series(metric.contract)), metric.counted.of(at.before(metric.contract))
    whole = figure(name, now, before, at.convert, weigh, at.change)
    found = dict.fromkeys(buckets(at.since, at.now, at.span.bucket_s), 0)
    for one in now:
        if one.at in found:
            found[one.at] += weigh(one)
    return Reading(
        as_of=at.now,
        currency=at.currency if metric.money else "",
        exponent=exponent(at.currency) if metric.money else 0,
        total=whole.amount_minor if metric.money else whole.records,
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

    Hours in which nothing happened count as nothing from the first one on in which something did. Raises UnknownMetric.
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
    if not found:
        return []
    return [(when, found.get(when, 0)) for when in buckets(min(found), end - timedelta(seconds=1), HOUR_S)]
