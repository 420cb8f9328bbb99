"""Margins: what is left of revenue when goods are paid for, of the revenue alone whose cost is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from finer.operations.rules.sums import Convert
from finer.operations.types.sums import OTHER, Change, Margin, MarginIn, Share, Sums


def profit(one: Sums) -> Sums:
    """The same sums as gross profit: of the records whose cost is known, what they are worth less what they cost."""
    return msgspec.structs.replace(one, records=one.costed, amount_minor=one.costed_minor - one.cost_minor)


def margin(now: Iterable[Sums], before: Iterable[Sums], convert: Convert, since: Change) -> Margin:
    """The margin of revenue, by currency and together in the firm's own; what has no rate is not in the whole.

    `now` and `before` are sums of lines that were paid or came back, the whole period and the one before; `since` says
    which buckets of them are compared.
    """
    kept = list(now)
    together = _Whole()
    by_currency: dict[str, _Whole] = {}
    for one in kept:
        by_currency.setdefault(one.currency, _Whole()).add(one, _as_it_is)
        together.add(one, convert)
    here = _until(kept, since.whole_until, convert)
    there = _until(before, since.whole_until - since.length, convert)
    return Margin(
        revenue_minor=together.revenue,
        cost_minor=together.cost,
        share=together.share,
        change=None if here is None or there is None else here - there,
        known=together.known,
        by_currency=[
            whole.shown(currency)
            for currency, whole in sorted(by_currency.items(), key=lambda item: (-item[1].records, item[0]))
            if whole.records
        ],
    )


def with_margins(found: Sequence[Share], sums: Iterable[Sums], convert: Convert, currency: str) -> list[Share]:
    """The same shares with the margin of each, in `currency`, the firm's own; `sums` are those that they are made of.

    What has no line of its own belongs to the one of all others.
    """
    wholes = {one.label: _Whole() for one in found}
    for one in sums:
        wholes[one.label if one.label in wholes else OTHER].add(one, convert)
    return [
        msgspec.structs.replace(one, margin=whole.shown(currency)) if (whole := wholes[one.label]).records else one
        for one in found
    ]


def _until(sums: Iterable[Sums], end: datetime, convert: Convert) -> float | None:
    whole = _Whole()
    for one in sums:
        if one.at is not None and one.at < end:
            whole.add(one, convert)
    return whole.share


def _as_it_is(_: str, minor: int) -> int:
    return minor


class _Whole:
    """Sums of one currency: how many records have a cost, their revenue and cost, and what all records moved."""

    def __init__(self) -> None:
        self.records = self.revenue = self.cost = 0
        self._costed = self._moved = 0

    def add(self, one: Sums, convert: Convert) -> None:
        revenue, cost, moved = (convert(one.currency, n) for n in (one.costed_minor, one.cost_minor, one.amount_minor))
        if revenue is None or cost is None or moved is None:
            return
        self.records += one.costed
        self.revenue += revenue
        self.cost += cost
        # What came back has the other sign. It is as much of a sum whose cost is known or not as what was paid.
        self._costed += abs(revenue)
        self._moved += abs(moved)

    def shown(self, currency: str) -> MarginIn:
        """As a document shows it."""
        return MarginIn(
            currency=currency, records=self.records, revenue_minor=self.revenue, cost_minor=self.cost,
            share=self.share, known=self.known,
        )  # fmt: skip

    @property
    def share(self) -> float | None:
        """What is left of each unit of revenue; None where there is no revenue to be left of."""
        return None if self.revenue <= 0 else (self.revenue - self.cost) / self.revenue

    @property
    def known(self) -> float | None:
        """The part of what was paid and came back whose cost is known."""
        return None if self._moved == 0 else min(self._costed / self._moved, 1.0)
