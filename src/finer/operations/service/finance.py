"""Financial performance: what was sold, paid, sent back, moved in and out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from finer.kit.tx import Tx
from finer.operations.rules.margins import margin, profit, with_margins
from finer.operations.rules.plans import planned
from finer.operations.rules.sums import buckets, figure, shares
from finer.operations.service.tiles import Ground, each, ground
from finer.operations.store.targets import TargetStore
from finer.operations.types.sums import Choices, Figure, Filter, Frame, Margin, Moment, Share, Sums

_MOVED = ("authorized", "settled")
"""States of a payment in which money moves: one that was declined or reversed does not."""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """Which sums of a contract a number is made of, and as what they count."""

    contract: str
    counts: Callable[[Sums], bool]
    as_what: Callable[[Sums], Sums] = lambda one: one
    adds: tuple[str, ...] = ("currency", "amount")
    """The members of `Measured` whose columns its amount is made of."""
    known_only: bool = False
    """Whether there is no amount where nothing counts: profit is not 0 because no line says its cost."""

    def of(self, sums: Iterable[Sums]) -> list[Sums]:
        """Those that count, as what they count."""
        return [self.as_what(one) for one in sums if self.counts(one)]


def _order(*kinds: str) -> Counted:
    return Counted(contract="order", counts=lambda one: one.kind in kinds)


def _payment(*kinds: str, statuses: tuple[str, ...] = _MOVED) -> Counted:
    return Counted(contract="transaction", counts=lambda one: one.kind in kinds and one.status in statuses)


FIGURES = {
    "revenue": _order("paid", "returned"),
    "gross_profit": Counted(
        contract="order", counts=lambda one: one.kind in ("paid", "returned") and one.costed > 0, as_what=profit,
        adds=("currency", "amount", "quantity", "unit_cost"), known_only=True,
    ),
    "ordered": _order("placed"),
    "returned": _order("returned"),
    "cancelled": _order("cancelled"),
    "payments": _payment("purchase", "payment", "transfer"),
    "refunds": _payment("refund"),
    "cash_in": _payment("deposit"),
    "cash_out": _payment("withdrawal"),
    "fees": _payment("fee"),
    "declined": _payment("purchase", "payment", "transfer", "withdrawal", statuses=("declined", "reversed")),
}  # fmt: skip
"""The numbers by name. What comes back has its own sign, so revenue is what was paid less what was returned."""
CONTRACTS = ("order", "transaction")
_CHARTED = ("revenue", "gross_profit", "payments", "refunds")


def finance(tx: Tx, span: str, chosen: Filter) -> tuple[Frame, str, dict[str, Any], list[str]]:
    """The time shown, the firm's currency, the tiles by name, and which of them failed. Raises UnknownSpan."""
    at = ground(tx, span, chosen)
    tiles = {
        "figures": lambda: _figures(at),
        "margin": lambda: _margin(at),
        "series": lambda: _series(at),
        "regions": lambda: _shares(at, "region"),
        "channels": lambda: _shares(at, "channel"),
        "products": lambda: _shares(at, "product"),
        "choices": lambda: _choices(at),
        "newest": lambda: at.store.newest(CONTRACTS),
    }
    found, failed = each(tx, tiles)
    return at.frame, at.currency, found, failed


def figure_of(at: Ground, name: str, counted: Counted, weigh: Callable[[Sums], int]) -> Figure:
    """What counts over the span; without an amount where none is known. `weigh` says what of it is compared."""
    now, before = counted.of(at.series(counted.contract)), counted.of(at.before(counted.contract))
    found = figure(name, now, before, at.convert, weigh, at.change)
    if counted.known_only and not now:
        return msgspec.structs.replace(found, amount_minor=None, change=None)
    return found


def _figures(at: Ground) -> list[Figure]:
    plan = _plan(at)
    return [
        msgspec.structs.replace(figure_of(at, name, one, at.worth), plan_minor=plan(name, at.since, at.now))
        for name, one in FIGURES.items()
    ]


def _margin(at: Ground) -> Margin:
    revenue = FIGURES["revenue"]
    return margin(revenue.of(at.series("order")), revenue.of(at.before("order")), at.convert, at.change)


def _plan(at: Ground) -> Callable[[str, datetime, datetime], int | None]:
    """What was planned of a figure in a time: for the whole firm, so of one region or channel nothing is."""
    plans = [] if at.chosen != Filter() else TargetStore(at.tx).newest().plans
    return lambda name, since, until: planned(plans, name, at.currency, (since, until), at.zone)


def _series(at: Ground) -> list[Moment]:
    plan, length = _plan(at), timedelta(seconds=at.span.bucket_s)
    charted = {name: FIGURES[name].of(at.series(FIGURES[name].contract)) for name in _CHARTED}
    charted = {name: sums for name, sums in charted.items() if sums or not FIGURES[name].known_only}
    found = {when: dict.fromkeys(charted, 0) for when in buckets(at.since, at.now, at.span.bucket_s)}
    for name, sums in charted.items():
        for one in sums:
            if one.at in found:
                found[one.at][name] += at.worth(one)
    for when, values in found.items():
        promised = plan("revenue", when, when + length)
        if promised is not None:
            values["plan"] = promised
    return [Moment(at=when, values=values) for when, values in found.items()]


def _shares(at: Ground, dimension: str) -> list[Share]:
    revenue = FIGURES["revenue"]
    sums = revenue.of(at.labelled(revenue.contract, dimension))
    return with_margins(shares(sums, at.worth), sums, at.convert, at.currency)


def _choices(at: Ground) -> Choices:
    return Choices(
        regions=sorted({value for contract in CONTRACTS for value in at.store.values(contract, "region")}),
        channels=sorted({value for contract in CONTRACTS for value in at.store.values(contract, "channel")}),
    )
