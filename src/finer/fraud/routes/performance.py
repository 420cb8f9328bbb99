"""HTTP of performance: how rules and models did as known at a moment, and the payments behind each number."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.params import Parameter

from finer.fraud.service import performance
from finer.fraud.service.performance import PAGE, ReadLake
from finer.fraud.service.rules import CAPACITY_PER_DAY
from finer.fraud.types import DecidedPayment, OutcomeKind, Performance, Source
from finer.identity.types.access import Permission
from finer.kit import documents
from finer.kit.documents import show_money
from finer.kit.errors import InvalidInput
from finer.kit.money import Money
from finer.kit.tx import Tx

_MOMENT = {"format": "date-time"}
_Since = Annotated[str | None, Parameter(query="from", schema_extra=_MOMENT)]
_Until = Annotated[str | None, Parameter(query="to", schema_extra=_MOMENT)]
_AsOf = Annotated[str | None, Parameter(schema_extra=_MOMENT)]


class PaymentView(msgspec.Struct, frozen=True, kw_only=True):
    """A payment behind a number: what was decided on it, and what was known of it since when."""

    event_id: str
    occurred_at: datetime
    amount: documents.Money
    merchant_name: str | None
    merchant_country: str | None
    channel: str | None
    action: str
    rules: list[str]
    score: float | None
    verdict: str | None
    known_at: datetime | None


class PaymentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Payments, the newest first; `next` is what `before` takes for the page behind it, null on the last."""

    items: list[PaymentView]
    next: str | None


class PerformanceController(Controller):
    """How right what decides was."""

    path = "/api/v1/performance"
    tags = ["Performance"]

    @get("/", opt={"permission": Permission.PERFORMANCE_READ}, sync_to_thread=True, summary="Performance of rules")
    def measure(
        self,
        tx: Tx,
        read_lake: ReadLake,
        since: _Since = None,
        until: _Until = None,
        as_of: _AsOf = None,
        capacity_per_day: Annotated[int, Parameter(ge=1, le=100_000)] = CAPACITY_PER_DAY,
    ) -> Performance:
        """Precision, recall, good payments hit, money protected and time taken, by rule and by model.

        Without a period the last 30 days. `as_of` asks as if it were then: labels that came later do not count.
        """
        wanted = performance.period(tx, _moment("from", since), _moment("to", until), _moment("as_of", as_of))
        return performance.measure(tx, read_lake, wanted, capacity_per_day)

    @get(
        "/payments", opt={"permission": Permission.DECISIONS_READ}, sync_to_thread=True,
        summary="The payments behind a number",
    )  # fmt: skip
    def payments(
        self,
        tx: Tx,
        read_lake: ReadLake,
        outcome: OutcomeKind = "hits",
        source: Source = "all",
        name: Annotated[str, Parameter(max_length=200)] = "",
        since: _Since = None,
        until: _Until = None,
        as_of: _AsOf = None,
        before: Annotated[str | None, Parameter(max_length=200)] = None,
    ) -> PaymentPage:
        """Payments of a source (`rule` and `model` with their name) and an outcome, page by page."""
        wanted = performance.period(tx, _moment("from", since), _moment("to", until), _moment("as_of", as_of))
        found = performance.payments(tx, read_lake, wanted, source, name, outcome, after=_read_cursor(before))
        last = found[-1] if len(found) == PAGE else None
        return PaymentPage(
            items=[_show(one) for one in found],
            next=None if last is None else f"{last.occurred_at.isoformat()}|{last.event_id}",
        )


def _show(one: DecidedPayment) -> PaymentView:
    plain = msgspec.structs.asdict(one)
    amount = show_money(Money(plain.pop("amount_minor"), plain.pop("currency")))
    return PaymentView(amount=amount, **plain)


def _read_cursor(text: str | None) -> tuple[datetime, str] | None:
    if text is None:
        return None
    at, _, event_id = text.partition("|")
    moment = _moment("before", at)
    return None if moment is None else (moment, event_id)


def _moment(name: str, text: str | None) -> datetime | None:
    """A date and time in a query. Left to the framework, a number would count as seconds since 1970."""
    if text is None:
        return None
    try:
        found = msgspec.convert(text, datetime)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{name} is {text[:40]!r}; it must be a date and time like 2026-11-20T10:00:00Z.") from error
    if found.tzinfo is None:
        raise InvalidInput(f"{name} is {text[:40]!r}; it needs its zone, as in 2026-11-20T10:00:00Z.")
    return found
