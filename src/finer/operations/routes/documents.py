"""What dashboards look like over HTTP. The tiles are members of a document; one that failed is null and in `failed`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from finer.kit import money
from finer.kit.documents import Money, show_money
from finer.operations.types import orders as order_types
from finer.operations.types import sums
from finer.operations.types.goals import Goal
from finer.operations.types.orders import OpenOrders, Stage
from finer.operations.types.sums import Choices, Frame, Moment
from finer.operations.types.system import ContractFlow, JobsNow, Sample, StageDelay, TableFreshness
from finer.operations.types.visits import FunnelStep, Interest, Visited, Visits


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """Records of one currency; `converted` is in the firm's own, null where no rate is known."""

    amount: Money
    records: int
    converted: Money | None


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One number: records, their worth in the firm's currency, and by currency.

    `change` compares whole buckets with those of the period before, 0.1 for a tenth more; null when there was nothing.
    Amounts are null for those who see no money, and gross profit is where no line says its cost.
    `plan` is what was planned from the beginning of the span up to now, null where months of it have no plan, and for a
    part of the firm.
    """

    name: str
    records: int
    amount: Money | None
    plan: Money | None
    change: float | None
    by_currency: list[Amount] | None


class MarginIn(msgspec.Struct, frozen=True, kw_only=True):
    """Revenue whose cost is known, and what it cost; `share` and `known` as in `Margin`."""

    revenue: Money
    cost: Money
    records: int
    share: float | None
    known: float | None


class Margin(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of the revenue whose cost is known, in the firm's currency; no line without a cost is in it.

    `share` is 0.3 for three tenths left and below 0 for a loss, null without revenue. `change` is the difference to
    that of the period before, in whole buckets. `known` is the part of all that was paid or came back whose cost is
    known.
    """

    revenue: Money
    cost: Money
    share: float | None
    change: float | None
    known: float | None
    by_currency: list[MarginIn]


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What one region, channel or product has; without a label it is what has none."""

    label: str
    records: int
    amount: Money | None


class RevenueShare(Share, frozen=True, kw_only=True):
    """What one region, channel or product has of revenue, and its margin in the firm's currency.

    `margin` is null where no cost is known.
    """

    margin: MarginIn | None


class StuckOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that waits in a stage for longer than is usual."""

    order_id: str
    stage: Stage
    since: datetime
    region: str
    lines: int
    amount: Money | None


class OrderAges(msgspec.Struct, frozen=True, kw_only=True):
    """What waits, as of a moment of its own."""

    as_of: datetime
    edges_s: list[int]
    stages: list[OpenOrders]
    stuck: list[StuckOrder]


class _Board(msgspec.Struct, frozen=True, kw_only=True):
    """`behind_since` is when the oldest records came that the numbers do not hold yet; null while they keep up.

    `newest` is the last day (midnight UTC) with a record of what is shown, whatever the filters; null before the first.
    """

    as_of: datetime
    behind_since: datetime | None
    since: datetime
    bucket_s: int
    currency: str
    failed: list[str]
    series: list[Moment] | None
    choices: Choices | None
    newest: datetime | None


class FinanceBoard(_Board, frozen=True, kw_only=True):
    """Financial performance: what was sold, paid, sent back and moved. Shares are of revenue."""

    regions: list[RevenueShare] | None
    channels: list[RevenueShare] | None
    products: list[RevenueShare] | None
    figures: list[Figure] | None
    margin: Margin | None


class OrderBoard(_Board, frozen=True, kw_only=True):
    """Order status: how far lines of orders came, and what waits. Shares are of placed lines."""

    regions: list[Share] | None
    channels: list[Share] | None
    products: list[Share] | None
    stages: list[Figure] | None
    ages: OrderAges | None


class OpenAlerts(msgspec.Struct, frozen=True, kw_only=True):
    """What waits at the risk desk, and what was stopped since midnight."""

    open: int
    open_amount_usd: Money
    blocked_today: int
    in_review_usd: Money


class ExecutiveBoard(msgspec.Struct, frozen=True, kw_only=True):
    """Figures held to their goals. One that the caller's role does not see is null, as is one that failed.

    What became of payments is as of `measured_at`, null before the first look.
    """

    as_of: datetime
    since: datetime
    failed: list[str]
    latency: Goal | None
    false_positives: Goal | None
    coverage: Goal | None
    freshness: Goal | None
    quality: Goal | None
    protected: Goal | None
    incidents: int | None
    alerts: OpenAlerts | None
    measured_at: datetime | None


class SystemBoard(msgspec.Struct, frozen=True, kw_only=True):
    """How the firm's part of the system does. What the caller's role does not see is null, as is what failed.

    Values of `queues` and `delays` are seconds by stage and by table of the lake, the highest of each bucket.
    """

    as_of: datetime
    since: datetime
    bucket_s: int
    failed: list[str]
    throughput: list[Moment] | None
    contracts: list[ContractFlow] | None
    latency: list[Sample] | None
    stages: list[StageDelay] | None
    queues: list[Sample] | None
    database: list[Sample] | None
    tables: list[TableFreshness] | None
    delays: list[Sample] | None
    jobs: JobsNow | None


