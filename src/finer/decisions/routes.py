"""HTTP of decisions: alerts, their resolution, and awaited decisions. Parse, call, answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import Parameter

from finer.decisions import service
from finer.decisions.types import Alert, AlertFilter, AlertState, AlertSummary, Decision, RuleTotals, Verdict
from finer.identity.types import Permission, Principal
from finer.kit.errors import InvalidInput
from finer.kit.ids import read_id, show_id
from finer.kit.money import Money
from finer.kit.tx import Tx

BODY_BYTES_MAX = 64 * 1024
"""One transaction as JSON is far smaller; anything larger is a mistake or an attack."""

_STATES = {"open": AlertState.OPEN, "confirmed": AlertState.CONFIRMED, "dismissed": AlertState.DISMISSED}


AccountTimeline = Callable[[Tx, Alert], list[dict[str, Any]]]
"""The latest events of an alert's account, which the app finds in the lake."""


class ResolutionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says of an alert, and the version of the alert they looked at."""

    verdict: str
    version: int
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class AlertController(Controller):
    """Alerts for people."""

    path = "/api/v1/alerts"
    tags = ["Alerts"]

    @get("/", opt={"permission": Permission.ALERTS_READ}, sync_to_thread=True, summary="List alerts")
    def list(
        self,
        tx: Tx,
        alert_state: Annotated[str | None, Parameter(query="state")] = None,
        action: str | None = None,
        rule: str | None = None,
        q: str | None = None,
        min_amount_usd: Annotated[float | None, Parameter(ge=0, le=1e12)] = None,
        since: Annotated[datetime | None, Parameter(query="from")] = None,
        until: Annotated[datetime | None, Parameter(query="to")] = None,
        sort: str = "newest",
        limit: Annotated[int, Parameter(ge=1, le=500)] = 50,
        before: str | None = None,
    ) -> dict[str, Any]:
        """Alerts by state, action, rule, text, amount and time; newest or largest first, page by page."""
        wanted = AlertFilter(
            state=_state(alert_state),
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
        return {"items": [show_alert(alert) for alert in found], "next": following, "as_of": tx.now()}

    @get("/summary", opt={"permission": Permission.ALERTS_SUMMARISE}, sync_to_thread=True, summary="Numbers of alerts")
    def summary(self, tx: Tx, describe_rule: Callable[[str], str]) -> dict[str, Any]:
        """Open, confirmed and dismissed alerts, what is at stake, and what was protected."""
        return show_summary(service.summarise(tx), describe_rule)

    @get("/{alert_id:str}", opt={"permission": Permission.ALERTS_READ}, sync_to_thread=True, summary="One alert")
    def detail(
        self,
        tx: Tx,
        alert_id: str,
        describe_feature: Callable[[str], dict[str, str]],
        account_timeline: AccountTimeline,
    ) -> dict[str, Any]:
        """One alert with the feature values used and the account's recent timeline."""
        alert = service.get_alert(tx, read_id("alr", alert_id))
        features = [
            {"name": name, "value": value, **describe_feature(name)} for name, value in alert.verdict.features.items()
        ]
        return show_alert(alert) | {"features": features, "timeline": account_timeline(tx, alert)}

    @post(
        "/{alert_id:str}/resolution",
        opt={"permission": Permission.ALERTS_RESOLVE},
        sync_to_thread=True,
        status_code=200,
        summary="Confirm fraud or dismiss",
    )
    def resolve(self, tx: Tx, alert_id: str, data: ResolutionBody) -> dict[str, Any]:
        """Close an alert. 409 when somebody else was quicker."""
        verdict = {"confirmed_fraud": AlertState.CONFIRMED, "dismissed": AlertState.DISMISSED}.get(data.verdict)
        if verdict is None:
            raise InvalidInput(f"The verdict is {data.verdict!r}; it must be confirmed_fraud or dismissed.")
        return show_alert(service.resolve_alert(tx, read_id("alr", alert_id), verdict, data.note, data.version))


