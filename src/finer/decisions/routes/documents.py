"""What decisions shows: alerts, their numbers and awaited decisions, as they leave the system."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

from finer.decisions.routes.explanations import Explanation
from finer.decisions.types import alerts as types
from finer.decisions.types.alerts import ActionWord, AlertsPerMinute, AlertState, FiredRule, Resolution, TimelineEvent
from finer.kit import documents, money
from finer.kit.ids import show_id
from finer.kit.masking import card, personal

AlertId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^alr_[0-9a-f]{32}$")]
DecisionId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^dec_[0-9a-f]{32}$")]
UserId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^usr_[0-9a-f]{32}$")]
TeamId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^tem_[0-9a-f]{32}$")]
FeatureNumber: TypeAlias = float | str | None


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """Which rules, features and model decided, and which version of the contract the record was held to."""

    rule_pack: str
    feature_set: str
    model: str | None
    contract: str = ""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert in lists and streams. `sequence` and `version` grow with every change.

    `explained` are the reasons of rules and model together, and `would_pass` what would have let the payment pass;
    both are in lists and on the alert's page, a second or two after it was raised.
    """

    id: AlertId
    sequence: int
    state: AlertState
    action: ActionWord
    event_id: str
    occurred_at: datetime
    raised_at: datetime
    account_id: Annotated[str | None, personal()]
    customer_id: Annotated[str | None, personal()]
    card_last4: Annotated[str | None, card("same")]
    amount: documents.Money
    amount_usd: documents.Money | None
    merchant_name: str | None
    merchant_city: str | None
    merchant_country: str | None
    channel: str | None
    device_id: Annotated[str | None, personal()]
    rules: list[FiredRule]
    reasons: list[str]
    score: float | None
    versions: Versions
    assignee_id: UserId | None
    team_id: TeamId | None
    resolution: Resolution | None
    case_id: Annotated[str, msgspec.Meta(pattern="^cas_[0-9a-f]{32}$")] | None
    version: int
    explained: list[str] = []
    would_pass: str | None = None


class AlertPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of alerts; `next` is what `before` takes for the page behind it, null on the last."""

    items: list[Alert]
    next: str | None
    as_of: datetime


class FeatureValue(msgspec.Struct, frozen=True, kw_only=True):
    """The value of a feature that a decision used, and what it means."""

    name: str
    value: FeatureNumber
    description: str
    unit: str


class AlertDetail(Alert, frozen=True, kw_only=True):
    """An alert with the values that it rests on and what else its account did, newest first."""

    features: list[FeatureValue]
    timeline: list[TimelineEvent]
    explanation: Explanation | None = None


class RuleTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts of one rule by state."""

    rule: str
    title: str
    open: int
    confirmed: int
    dismissed: int


class AlertSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of alerts. `protected_usd` is the worth of confirmed fraud that was blocked."""

    open: int
    open_amount_usd: documents.Money
    confirmed: int
    dismissed: int
    blocked_today: int
    protected_usd: documents.Money
    in_review_usd: documents.Money
    by_rule: list[RuleTotals]
    per_minute: list[AlertsPerMinute]
    as_of: datetime


class DecisionVersions(msgspec.Struct, frozen=True, kw_only=True):
    """Which rules and features decided, and which version of the contract the record was held to."""

    rule_pack: str
    feature_set: str
    contract: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that was waited for: what to do, why, and the values it rests on."""

    id: DecisionId
    event_id: str
    action: ActionWord
    rules: list[FiredRule]
    reasons: list[str]
    features: dict[str, FeatureNumber]
    score: float | None
    model: str | None
    versions: DecisionVersions
    decided_at: datetime
    alert_id: AlertId | None


class AssignmentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom an alert is given to (nobody, a person, a team, or both), and the version of the alert looked at."""

    version: int
    assignee_id: UserId | None = None
    team_id: TeamId | None = None


class TakeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version of the alert that is taken."""

    version: int


class RevealBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which masked value of an alert to show, and why."""

    field: Literal["account_id", "customer_id", "device_id"]
    reason: Annotated[str, msgspec.Meta(max_length=1000)]


class Revealed(msgspec.Struct, frozen=True, kw_only=True):
    """A value in clear; null when the alert has none. `left` is how many more the caller may see this hour."""

    field: str
    value: str | None
    left: int


class Colleague(msgspec.Struct, frozen=True, kw_only=True):
    """A person or a team that an alert can be given to."""

    id: str
    name: str


class Assignable(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an alert can be given to."""

    people: list[Colleague]
    teams: list[Colleague]


class ResolutionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says of an alert, and the version of the alert they looked at."""

    verdict: Literal["confirmed_fraud", "dismissed", "undetermined"]
    version: int
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""


def show_alert(alert: types.Alert, explanation: Explanation | None = None) -> Alert:
    """An alert as the API shows it in lists and streams."""
    verdict = alert.verdict
    return Alert(
        id=show_id("alr", alert.id),
        sequence=alert.sequence,
        state=alert.state,
        action=alert.action,
        event_id=alert.event_id,
        occurred_at=alert.occurred_at,
        raised_at=alert.raised_at,
        account_id=alert.account_id,
        customer_id=alert.customer_id,
        card_last4=alert.card_last4,
        amount=documents.show_money(alert.amount),
        amount_usd=None if alert.amount_usd is None else documents.show_money(alert.amount_usd),
        merchant_name=alert.merchant_name,
        merchant_city=alert.merchant_city,
        merchant_country=alert.merchant_country,
        channel=alert.channel,
        device_id=alert.device_id,
        rules=verdict.rules,
        reasons=verdict.reasons,
        score=verdict.score,
        versions=Versions(
            rule_pack=verdict.rule_pack, feature_set=verdict.feature_set, model=verdict.model, contract=verdict.contract
        ),
        assignee_id=None if alert.assignment.assignee_id is None else show_id("usr", alert.assignment.assignee_id),
        team_id=None if alert.assignment.team_id is None else show_id("tem", alert.assignment.team_id),
        resolution=alert.resolution,
        case_id=None if alert.case_id is None else show_id("cas", alert.case_id),
        version=alert.version,
        explained=[] if explanation is None else [one.text for one in explanation.reasons],
        would_pass=None if explanation is None else explanation.would_pass,
    )


def show_detail(
    alert: types.Alert,
    describe_feature: Callable[[str], tuple[str, str]],
    timeline: Sequence[TimelineEvent],
    explanation: Explanation | None,
) -> AlertDetail:
    """An alert as its own page shows it; `describe_feature` gives the meaning and the unit of a feature."""
    features = []
    for name, value in alert.verdict.features.items():
        description, unit = describe_feature(name)
        features.append(FeatureValue(name=name, value=value, description=description, unit=unit))
    shown = msgspec.structs.asdict(show_alert(alert, explanation))
    return AlertDetail(**shown, features=features, timeline=list(timeline), explanation=explanation)


def show_summary(summary: types.AlertSummary, describe_rule: Callable[[str], str]) -> AlertSummary:
    """The numbers above the list as the API shows them."""
    return AlertSummary(
        open=summary.open,
        open_amount_usd=_usd(summary.open_usd_minor),
        confirmed=summary.confirmed,
        dismissed=summary.dismissed,
        blocked_today=summary.blocked_today,
        protected_usd=_usd(summary.protected_usd_minor),
        in_review_usd=_usd(summary.in_review_usd_minor),
        by_rule=[
            RuleTotals(
                rule=one.rule,
                title=describe_rule(one.rule),
                open=one.open,
                confirmed=one.confirmed,
                dismissed=one.dismissed,
            )
            for one in summary.by_rule
        ],
        per_minute=summary.per_minute,
        as_of=summary.as_of,
    )


def show_decision(found: types.Decision) -> Decision:
    """An awaited decision as the API shows it."""
    verdict = found.verdict
    return Decision(
        id=show_id("dec", found.id),
        event_id=found.event_id,
        action=verdict.action,
        rules=verdict.rules,
        reasons=verdict.reasons,
        features=verdict.features,
        score=verdict.score,
        model=verdict.model,
        versions=DecisionVersions(
            rule_pack=verdict.rule_pack, feature_set=verdict.feature_set, contract=verdict.contract
        ),
        decided_at=found.decided_at,
        alert_id=None if found.alert_id is None else show_id("alr", found.alert_id),
    )


def _usd(minor: int) -> documents.Money:
    return documents.show_money(money.Money(minor, "USD"))
