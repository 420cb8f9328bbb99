"""HTTP of performance: how rules and models did as known at a moment, and the payments behind each number."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import Provide
from litestar.params import Parameter
from litestar.response import Stream

from finer.fraud.routes.documents import FILES, FraudExportProposal
from finer.fraud.service import performance
from finer.fraud.service.performance import PAGE, Asked, ReadLake
from finer.fraud.service.rules import CAPACITY_PER_DAY
from finer.fraud.types import DecidedPayment, OutcomeKind, Performance, Source
from finer.identity.service import proposals
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission
from finer.identity.types.proposals import Proposal
from finer.kit import allowed, documents
from finer.kit.documents import show_money
from finer.kit.errors import InvalidInput
from finer.kit.moments import moment_in_query
from finer.kit.money import Money
from finer.kit.settings import Settings
from finer.kit.spreadsheet_files import csv_file
from finer.kit.tx import Tx

_COLUMNS = (
    "event_id", "occurred_at", "amount", "currency", "merchant", "country", "channel", "action", "rules", "score",
    "verdict", "known_at",
)  # fmt: skip
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


class PaymentExport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which payments to export: those of a source and an outcome in the `days` before `as_of`, or before now."""

    outcome: OutcomeKind = "hits"
    source: Source = "all"
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    days: Annotated[int, msgspec.Meta(ge=1, le=performance.DAYS_MAX)] = 30
    as_of: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    """Why so many payments are needed, for whoever approves it."""


async def _behind(
    request: Request[Any, Any, Any], asked: Asked, read_lake: ReadLake
) -> list[DecidedPayment]:  # fmt: skip
    """What the lake holds, read before the transaction of the export begins. Raises InvalidInput, as the route does."""
    try:
        # What stands before a transaction is not handed the body as the route is.
        data = msgspec.convert(await request.json(), PaymentExport, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"This is no question for payments: {allowed.problem(PaymentExport, error)}.") from error
    until = data.as_of or asked.now
    wanted = performance.period(asked.now, until - timedelta(days=data.days), until, data.as_of)
    most = performance.FILE_ROWS_MAX + 1
    return await asyncio.to_thread(
        performance.payments, asked.tenant, read_lake, wanted, data.source, data.name, data.outcome, limit=most
    )


class PerformanceController(Controller):
    """How right what decides was."""

    path = "/api/v1/performance"
    tags = ["Performance"]

    @get("/", opt={"permission": Permission.PERFORMANCE_READ}, sync_to_thread=True, summary="Performance of rules")
    def measure(
        self,
        asked: Asked,
        read_lake: ReadLake,
        since: _Since = None,
        until: _Until = None,
        as_of: _AsOf = None,
        capacity_per_day: Annotated[int, Parameter(ge=1, le=100_000)] = CAPACITY_PER_DAY,
    ) -> Performance:
        """Precision, recall, good payments hit, money protected and time taken, by rule and by model.

        Without a period the last 30 days. `as_of` asks as if it were then: labels that came later do not count.
        """
        wanted = _period(asked.now, since, until, as_of)
        return performance.measure(asked, read_lake, wanted, capacity_per_day)

    @get(
        "/payments", opt={"permission": Permission.DECISIONS_READ}, sync_to_thread=True,
        summary="The payments behind a number",
    )  # fmt: skip
    def payments(
        self,
        asked: Asked,
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
        wanted = _period(asked.now, since, until, as_of)
        after = _read_cursor(before)
        found = performance.payments(asked.tenant, read_lake, wanted, source, name, outcome, after=after)
        last = found[-1] if len(found) == PAGE else None
        return PaymentPage(
            items=[_show(one) for one in found],
            next=None if last is None else f"{last.occurred_at.isoformat()}|{last.event_id}",
        )

    @post(
        "/payments/export",
        opt={
            "permission": Permission.DECISIONS_EXPORT,
            "step_up": True,
            "answer_once": True,
            "describe": {"responses": FILES},
        },
        sync_to_thread=True,
        status_code=200,
        summary="Export the payments behind a number",
        response_headers=[ResponseHeader(name="Cache-Control", value="no-store")],
        dependencies={"before_tx": Provide(_behind)},
    )
    def export(
        self, tx: Tx, data: PaymentExport, before_tx: list[DecidedPayment], settings: Settings, proposal_kinds: Kinds
    ) -> Response[bytes | FraudExportProposal]:
        """Up to 20,000 payments as CSV, the newest first; the export is an entry of the audit trail.

        Many of them (FINER_EXPORT_ROWS_MAX) wait for somebody else first, and answer 202 with what waits.
        """
        found = performance.take_payments(tx, settings, proposal_kinds, before_tx, _asked(data), data.reason)
        if isinstance(found, Proposal):
            return Response(FraudExportProposal(proposals.shown_id(found)), status_code=202)
        headers = {"Content-Disposition": f'attachment; filename="{data.outcome}-{tx.now():%Y%m%d-%H%M%S}.csv"'}
        rows = csv_file(_COLUMNS, [[_row(one) for one in found]])
        file: Response[Any] = Stream(rows, media_type="text/csv", headers=headers)
        return file


def _asked(data: PaymentExport) -> dict[str, Any]:
    asked = {name: getattr(data, name) for name in PaymentExport.__struct_fields__ if name != "reason"}
    return asked | {"as_of": None if data.as_of is None else data.as_of.isoformat()}


def _row(one: DecidedPayment) -> list[Any]:
    return [
        one.event_id, one.occurred_at, Money(one.amount_minor, one.currency).decimal(), one.currency,
        one.merchant_name, one.merchant_country, one.channel, one.action, " ".join(one.rules), one.score, one.verdict,
        one.known_at,
    ]  # fmt: skip


def _show(one: DecidedPayment) -> PaymentView:
    plain = msgspec.structs.asdict(one)
    amount = show_money(Money(plain.pop("amount_minor"), plain.pop("currency")))
    return PaymentView(amount=amount, **plain)


def _period(now: datetime, since: str | None, until: str | None, as_of: str | None) -> performance.Period:
    read = moment_in_query
    return performance.period(now, read("from", since), read("to", until), read("as_of", as_of))


def _read_cursor(text: str | None) -> tuple[datetime, str] | None:
    if text is None:
        return None
    at, _, event_id = text.partition("|")
    moment = moment_in_query("before", at)
    return None if moment is None else (moment, event_id)
