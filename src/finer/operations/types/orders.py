"""Orders on their way, and those that wait."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


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

    `counts` has one entry more than there are edges of age: those older than the last. `usual_s` is the 95th
    percentile of how long orders took to leave the stage of late, None where too few have.
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
