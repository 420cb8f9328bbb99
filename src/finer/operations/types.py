"""The nouns of operations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

import msgspec
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
OTHER = "(other)"
"""Stands for every value of a dimension beyond those that are counted by themselves."""


class Grain(StrEnum):
    """By what a row of sums is kept apart, besides kind, status and currency: by region and channel, or by product."""

    PLACE = "place"
    PRODUCT = "product"


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Which columns of a contract say what a record is and what it adds; None where the contract has none."""

    kind: str
    region: str
    channel: str
    product: str
    status: str | None = None
    currency: str | None = None
    amount: str | None = None
    quantity: str | None = None


class Groups(msgspec.Struct, frozen=True, kw_only=True):
    """Sums of one batch, one entry of each list for each group. `minutes` are counted since 1970 UTC."""

    minutes: Sequence[int]
    grains: Sequence[str]
    kinds: Sequence[str]
    statuses: Sequence[str]
    currencies: Sequence[str]
    regions: Sequence[str]
    channels: Sequence[str]
    products: Sequence[str]
    records: Sequence[int]
    quantities: Sequence[int]
    amounts: Sequence[int]


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Records of one kind, status and currency that share `label` or the bucket `at`, and what they add up to."""

    kind: str
    status: str
    currency: str
    records: int
    quantity: int
    amount_minor: int
    at: datetime | None = None
    label: str = ""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A length of time that a dashboard shows: from which rollup it is read, and how long a bucket of a chart is."""

    name: str
    length: timedelta
    step_s: int
    bucket_s: int


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What part of the records a dashboard shows; None is everything."""

    region: str | None = None
    channel: str | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared with the period before: whole buckets up to a moment, and those `length` earlier."""

    whole_until: datetime
    length: timedelta


class InCurrency(msgspec.Struct, frozen=True, kw_only=True):
    """Records of one currency; `converted` is minor units of the firm's own, None where no rate is known."""

    currency: str
    records: int
    amount_minor: int
    converted: int | None


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One number of a dashboard, in the firm's currency, and what it is made of.

    `change` compares whole buckets with those of the period before, 0.1 for a tenth more, None when `before` is
    nothing. Orders are compared by how many there were, amounts in the firm's currency. `plan_minor` is what was
    planned up to now.
    """

    name: str
    records: int
    amount_minor: int
    before: int
    change: float | None
    by_currency: list[InCurrency]
    plan_minor: int | None = None


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What one region, channel, product or kind has of the whole; `weight` is an amount or a count."""

    label: str
    records: int
    weight: int


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Values by name in one bucket of time."""

    at: datetime
    values: dict[str, int]


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What a dashboard can be narrowed to."""

    regions: list[str]
    channels: list[str]


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """Which time is shown; the firm's oldest records that its sums do not hold came at `behind_since`, if there are."""

    as_of: datetime
    behind_since: datetime | None
    since: datetime
    bucket_s: int


class Stage(StrEnum):
    """How far an order has come, on its way or off it."""

    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"


OPEN_STAGES = (Stage.PLACED, Stage.PAID, Stage.SHIPPED)
"""Stages in which an order waits for something."""


class OpenOrders(msgspec.Struct, frozen=True, kw_only=True):
    """Orders that wait in one stage: how many by age in that stage, and from which age on one is stuck.

    `counts` has one entry more than `AGE_EDGES_S`: those older than the last edge. `usual_s` is the 95th percentile of
    how long orders took to leave the stage of late, None where too few have.
    """

    stage: Stage
    counts: list[int]
    stuck: int
    stuck_after_s: float
    usual_s: float | None


class StuckOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that waits in a stage for longer than is usual."""

    order_id: str
    stage: Stage
    since: datetime
    region: str
    lines: int
    currency: str
    amount_minor: int


class OrderAges(msgspec.Struct, frozen=True, kw_only=True):
    """What waits, as of a moment."""

    as_of: datetime
    stages: list[OpenOrders]
    stuck: list[StuckOrder]


AGE_EDGES_S = (3_600, 6 * 3_600, 86_400, 3 * 86_400, 7 * 86_400, 14 * 86_400)
"""Upper edges of the ages that open orders are counted by, in seconds."""


class Gauge(msgspec.Struct, frozen=True):
    """What was read of something at a moment; `label` tells several of one name apart."""

    name: str
    label: str
    value: float


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a gauge in one bucket of time: how often, what the readings add up to, and the highest."""

    name: str
    label: str
    at: datetime
    samples: int
    total: float
    highest: float


class OutcomeDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day of the firm's calendar: payments, what is known of them by now, and those of high value."""

    day: date
    payments: int
    fraud: int
    legitimate: int
    protected_usd_minor: int
    missed_usd_minor: int
    high_value: int = 0
    high_value_covered: int = 0


class Outcomes(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the firm's payments day by day, as known at a moment."""

    as_of: datetime
    days: list[OutcomeDay]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure has to reach: at most or at least `value`, in milliseconds or as a share (1 is all)."""

    unit: Literal["ms", "share"]
    value: float
    at_most: bool


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What figures are to reach in a month (2026-11) of the firm's calendar: minor units by name."""

    month: str
    currency: str
    amounts_minor: dict[str, int]


class Targets(msgspec.Struct, frozen=True, kw_only=True):
    """What a firm wants to reach: goals by name where they are not those of the house, and plans by month."""

    goals: dict[str, float] = {}
    plans: list[Plan] = []
    version: int = 0
    changed_by: str | None = None
    changed_at: datetime | None = None


class Point(msgspec.Struct, frozen=True):
    """A figure on one day; None where nothing was measured."""

    day: date
    value: float | None


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of a period held to its target, and day by day.

    `value` and `before` (the period before) are in the target's unit, None when nothing was measured; `holds` is None
    then too. `parts` are the numbers that the value is made of.
    """

    name: str
    target: Target
    value: float | None
    before: float | None
    holds: bool | None
    series: list[Point]
    parts: dict[str, int]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Measurements by name in one bucket of time; what was not measured then is left out."""

    at: datetime
    values: dict[str, float]


class ContractFlow(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a contract in a span, and how many milliseconds records waited to be decided.

    `per_s` is what was received by second in the last whole minute, whatever the span.
    """

    contract: str
    per_s: float
    received: int
    decided: int
    duplicates: int
    refused: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class StageDelay(msgspec.Struct, frozen=True, kw_only=True):
    """How long it takes to a stage: most records of the span (99 of 100, or the slowest reading), and now.

    `waiting_s` is for how long the oldest records wait for it, 0 while it keeps up, None where that is not known.
    """

    stage: Literal["decided", "sums", "lake"]
    slowest_s: float | None
    waiting_s: float | None


class TableFreshness(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the lake: rows, its newest one, the age of that, and how long rows took into it last."""

    table: str
    rows: int
    newest: datetime | None
    age_s: float | None
    delay_s: float


class JobsNow(msgspec.Struct, frozen=True, kw_only=True):
    """Work of the firm that has not ended, since when the oldest waits, and how much failed in the span."""

    open: int
    oldest_at: datetime | None
    failed: int


class Visits(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions that share `label` or began in the bucket `at`, how many of them came how far, and their length.

    One that got to a later step counts in the earlier ones: `viewed` looked at a product, `added` filled a basket.
    `single` had one action alone; `seconds` is the length of all together.
    """

    at: datetime | None = None
    label: str = ""
    sessions: int = 0
    viewed: int = 0
    added: int = 0
    checked_out: int = 0
    purchased: int = 0
    single: int = 0
    seconds: int = 0


class VisitsHere(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions that began in one hour, region and channel, as in `Visits`."""

    bucket: datetime
    region: str
    channel: str
    sessions: int
    viewed: int
    added: int
    checked_out: int
    purchased: int
    single: int
    seconds: int


class Visited(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions of a period and of the one before; `change` compares whole buckets, None when there was nothing."""

    now: Visits
    before: Visits
    change: float | None


class FunnelStep(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions, or lines of orders, got to a step, and how many did in the period before."""

    name: str
    of: Literal["sessions", "lines"]
    count: int
    before: int


class Interest(msgspec.Struct, frozen=True, kw_only=True):
    """A product: how often it was looked at, also in the period before, put into a basket, and ordered in lines."""

    label: str
    views: int
    before: int
    added: int
    placed: int
