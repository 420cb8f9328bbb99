"""Sums of records, and what dashboards make of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

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
    unit_cost: str | None = None
    """What one unit cost; a record cost its quantity times this, and counts as without cost where it is missing."""

    @property
    def columns(self) -> frozenset[str]:
        """All of them."""
        return frozenset(msgspec.structs.astuple(self)) - {None}


class Groups(msgspec.Struct, frozen=True, kw_only=True):
    """Sums of one batch, one entry of each list for each group. `minutes` are counted since 1970 UTC.

    Of the records whose cost is known: how many they are (`costed`), what they are worth, and what they cost.
    """

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
    costed: Sequence[int]
    costed_amounts: Sequence[int]
    costs: Sequence[int]


SUMMED = ("records", "quantities", "amounts", "costed", "costed_amounts", "costs")
"""The members of Groups that are added up."""


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Records of one kind, status and currency that share `label` or the bucket `at`, and what they add up to.

    The cost of `costed` of them is known: these are worth `costed_minor` and cost `cost_minor`.
    """

    kind: str
    status: str
    currency: str
    records: int
    quantity: int
    amount_minor: int
    costed: int = 0
    costed_minor: int = 0
    cost_minor: int = 0
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
    nothing. Orders are compared by how many there were, amounts in the firm's currency. `amount_minor` is None where
    no amount is known, such as profit without any cost. `plan_minor` is what was planned up to now.
    """

    name: str
    records: int
    amount_minor: int | None
    before: int
    change: float | None
    by_currency: list[InCurrency]
    plan_minor: int | None = None


class MarginIn(msgspec.Struct, frozen=True, kw_only=True):
    """Revenue whose cost is known, in minor units of its currency; `share` and `known` as in `Margin`."""

    currency: str
    records: int
    revenue_minor: int
    cost_minor: int
    share: float | None
    known: float | None


class Margin(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of the revenue whose cost is known, in minor units of the firm's currency.

    `share` is 0.3 for three tenths left, below 0 for a loss, and None without revenue; `change` is by how much it
    differs from that of the period before, in whole buckets. `known` is the part of all that was paid or came back
    whose cost is known, None when that was nothing.
    """

    revenue_minor: int
    cost_minor: int
    share: float | None
    change: float | None
    known: float | None
    by_currency: list[MarginIn]


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What one region, channel, product or kind has of the whole; `weight` is an amount or a count.

    `margin` is in the firm's currency, and None where nobody asked for it or no cost is known.
    """

    label: str
    records: int
    weight: int
    margin: MarginIn | None = None


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Values by name in the bucket from `at` on: minor units of the firm's currency, or counts."""

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
