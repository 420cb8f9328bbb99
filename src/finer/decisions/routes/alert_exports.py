"""HTTP of alerts as a file of CSV. Parse, call, answer."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Response, post
from litestar.datastructures import ResponseHeader
from litestar.response import Stream

from finer.decisions.routes.alerts import STATES, StateWord
from finer.decisions.routes.documents import Alert, show_alert
from finer.decisions.routes.explanations import Explanations
from finer.decisions.service import alerts as service
from finer.decisions.types import alerts as types
from finer.decisions.types.alerts import AlertFilter
from finer.identity.service import proposals
from finer.identity.service.authorisation import masking_of
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission
from finer.identity.types.proposals import Proposal
from finer.kit.errors import InvalidInput
from finer.kit.masking import Masking, mask
from finer.kit.settings import Settings
from finer.kit.spreadsheet_files import csv_file
from finer.kit.tx import Tx

_Text = Annotated[str, msgspec.Meta(max_length=200)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_MINUTES_MAX = 527_040  # of a leap year
_COLUMNS = (
    "id", "state", "action", "raised_at", "occurred_at", "event_id", "account_id", "customer_id", "card_last4",
    "amount", "currency", "amount_usd", "merchant", "city", "country", "channel", "rules", "reasons", "explained",
    "would_pass", "score", "case_id", "resolved_by", "resolved_at", "note",
)  # fmt: skip
_FILES = {
    "200": {
        "description": "The alerts as a file",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    },
    "202": {
        "description": "So many alerts wait for a second person",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/AlertExportProposal"}}},
    },
}


class AlertExport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which alerts to export: the filter of the list. `last_minutes` is a time until now, `from` and `to` are fixed.

    An export that waits for a second person is asked for again in the same words, so a time until now is said as such.
    """

    state: StateWord | None = None
    action: Literal["review", "block"] | None = None
    rule: _Text | None = None
    q: _Text | None = None
    assignee: Literal["me", "nobody"] | None = None
    min_amount_usd: Annotated[float, msgspec.Meta(ge=0, le=1e12)] | None = None
    last_minutes: Annotated[int, msgspec.Meta(ge=1, le=_MINUTES_MAX)] | None = None
    since: _Moment | None = msgspec.field(default=None, name="from")
    until: _Moment | None = msgspec.field(default=None, name="to")
    sort: Literal["newest", "amount"] = "newest"
    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    """Why so many alerts are needed, for whoever approves it."""


class AlertExportProposal(msgspec.Struct, frozen=True):
    """An export that waits for somebody else; the same request gets the file within a day of the approval."""

    proposal: str


class AlertExportController(Controller):
    """Alerts for spreadsheets."""

    path = "/api/v1/alerts/exports"
    tags = ["Alerts"]

    @post(
        "/",
        opt={
            "permission": Permission.ALERTS_EXPORT,
            "step_up": True,
            "answer_once": True,
            "describe": {"responses": _FILES},
        },
        sync_to_thread=True,
        status_code=200,
        summary="Export alerts",
        response_headers=[ResponseHeader(name="Cache-Control", value="no-store")],
    )
    def export(
        self, tx: Tx, data: AlertExport, settings: Settings, proposal_kinds: Kinds, explanations: Explanations
    ) -> Response[bytes | AlertExportProposal]:
        """Up to 100,000 alerts as CSV, masked as the list is; the export is an entry of the audit trail.

        A large one (FINER_EXPORT_ROWS_MAX) waits for somebody else first, and answers 202 with what waits.
        """
        found = service.take_alerts(tx, settings, proposal_kinds, _filter(tx, data), _asked(data), data.reason)
        if isinstance(found, Proposal):
            return Response(AlertExportProposal(proposals.shown_id(found)), status_code=202)
        rows = _rows(tx, found, explanations, masking_of(tx.actor))
        headers = {"Content-Disposition": f'attachment; filename="alerts-{tx.now():%Y%m%d-%H%M%S}.csv"'}
        file: Response[Any] = Stream(csv_file(_COLUMNS, rows), media_type="text/csv", headers=headers)
        return file


def _filter(tx: Tx, data: AlertExport) -> AlertFilter:
    since = data.since
    if data.last_minutes is not None:
        if since is not None or data.until is not None:
            raise InvalidInput("Give `last_minutes`, or `from` and `to`, not both.")
        since = tx.now() - timedelta(minutes=data.last_minutes)
    return AlertFilter(
        state=None if data.state is None else STATES[data.state],
        action=data.action,
        rule=data.rule,
        text=data.q,
        assignee=uuid.UUID(tx.actor.id) if data.assignee == "me" else None,
        unassigned=data.assignee == "nobody",
        min_amount_usd_minor=None if data.min_amount_usd is None else round(data.min_amount_usd * 100),
        since=since,
        until=data.until,
        by_amount=data.sort == "amount",
    )


def _asked(data: AlertExport) -> dict[str, Any]:
    asked = {name: getattr(data, name) for name in AlertExport.__struct_fields__ if name != "reason"}
    return {name: _plain(value) for name, value in asked.items() if value is not None}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _rows(
    tx: Tx, pages: Iterator[list[types.Alert]], explanations: Explanations, masking: Masking
) -> Iterator[list[list[Any]]]:
    for page in pages:
        known = explanations(tx, [alert.id for alert in page])
        yield [_row(mask(show_alert(alert, known.get(alert.id)), masking), alert) for alert in page]


def _row(shown: Alert, alert: types.Alert) -> list[Any]:
    resolution = shown.resolution
    return [
        shown.id, shown.state.value, shown.action, shown.raised_at, shown.occurred_at, shown.event_id,
        shown.account_id, shown.customer_id, shown.card_last4, alert.amount.decimal(), alert.amount.currency,
        None if alert.amount_usd is None else alert.amount_usd.decimal(), shown.merchant_name, shown.merchant_city,
        shown.merchant_country, shown.channel, " ".join(rule.id for rule in shown.rules), " ".join(shown.reasons),
        " ".join(shown.explained), shown.would_pass, shown.score, shown.case_id,
        None if resolution is None else resolution.by, None if resolution is None else resolution.at,
        None if resolution is None else resolution.note,
    ]  # fmt: skip
