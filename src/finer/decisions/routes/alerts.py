"""HTTP of alerts: lists, numbers, one alert, its resolution. Parse, call, answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Annotated, Literal, TypeAlias

from litestar import Controller, get, post
from litestar.datastructures import ResponseHeader
from litestar.params import Parameter

from finer.decisions.routes.documents import (
    Alert,
    AlertDetail,
    AlertPage,
    AlertSummary,
    Assignable,
    AssignmentBody,
    Colleague,
    ResolutionBody,
    RevealBody,
    Revealed,
    TakeBody,
    show_alert,
    show_detail,
    show_summary,
)
from finer.decisions.routes.explanations import Explanations
from finer.decisions.service import alerts as service
from finer.decisions.types import alerts as types
from finer.decisions.types.alerts import AlertFilter, AlertState, TimelineEvent
from finer.identity.types.access import Permission
from finer.kit.ids import read_id, show_id
from finer.kit.moments import moment_in_query
from finer.kit.tx import Tx

AccountTimeline: TypeAlias = Callable[[Tx, types.Alert], Sequence[TimelineEvent]]
"""The latest events of an alert's account, which the app finds in the lake."""
StateWord: TypeAlias = Literal["open", "confirmed", "confirmed_fraud", "dismissed", "undetermined"]
STATES: dict[StateWord, AlertState] = {
    "open": AlertState.OPEN,
    "confirmed": AlertState.CONFIRMED,
    "confirmed_fraud": AlertState.CONFIRMED,
    "dismissed": AlertState.DISMISSED,
    "undetermined": AlertState.UNDETERMINED,
}


_MOMENT = {"format": "date-time"}


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
        assignee: Literal["me", "nobody"] | None = None,
        min_amount_usd: Annotated[float | None, Parameter(ge=0, le=1e12, schema_extra={"minimum": 0})] = None,
        since: Annotated[str | None, Parameter(query="from", schema_extra=_MOMENT)] = None,
        until: Annotated[str | None, Parameter(query="to", schema_extra=_MOMENT)] = None,
        sort: Literal["newest", "amount"] = "newest",
        limit: Annotated[int, Parameter(ge=1, le=500)] = 50,
        before: str | None = None,
        *,
        explanations: Explanations,
    ) -> AlertPage:
        """Alerts that the caller reaches, by state, action, rule, assignee, text, amount and time, page by page.

        `from` and `to` are about when an alert was raised, not when the payment was made.

        The text is looked for in what the caller sees in clear: never in a masked field.
        """
        wanted = AlertFilter(
            state=None if alert_state is None else STATES[alert_state],
            action=action,
            rule=rule,
            text=q,
            assignee=uuid.UUID(tx.actor.id) if assignee == "me" else None,
            unassigned=assignee == "nobody",
            min_amount_usd_minor=None if min_amount_usd is None else round(min_amount_usd * 100),
            since=moment_in_query("from", since),
            until=moment_in_query("to", until),
            by_amount=sort == "amount",
            limit=limit,
            before=before,
        )
        found, following = service.list_alerts(tx, wanted)
        known = explanations(tx, [alert.id for alert in found])
        items = [show_alert(alert, known.get(alert.id)) for alert in found]
        return AlertPage(items=items, next=following, as_of=tx.now())

    @get("/summary", opt={"permission": Permission.ALERTS_SUMMARISE}, sync_to_thread=True, summary="Numbers of alerts")
    def summary(self, tx: Tx, describe_rule: Callable[[str], str]) -> AlertSummary:
        """Open, confirmed and dismissed alerts, what is at stake, and what was protected."""
        return show_summary(service.summarise(tx), describe_rule)

    @get(
        "/assignable", opt={"permission": Permission.ALERTS_READ}, sync_to_thread=True,
        summary="Whom alerts can be given to",
    )  # fmt: skip
    def assignable(self, tx: Tx) -> Assignable:
        """The people and teams that work on alerts, by name."""
        found, teams = service.assignable(tx)
        return Assignable(
            people=[Colleague(id=show_id("usr", person), name=name) for person, name in found.items()],
            teams=[Colleague(id=show_id("tem", team.id), name=team.name) for team in teams],
        )

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
        explanations: Explanations,
    ) -> AlertDetail:
        """One alert with the feature values used, the account's recent timeline, and why it was raised."""
        alert = service.get_alert(tx, read_id("alr", alert_id))
        explanation = explanations(tx, [alert.id]).get(alert.id)
        return show_detail(alert, describe_feature, account_timeline(tx, alert), explanation)

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

    @post(
        "/{alert_id:str}/assignment",
        opt={"permission": Permission.ALERTS_ASSIGN},
        sync_to_thread=True,
        status_code=200,
        summary="Give an alert to somebody",
    )
    def assign(self, tx: Tx, alert_id: str, data: AssignmentBody) -> Alert:
        """Give an alert to a person, a team or both, or back to the queue. 409 when it has changed in the meantime."""
        assignee = None if data.assignee_id is None else read_id("usr", data.assignee_id)
        team = None if data.team_id is None else read_id("tem", data.team_id)
        found = service.assign_alert(tx, read_id("alr", alert_id), data.version, assignee=assignee, team=team)
        return show_alert(found)

    @post(
        "/{alert_id:str}/taking",
        opt={"permission": Permission.ALERTS_ASSIGN},
        sync_to_thread=True,
        status_code=200,
        summary="Take an alert",
    )
    def take(self, tx: Tx, alert_id: str, data: TakeBody) -> Alert:
        """Take an alert oneself; it stays with its team, or goes to the first of one's own."""
        return show_alert(service.take_alert(tx, read_id("alr", alert_id), data.version))

    @post(
        "/{alert_id:str}/reveal",
        opt={"permission": Permission.ALERTS_REVEAL, "step_up": True, "answer_once": True},
        sync_to_thread=True,
        status_code=200,
        summary="Show a masked value",
        response_headers=[ResponseHeader(name="Cache-Control", value="no-store")],
    )
    def reveal(self, tx: Tx, alert_id: str, data: RevealBody) -> Revealed:
        """Show one masked value of an alert in clear, for a reason that the audit trail keeps; at most 50 an hour."""
        value, left = service.reveal(tx, read_id("alr", alert_id), data.field, data.reason)
        return Revealed(field=data.field, value=value, left=left)