class BehaviourBoard(msgspec.Struct, frozen=True, kw_only=True):
    """What customers do. Sessions are as of `measured_at`, null before the first count; all else is of now.

    `newest` is the last day (midnight UTC) with an action, whatever the filters; null before the first.
    """

    as_of: datetime
    behind_since: datetime | None
    since: datetime
    bucket_s: int
    failed: list[str]
    visits: Visited | None
    funnel: list[FunnelStep] | None
    series: list[Moment] | None
    actions: list[Moment] | None
    hours: list[Visits] | None
    regions: list[Visits] | None
    channels: list[Visits] | None
    products: list[Interest] | None
    choices: Choices | None
    newest: datetime | None
    measured_at: datetime | None


def show_finance(frame: Frame, currency: str, found: Mapping[str, Any], failed: list[str]) -> FinanceBoard:
    """The document of financial performance."""
    return FinanceBoard(
        **_common(frame, currency, found, failed, lambda one: _revenue(one, currency)),
        figures=_each(found["figures"], lambda one: _figure(one, currency, amounts=True)),
        margin=None if found["margin"] is None else _margin(found["margin"], currency),
    )


def show_orders(
    frame: Frame, currency: str, found: Mapping[str, Any], failed: list[str], *, amounts: bool
) -> OrderBoard:
    """The document of order status; without `amounts` nothing says what an order is worth."""
    return OrderBoard(
        **_common(frame, currency, found, failed, lambda one: Share(label=one.label, records=one.records, amount=None)),
        stages=_each(found["stages"], lambda one: _figure(one, currency, amounts=amounts)),
        ages=None if found["ages"] is None else _ages(found["ages"], amounts=amounts),
    )


def show_executive(as_of: datetime, since: datetime, found: Mapping[str, Any], failed: list[str]) -> ExecutiveBoard:
    """The document of figures and goals."""
    alerts = found["alerts"]
    shown = None if alerts is None else OpenAlerts(
        open=alerts.open, open_amount_usd=_money(alerts.open_usd_minor, "USD"), blocked_today=alerts.blocked_today,
        in_review_usd=_money(alerts.in_review_usd_minor, "USD"),
    )  # fmt: skip
    return ExecutiveBoard(as_of=as_of, since=since, failed=failed, **{**found, "alerts": shown})


def show_system(frame: Frame, found: Mapping[str, Any], failed: list[str]) -> SystemBoard:
    """The document of how the system does."""
    return SystemBoard(as_of=frame.as_of, since=frame.since, bucket_s=frame.bucket_s, failed=failed, **found)


def show_behaviour(frame: Frame, found: Mapping[str, Any], failed: list[str]) -> BehaviourBoard:
    """The document of what customers do."""
    return BehaviourBoard(
        as_of=frame.as_of, behind_since=frame.behind_since, since=frame.since, bucket_s=frame.bucket_s, failed=failed,
        **found,
    )  # fmt: skip


def _common(frame: Frame, currency: str, found: Mapping[str, Any], failed: list[str], share: Any) -> dict[str, Any]:
    return {
        "as_of": frame.as_of,
        "behind_since": frame.behind_since,
        "since": frame.since,
        "bucket_s": frame.bucket_s,
        "currency": currency,
        "failed": failed,
        "series": found["series"],
        "choices": found["choices"],
        "newest": found["newest"],
        **{name: _each(found[name], share) for name in ("regions", "channels", "products")},
    }


def _each(found: list[Any] | None, show: Any) -> list[Any] | None:
    return None if found is None else [show(one) for one in found]


def _figure(one: sums.Figure, currency: str, *, amounts: bool) -> Figure:
    return Figure(
        name=one.name,
        records=one.records,
        amount=None if one.amount_minor is None or not amounts else _money(one.amount_minor, currency),
        plan=None if one.plan_minor is None or not amounts else _money(one.plan_minor, currency),
        change=_rounded(one.change),
        by_currency=None if not amounts else [
            Amount(
                amount=_money(each.amount_minor, each.currency),
                records=each.records,
                converted=None if each.converted is None else _money(each.converted, currency),
            )
            for each in one.by_currency
        ],
    )  # fmt: skip


def _margin(found: sums.Margin, currency: str) -> Margin:
    return Margin(
        revenue=_money(found.revenue_minor, currency),
        cost=_money(found.cost_minor, currency),
        share=_rounded(found.share),
        change=_rounded(found.change),
        known=_rounded(found.known),
        by_currency=[_margin_in(one) for one in found.by_currency],
    )


def _margin_in(one: sums.MarginIn) -> MarginIn:
    return MarginIn(
        revenue=_money(one.revenue_minor, one.currency), cost=_money(one.cost_minor, one.currency),
        records=one.records, share=_rounded(one.share), known=_rounded(one.known),
    )  # fmt: skip


def _revenue(one: sums.Share, currency: str) -> RevenueShare:
    return RevenueShare(
        label=one.label, records=one.records, amount=_money(one.weight, currency),
        margin=None if one.margin is None else _margin_in(one.margin),
    )  # fmt: skip


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _ages(found: order_types.OrderAges, *, amounts: bool) -> OrderAges:
    return OrderAges(
        as_of=found.as_of,
        edges_s=list(order_types.AGE_EDGES_S),
        stages=found.stages,
        stuck=[
            StuckOrder(
                order_id=one.order_id, stage=one.stage, since=one.since, region=one.region, lines=one.lines,
                amount=_money(one.amount_minor, one.currency) if amounts else None,
            )
            for one in found.stuck
        ],
    )  # fmt: skip


def _money(minor: int, currency: str) -> Money:
    return show_money(money.Money(minor, currency))
