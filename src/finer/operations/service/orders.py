"""Order status: how far orders come, where from, and what waits for too long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from finer.kit.moments import EPOCH
from finer.kit.tx import Tx
from finer.operations.rules.sums import buckets, figure, shares
from finer.operations.rules.waiting import stuck_after, usual_after
from finer.operations.service.tiles import Ground, each, ground
from finer.operations.store import lake
from finer.operations.store.ages import AgeStore
from finer.operations.store.rollups import RollupStore
from finer.operations.types.orders import AGE_EDGES_S, OPEN_STAGES, OpenOrders, OrderAges, Stage, StuckOrder
from finer.operations.types.sums import Choices, Figure, Filter, Frame, Moment, Share

AGES_JOB = "age_orders"
STUCK_MAX = 100
"""Stuck orders of each stage that are listed, the oldest first."""
_LOOKED_AT = timedelta(days=60)
_LEARNED_FROM = timedelta(days=30)
Read = Callable[[str, dict[str, Any]], list[dict[str, Any]]]


def orders(tx: Tx, span: str, chosen: Filter) -> tuple[Frame, str, dict[str, Any], list[str]]:
    """The time shown, the firm's currency, the tiles by name, and which of them failed. Raises UnknownSpan."""
    at = ground(tx, span, chosen)
    tiles = {
        "stages": lambda: _stages(at),
        "series": lambda: _series(at),
        "regions": lambda: _shares(at, "region"),
        "channels": lambda: _shares(at, "channel"),
        "products": lambda: _shares(at, "product"),
        "ages": lambda: AgeStore(tx).find(),
        "choices": lambda: _choices(at),
        "newest": lambda: at.store.newest(("order",)),
    }
    found, failed = each(tx, tiles)
    return at.frame, at.currency, found, failed


def has_orders(tx: Tx) -> bool:
    """Whether the firm has ever sent orders."""
    return "order" in RollupStore(tx).beginnings()


def look_at_ages(now: datetime, read: Read) -> OrderAges:
    """Look in the lake for orders that wait, and for those of them that are stuck.

    An order that was placed 60 days ago or earlier is not looked at. `read` asks the firm's lake; it may take its time,
    which is why there is no transaction here.
    """
    learned = {row["stage"]: row for row in read(lake.PASSAGES, {"since": now - _LEARNED_FROM})}
    usual = {
        stage: usual_after(row["orders"], row["usual_s"]) if (row := learned.get(stage.value)) else None
        for stage in OPEN_STAGES
    }
    after = {stage: stuck_after(stage, usual[stage]) for stage in OPEN_STAGES}
    since = now - _LOOKED_AT
    counted = read(lake.AGES, {"since": since, "now": now, "edges": list(AGE_EDGES_S)})
    waiting = read(
        lake.STUCK,
        {
            "since": since, "limit": STUCK_MAX, "stages": [stage.value for stage in OPEN_STAGES],
            "before": [now - timedelta(seconds=after[stage]) for stage in OPEN_STAGES],
        },
    )  # fmt: skip
    return OrderAges(
        as_of=now,
        stages=[_open(stage, counted, waiting, after[stage], usual[stage]) for stage in OPEN_STAGES],
        stuck=[_stuck(row) for row in waiting],
    )


def keep_ages(tx: Tx, found: OrderAges) -> int:
    """Keep a look in the place of the one before; returns how many orders are stuck."""
    AgeStore(tx).keep(found)
    return sum(one.stuck for one in found.stages)


def _stages(at: Ground) -> list[Figure]:
    now, before = at.series("order"), at.before("order")

    def of(stage: Stage) -> Figure:
        mine = [one for one in now if one.kind == stage], [one for one in before if one.kind == stage]
        return figure(stage.value, *mine, at.convert, lambda one: one.records, at.change)

    return [of(stage) for stage in Stage]


def _series(at: Ground) -> list[Moment]:
    found = {when: {stage.value: 0 for stage in Stage} for when in buckets(at.since, at.now, at.span.bucket_s)}
    for one in at.series("order"):
        if one.at in found and one.kind in found[one.at]:
            found[one.at][one.kind] += one.records
    return [Moment(at=when, values=values) for when, values in found.items()]


def _shares(at: Ground, dimension: str) -> list[Share]:
    placed = (one for one in at.labelled("order", dimension) if one.kind == Stage.PLACED)
    return shares(placed, lambda one: one.records)


def _choices(at: Ground) -> Choices:
    return Choices(regions=at.store.values("order", "region"), channels=at.store.values("order", "channel"))


def _open(
    stage: Stage, counted: list[dict[str, Any]], waiting: list[dict[str, Any]], after_s: float,
    usual_s: float | None,
) -> OpenOrders:  # fmt: skip
    counts = [0] * (len(AGE_EDGES_S) + 1)
    for row in counted:
        if row["stage"] == stage:
            counts[(row["place"] or len(counts)) - 1] += row["orders"]
    stuck = next((int(row["waiting"]) for row in waiting if row["stage"] == stage), 0)
    return OpenOrders(stage=stage, counts=counts, stuck=stuck, stuck_after_s=after_s, usual_s=usual_s)


def _stuck(row: dict[str, Any]) -> StuckOrder:
    since: datetime = row["since"]
    return StuckOrder(
        order_id=row["order_id"], stage=Stage(row["stage"]), since=max(since, EPOCH), region=row["region"],
        lines=row["lines"], currency=row["currency"], amount_minor=int(row["amount"]),
    )  # fmt: skip
