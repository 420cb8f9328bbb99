"""The nouns of decisions: actions, verdicts, alerts."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Literal, TypeAlias, cast

import msgspec

from finer.kit import documents
from finer.kit.money import Money

ActionWord: TypeAlias = Literal["approve", "review", "block"]


class Action(IntEnum):
    """What to do with a transaction, from the mildest to the severest."""

    APPROVE = 0
    REVIEW = 1
    BLOCK = 2

    @property
    def word(self) -> ActionWord:
        """The name in the API: approve, review or block."""
        return cast(ActionWord, self.name.lower())


class AlertState(StrEnum):
    """What a person has said of an alert."""

    OPEN = "open"
    CONFIRMED = "confirmed_fraud"
    DISMISSED = "dismissed"
    UNDETERMINED = "undetermined"
    """Nobody could find out. It is no label: neither fraud nor a good payment is learnt from it."""


class FiredRule(msgspec.Struct, frozen=True):
    """A rule that held for a transaction, and what it asks for."""

    id: str
    title: str
    action: ActionWord


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer for one transaction, as stored and shown.

    `features` are the values the decision used; `reasons` are sentences; `score` is the model's probability of
    fraud or None without a model. `rule_pack`, `feature_set`, `model` and `contract` pin the versions; verdicts of
    before contracts were pinned have an empty one.
    """

    action: ActionWord
    rules: list[FiredRule]
    reasons: list[str]
    features: dict[str, float | str | None]
    score: float | None
    rule_pack: str
    feature_set: str
    model: str | None
    contract: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that a caller waited for."""

    id: uuid.UUID
    event_id: str
    body_hash: bytes
    verdict: Verdict
    decided_at: datetime
    alert_id: uuid.UUID | None


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """An awaited event is decided: with its decision, or without one when the database has to be asked for it."""

    tenant: uuid.UUID
    event_id: str
    decision: Decision | None


class NewAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as the pipeline raises it; `partition` and `log_offset` make it unique however often it is raised."""

    id: uuid.UUID
    partition: int
    log_offset: int
    event_id: str
    action: ActionWord
    occurred_at: datetime
    received_at: datetime
    account_id: str | None
    customer_id: str | None
    card_last4: str | None
    amount_minor: int
    currency: str
    amount_usd_minor: int | None
    merchant_name: str | None
    merchant_city: str | None
    merchant_country: str | None
    channel: str | None
    device_id: str | None
    rules: list[str]
    verdict: Verdict


class Resolution(msgspec.Struct, frozen=True):
    """Who judged an alert, when, and the note left."""

    by: str
    at: datetime
    note: str


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """Who works on an alert, and which team. Both None: nobody has taken it yet."""

    assignee_id: uuid.UUID | None = None
    team_id: uuid.UUID | None = None


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as people see it. `sequence` grows with every change and orders the live stream."""

    id: uuid.UUID
    sequence: int
    state: AlertState
    action: ActionWord
    event_id: str
    occurred_at: datetime
    raised_at: datetime
    account_id: str | None
    customer_id: str | None
    card_last4: str | None
    amount: Money
    amount_usd: Money | None
    merchant_name: str | None
    merchant_city: str | None
    merchant_country: str | None
    channel: str | None
    device_id: str | None
    verdict: Verdict
    assignment: Assignment
    resolution: Resolution | None
    case_id: uuid.UUID | None
    version: int


class Raised(msgspec.Struct, frozen=True):
    """Which alert was raised when, and for which payment."""

    id: uuid.UUID
    event_id: str
    occurred_at: datetime
    raised_at: datetime


class AlertFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which alerts to list. `before` is the cursor of the last row seen.

    `assignee` are the alerts of one person, `unassigned` those of nobody and no team. The text is looked for in
    `text_columns`: what the caller may not see whole, the caller may not search.
    """

    state: AlertState | None = None
    assignee: uuid.UUID | None = None
    unassigned: bool = False
    text_columns: tuple[str, ...] = ("event_id", "merchant_name")
    action: ActionWord | None = None
    rule: str | None = None
    text: str | None = None
    min_amount_usd_minor: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    by_amount: bool = False
    limit: int = 50
    before: str | None = None


class RuleTotals(msgspec.Struct, frozen=True):
    """Alerts of one rule by state."""

    rule: str
    open: int
    confirmed: int
    dismissed: int


class AlertsPerMinute(msgspec.Struct, frozen=True):
    """How many alerts were raised in the minute that begins at `minute`."""

    minute: datetime
    alerts: int


class AlertSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers above the list. Amounts are USD minor units.

    `protected_usd_minor` is the worth of confirmed fraud that was blocked: money that did not leave.
    """

    open: int
    open_usd_minor: int
    confirmed: int
    dismissed: int
    blocked_today: int
    protected_usd_minor: int
    in_review_usd_minor: int
    by_rule: list[RuleTotals]
    per_minute: list[AlertsPerMinute]
    as_of: datetime


class TimelineEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction of an alert's account, and what was decided on it. `this` marks the one that the alert is about."""

    event_id: str
    occurred_at: datetime
    amount: documents.Money
    merchant_name: str | None
    merchant_country: str | None
    channel: str | None
    action: ActionWord | None
    this: bool
