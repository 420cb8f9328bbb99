"""Sessions of customers, and what they looked at."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec


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
    """How many sessions, or lines of orders, got to a step.

    `change` compares whole buckets with as many of the period before, None when nothing was in those; `before` is how
    many got there in these.
    """

    name: str
    of: Literal["sessions", "lines"]
    count: int
    before: int
    change: float | None


class Interest(msgspec.Struct, frozen=True, kw_only=True):
    """A product: how often it was looked at, put into a basket, and ordered in lines.

    `before` and `change` are of what it was looked at, as in `FunnelStep`.
    """

    label: str
    views: int
    before: int
    change: float | None
    added: int
    placed: int
