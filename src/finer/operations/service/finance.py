"""Financial performance: what was sold, paid, sent back, moved in and out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from finer.kit.tx import Tx
from finer.operations.rules.plans import planned
from finer.operations.rules.sums import buckets, figure, shares
from finer.operations.service.tiles import Ground, each, ground
from finer.operations.store.targets import TargetStore
from finer.operations.types import Choices, Figure, Filter, Frame, Moment, Share, Sums

_MOVED = ("authorized", "settled")
"""States of a payment in which money moves: one that was declined or reversed does not."""
_Test = Callable[[Sums], bool]


def _order(*kinds: str) -> _Test:
    return lambda one: one.kind in kinds


def _payment(*kinds: str, statuses: tuple[str, ...] = _MOVED) -> _Test:
    return lambda one: one.kind in kinds and one.status in statuses


FIGURES: dict[str, tuple[str, _Test]] = {
    "revenue": ("order", _order("paid", "returned")),
    "ordered": ("order", _order("placed")),
    "returned": ("order", _order("returned")),
    "cancelled": ("order", _order("cancelled")),
    "payments": ("transaction", _payment("purchase", "payment", "transfer")),
    "refunds": ("transaction", _payment("refund")),
    "cash_in": ("transaction", _payment("deposit")),
    "cash_out": ("transaction", _payment("withdrawal")),
    "fees": ("transaction", _payment("fee")),
    "declined": (
        "transaction",
        _payment("purchase", "payment", "transfer", "withdrawal", statuses=("declined", "reversed")),
    ),
}
"""The numbers by name: the contract of their records, and which of those count. What comes back has its own sign, so
revenue is what was paid less what was returned."""
_CHARTED = ("revenue", "payments", "refunds")


def finance(tx: Tx, span: str, chosen: Filter) -> tuple[Frame, str, dict[str, Any], list[str]]:
    """The time shown, the firm's currency, the tiles by name, and which of them failed. Raises UnknownSpan."""
    at = ground(tx, span, chosen)
    tiles = {
        "figures": lambda: _figures(at),
        "series": lambda: _series(at),
        "regions": lambda: _shares(at, "region"),
        "channels": lambda: _shares(at, "channel"),
        "products": lambda: _shares(at, "product"),
        "choices": lambda: _choices(at),
    }
    found, failed = each(tx, tiles)
    return at.frame, at.currency, found, failed


def _figures(at: Ground) -> list[Figure]:
    plan = _plan(at)
    now = {contract: at.series(contract) for contract in ("order", "transaction")}
    before = {contract: at.before(contract) for contract in ("order", "transaction")}
    return [
        msgspec.structs.replace(
            figure(name, filter(test, now[contract]), filter(test, before[contract]), at.convert, at.worth, at.change),
            plan_minor=plan(name, at.since, at.now),
        )
        for name, (contract, test) in FIGURES.items()
    ]


def _plan(at: Ground) -> Callable[[str, datetime, datetime], int | None]:
    """What was planned of a figure in a time: for the whole firm, so of one region or channel nothing is."""
    plans = [] if at.chosen != Filter() else TargetStore(at.tx).newest().plans
    return lambda name, since, until: planned(plans, name, at.currency, (since, until), at.zone)


def _series(at: Ground) -> list[Moment]:
    plan, length = _plan(at), timedelta(seconds=at.span.bucket_s)
    found = {when: dict.fromkeys(_CHARTED, 0) for when in buckets(at.since, at.now, at.span.bucket_s)}
    for name in _CHARTED:
        contract, test = FIGURES[name]
        for one in filter(test, at.series(contract)):
            if one.at in found:
                found[one.at][name] += at.worth(one)
    for when, values in found.items():
        promised = plan("revenue", when, when + length)
        if promised is not None:
            values["plan"] = promised
    return [Moment(at=when, values=values) for when, values in found.items()]


def _shares(at: Ground, dimension: str) -> list[Share]:
    contract, test = FIGURES["revenue"]
    return shares(filter(test, at.labelled(contract, dimension)), at.worth)


def _choices(at: Ground) -> Choices:
    contracts = ("order", "transaction")
    return Choices(
        regions=sorted({value for contract in contracts for value in at.store.values(contract, "region")}),
        channels=sorted({value for contract in contracts for value in at.store.values(contract, "channel")}),
    )
