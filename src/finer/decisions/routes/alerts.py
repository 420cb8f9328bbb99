"""HTTP of alerts: lists, numbers, one alert, its resolution. Parse, call, answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from litestar import Controller, get, post
from litestar.params import Parameter

from finer.decisions import service, types
from finer.decisions.routes.documents import (
    Alert,
    AlertDetail,
    AlertPage,
    AlertSummary,
    ResolutionBody,
    show_alert,
    show_detail,
    show_summary,
)
from finer.decisions.types import AlertFilter, AlertState, TimelineEvent
from finer.identity.types import Permission
from finer.kit.ids import read_id
from finer.kit.tx import Tx

AccountTimeline: TypeAlias = Callable[[Tx, types.Alert], Sequence[TimelineEvent]]
"""The latest events of an alert's account, which the app finds in the lake."""
StateWord: TypeAlias = Literal["open", "confirmed", "confirmed_fraud", "dismissed"]
_STATES: dict[StateWord, AlertState] = {
    "open": AlertState.OPEN,
    "confirmed": AlertState.CONFIRMED,
    "confirmed_fraud": AlertState.CONFIRMED,
    "dismissed": AlertState.DISMISSED,
}


class AlertController(Controller):
    """Alerts for people."""

    path = "/api/v1/alerts"
    tags = ["Alerts"]

    @get("/", opt={"permission": Permission.ALERTS_READ}, sync_to_thread=True, summary="List alerts")
    def list(
        self,
        tx: Tx,
        alert_state: Annotated[StateWord | None, Parameter(query="state")] = None,
        action: Literal["review", "block"] | None = None,
        rule: str | None = None,
        q: str | None = None,
        min_amount_usd: Annotated[float | None, Parameter(ge=0, le=1e12, schema_extra={"minimum": 0})] = None,
        since: Annotated[datetime | None, Parameter(query="from")] = None,
        until: Annotated[datetime | None, Parameter(query="to")] = None,
        sort: Literal["newest", "amount"] = "newest",
        limit: Annotated[int, Parameter(ge=1, le=500)] = 50,
        before: str | None = None,
    ) -> AlertPage:
        """Alerts by state, action, rule, text, amount and time; newest or largest first, page by page."""
        wanted = AlertFilter(
            state=None if alert_state is None else _STATES[alert_state],
            action=action,
            rule=rule,
            text=q,
            min_amount_usd_minor=None if min_amount_usd is None else round(min_amount_usd * 100),
            since=since,
            until=until,
            by_amount=sort == "amount",
            limit=limit,
            before=before,
        )
        found, following = service.list_alerts(tx, wanted)
        return AlertPage(items=[show_alert(alert) for alert in found], next=following, as_of=tx.now())

    @get("/summary", opt={"permission": Permission.ALERTS_SUMMARISE}, sync_to_thread=True, summary="Numbers of alerts")
    def summary(self, tx: Tx, describe_rule: Callable[[str], str]) -> AlertSummary:
        """Open, confirmed and dismissed alerts, what is at stake, and what was protected."""
        return show_summary(service.summarise(tx), describe_rule)

    @get(
        "/{alert_id:str}",
        opt={"permission": Permission.ALERTS_READ, "sensitive": True},
        sync_to_thread=True,
        summary="One alert",
    )
    def detail(
        self,
        tx: Tx,
        alert_id: str,
        describe_feature: Callable[[str], tuple[str, str]],
        account_timeline: AccountTimeline,
    ) -> AlertDetail:
        """One alert with the feature values used and the account's recent timeline."""
        alert = service.get_alert(tx, read_id("alr", alert_id))
        return show_detail(alert, describe_feature, account_timeline(tx, alert))

    @post(
        "/{alert_id:str}/resolution",
        opt={"permission": Permission.ALERTS_RESOLVE},
        sync_to_thread=True,
        status_code=200,
        summary="Confirm fraud or dismiss",
    )
    def resolve(self, tx: Tx, alert_id: str, data: ResolutionBody) -> Alert:
        """Close an alert. 409 when somebody else was quicker."""
        verdict = AlertState(data.verdict)
        return show_alert(service.resolve_alert(tx, read_id("alr", alert_id), verdict, data.note, data.version))