class DecisionController(Controller):
    """Decisions that a caller waits for."""

    path = "/api/v1/decisions"
    tags = ["Decisions"]

    @post("/", opt={"permission": Permission.DECISIONS_WRITE}, status_code=200, summary="Decide one transaction")
    async def decide(
        self, request: Request[Principal, Any, Any], decide: Callable[..., Any]
    ) -> Response[dict[str, Any]]:
        """Decide one transaction through the same path as every other record, and wait for the answer."""
        body = await request.body()
        if len(body) > BODY_BYTES_MAX:
            raise InvalidInput(f"The body has {len(body)} bytes; one transaction has at most {BODY_BYTES_MAX}.")
        found: Decision = await decide(request.user, body)
        return Response(show_decision(found))

    @get(
        "/{decision_id:str}", opt={"permission": Permission.DECISIONS_READ}, sync_to_thread=True, summary="One decision"
    )
    def detail(self, tx: Tx, decision_id: str) -> dict[str, Any]:
        """A decision that was waited for, as it was answered."""
        return show_decision(service.get_decision(tx, read_id("dec", decision_id)))


def show_money(money: Money | None) -> dict[str, Any] | None:
    """Money as the API shows it: exact minor units, currency, and a text for people."""
    return None if money is None else {"minor": money.minor, "currency": money.currency, "text": str(money)}


def show_alert(alert: Alert) -> dict[str, Any]:
    """An alert as the API shows it in lists and streams."""
    resolution = alert.resolution
    return {
        "id": show_id("alr", alert.id),
        "sequence": alert.sequence,
        "state": alert.state,
        "action": alert.action,
        "event_id": alert.event_id,
        "occurred_at": alert.occurred_at,
        "raised_at": alert.raised_at,
        "account_id": alert.account_id,
        "customer_id": alert.customer_id,
        "card_last4": alert.card_last4,
        "amount": show_money(alert.amount),
        "amount_usd": show_money(alert.amount_usd),
        "merchant_name": alert.merchant_name,
        "merchant_city": alert.merchant_city,
        "merchant_country": alert.merchant_country,
        "channel": alert.channel,
        "device_id": alert.device_id,
        "rules": alert.verdict.rules,
        "reasons": alert.verdict.reasons,
        "score": alert.verdict.score,
        "versions": {
            "rule_pack": alert.verdict.rule_pack,
            "feature_set": alert.verdict.feature_set,
            "model": alert.verdict.model,
        },
        "resolution": None
        if resolution is None
        else {"by": resolution.by, "at": resolution.at, "note": resolution.note},
        "version": alert.version,
    }


def show_summary(summary: AlertSummary, describe_rule: Callable[[str], str]) -> dict[str, Any]:
    """The numbers above the list as the API shows them."""

    def totals(rule: RuleTotals) -> dict[str, Any]:
        return {
            "rule": rule.rule,
            "title": describe_rule(rule.rule),
            "open": rule.open,
            "confirmed": rule.confirmed,
            "dismissed": rule.dismissed,
        }

    return {
        "open": summary.open,
        "open_amount_usd": show_money(Money(summary.open_usd_minor, "USD")),
        "confirmed": summary.confirmed,
        "dismissed": summary.dismissed,
        "blocked_today": summary.blocked_today,
        "protected_usd": show_money(Money(summary.protected_usd_minor, "USD")),
        "in_review_usd": show_money(Money(summary.in_review_usd_minor, "USD")),
        "by_rule": [totals(rule) for rule in summary.by_rule],
        "per_minute": summary.per_minute,
        "as_of": summary.as_of,
    }


def show_decision(found: Decision) -> dict[str, Any]:
    """An awaited decision as the API shows it."""
    verdict: Verdict = found.verdict
    return {
        "id": show_id("dec", found.id),
        "event_id": found.event_id,
        "action": verdict.action,
        "rules": verdict.rules,
        "reasons": verdict.reasons,
        "features": verdict.features,
        "score": verdict.score,
        "model": verdict.model,
        "versions": {"rule_pack": verdict.rule_pack, "feature_set": verdict.feature_set},
        "decided_at": found.decided_at,
        "alert_id": None if found.alert_id is None else show_id("alr", found.alert_id),
    }


def _state(text: str | None) -> AlertState | None:
    if text is None:
        return None
    found = _STATES.get(text) or next((state for state in AlertState if state == text), None)
    if found is None:
        raise InvalidInput(f"The state is {text!r}; it must be one of {', '.join(_STATES)}.")
    return found
