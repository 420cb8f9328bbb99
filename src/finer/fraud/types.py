"""The nouns of fraud: rules with their versions, lists, and what a batch was decided."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np

from finer.decisions.types.alerts import Action, ActionWord

Array = np.ndarray[Any, np.dtype[Any]]
Severity: TypeAlias = Literal["low", "medium", "high", "critical"]


class Brake(msgspec.Struct, frozen=True, kw_only=True):
    """How many payments a rule may block within `minutes`: at most `most`, and at most `share` of all (0 to 1).

    Beyond that the rule is stopped: it goes on in shadow, and somebody has to restore it. None does not limit.
    """

    most: int | None = None
    share: float | None = None
    minutes: int = 60


class Rule(msgspec.Struct, frozen=True):
    """One rule: when `condition` holds, `action` is asked for, and `reason` says why.

    `action` APPROVE allows: it overrides review and block, but no `final` rule. `reason` is a sentence with column
    names in braces, e.g. `{account.count_10s:ordinal}`; see finer.fraud.rules.reasons for the formats.
    """

    id: str
    title: str
    condition: str
    action: Action
    reason: str
    severity: Severity = "medium"
    version: int = 1
    brake: Brake | None = None
    final: bool = False


class ListKind(StrEnum):
    """What the entries of a list name."""

    ACCOUNT = "account"
    CARD = "card"
    COUNTRY = "country"
    CUSTOMER = "customer"
    DEVICE = "device"
    MERCHANT = "merchant"


class ListEffect(StrEnum):
    """What a list does by itself; `final_block` holds against every allowance."""

    NONE = "none"
    ALLOW = "allow"
    BLOCK = "block"
    FINAL_BLOCK = "final_block"

    @property
    def blocks(self) -> bool:
        """Whether what is on the list is blocked, so that taking it off lets payments through."""
        return self in {ListEffect.BLOCK, ListEffect.FINAL_BLOCK}


class ListPin(msgspec.Struct, frozen=True, kw_only=True):
    """A list as a rule set uses it: which one, and the version of its entries."""

    id: uuid.UUID
    kind: ListKind
    effect: ListEffect
    version: int


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides besides windows and model: live rules in the order of their bits, shadow rules, lists.

    `derived` are the conditions of the columns that `derive` adds, by name. A set never changes; its hash names it.
    """

    rules: tuple[Rule, ...]
    shadow: tuple[Rule, ...] = ()
    lists: dict[str, ListPin] = {}
    derived: dict[str, str] = {}


class Verdicts(msgspec.Struct, frozen=True):
    """What the rules and the model say of every row of a batch.

    `actions` uint8 (see Action), `fired` uint64 with bit i set when rule i of the set holds, `scores` float32 or
    None without a model, `shadow` as `fired` for the rules in shadow, None without any, `challenger_scores` as `scores`
    for a model that is only tried; all shape (rows,).
    """

    actions: Array
    fired: Array
    scores: Array | None
    shadow: Array | None = None
    challenger_scores: Array | None = None


class AlertReason(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why a payment was stopped: `name` is the rule or the model's input, `text` a sentence.

    `weight` is the share of what pushed the model's score up that comes from this input; None for a rule.
    """

    source: Literal["rule", "model"]
    name: str
    text: str
    weight: float | None


class ReasonWeight(msgspec.Struct, frozen=True, kw_only=True):
    """What an input, of unknown value None, adds to the log-odds; `usual` is its median among genuine payments."""

    term: str
    value: float | None
    usual: float | None
    log_odds: float


class AlertExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a payment was stopped, rules and model as one list, and which single change would have let it pass.

    `common` and the log-odds of `contributions` add up to `log_odds`, that of the score; empty without a model.
    """

    action: ActionWord
    reasons: list[AlertReason]
    would_pass: str | None
    score: float | None
    threshold: float | None
    log_odds: float | None
    common: float | None
    contributions: list[ReasonWeight]
    rule_set: str
    model: str | None


class RuleState(StrEnum):
    """How far a version of a rule has come."""

    DRAFT = "draft"
    SHADOW = "shadow"
    LIVE = "live"
    RETIRED = "retired"


class RuleText(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody writes of a rule."""

    title: str
    condition: str
    action: Action
    reason: str
    severity: Severity = "medium"
    brake: Brake | None = None
    owner: str = ""


class RuleVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a rule of a firm. `rule` names the rule through all its versions.

    `demoted_at` says that the brake stopped it, and `demotion` why. `price` is what its last backtest found.
    """

    id: uuid.UUID
    rule: str
    version: int
    state: RuleState
    text: RuleText
    revision: int
    note: str
    author: str
    created_at: datetime
    updated_at: datetime
    shadow_at: datetime | None = None
    live_at: datetime | None = None
    approved_by: str = ""
    retired_at: datetime | None = None
    demoted_at: datetime | None = None
    demotion: str = ""
    price: Price | None = None


class RuleActivity(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule did since a moment: payments that it held for, those that it blocked, their worth in USD cents."""

    rule: str
    shadow: bool
    hits: int
    blocks: int
    amount_usd_minor: int


class ActivityHour(msgspec.Struct, frozen=True, kw_only=True):
    """The hits of one rule within the hour that begins at `hour`."""

    hour: datetime
    shadow: bool
    hits: int
    blocks: int


class FirmList(msgspec.Struct, frozen=True, kw_only=True):
    """A list of a firm. `version` grows with every change of its entries; `entries` counts those that are on it."""

    id: uuid.UUID
    name: str
    kind: ListKind
    effect: ListEffect
    description: str
    version: int
    entries: int
    author: str
    created_at: datetime
    updated_at: datetime


class NewEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry to be put on a list; without `expires_at` it stays until somebody takes it off."""

    value: str
    reason: str
    source: str
    expires_at: datetime | None = None


class ListEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a list, and who put it there."""

    id: uuid.UUID
    value: str
    reason: str
    source: str
    added_by: str
    added_at: datetime
    expires_at: datetime | None


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate and the bounds within which the truth lies in 19 of 20 cases; None when nothing is known."""

    value: float | None
    low: float | None
    high: float | None


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule would have done within one segment, such as channel `online`; `precision` is that of judged hits."""

    by: str
    value: str
    hits: int
    fraud: int
    legitimate: int
    precision: Interval | None = None


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule would have done to the payments of a period, by what was known of them at `as_of`.

    `events` were decided in the period, `hits` of them the rule holds for; `fraud` and `legitimate` of those carry
    such a label. `marginal` hits are those that no live rule reviews or blocks. `saved_usd_minor` is the worth of
    known fraud among the marginal hits, `hurt` counts the customers with a marginal hit and no known fraud.
    `us_per_event` is what the rule costs in microseconds. `revision` is the draft's revision that was priced.
    """

    state: Literal["running", "done", "failed", "cancelled"]
    revision: int
    since: datetime
    until: datetime
    as_of: datetime
    events: int = 0
    expected: int = 0
    hits: int = 0
    marginal: int = 0
    fraud: int = 0
    legitimate: int = 0
    fraud_known: int = 0
    precision: Interval | None = None
    recall: Interval | None = None
    saved_usd_minor: int = 0
    saved: Interval | None = None
    hurt: int = 0
    alerts_per_day: float = 0.0
    capacity_per_day: int = 0
    us_per_event: float = 0.0
    segments: list[Segment] = []
    rule_set: str = ""
    problem: str = ""
    run: str = ""


Source: TypeAlias = Literal["all", "rule", "model"]
"""Whose hits are counted: everything that reviews or blocks, one rule, or one model by the start of its hash."""
OutcomeKind: TypeAlias = Literal["hits", "blocks", "fraud", "legitimate", "unjudged", "missed", "protected"]
"""Which payments of a source: those that it hit, blocked, hit and known as fraud or as good, hit and not judged, known
fraud that it did not hit, and known fraud that was blocked."""


class SourceOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a source did: `hits` of it, those known as `fraud` and as `legitimate`, and what follows from that.

    `recall` is of all known fraud of the period, `false_positives` the share of all others that were hit and judged
    good, not known before one was. `protected_usd_minor` is blocked known fraud, each payment credited to one rule.
    """

    source: Source
    name: str
    title: str
    hits: int
    blocks: int
    fraud: int
    legitimate: int
    precision: Interval
    recall: Interval
    false_positives: Interval
    protected_usd_minor: int


class PerformanceDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day of the firm's calendar: payments, alerts among them, and what is known of both."""

    day: date
    payments: int
    alerts: int
    judged: int
    fraud: int
    caught: int
    legitimate: int
    protected_usd_minor: int
    missed_usd_minor: int


class HighValueDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day of the firm's calendar: payments of high value, and those of them that were reviewed or blocked."""

    day: date
    payments: int
    covered: int


class DecisionTime(msgspec.Struct, frozen=True, kw_only=True):
    """How long people took from the arrival of a payment that raised an alert to their first word; seconds."""

    judged: int
    p50_s: float | None
    p90_s: float | None
    p99_s: float | None


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided on the payments of a period, by what was known of them at `as_of`.

    `protected_usd_minor` is the worth of known fraud that was blocked; what was tried again within a day (same account,
    payee and amount) is not in it but in `repeated_usd_minor`. `missed_usd_minor` is known fraud that went through.
    `capacity_used` is the alerts of a day as a share of what the team can work on.
    """

    since: datetime
    until: datetime
    as_of: datetime
    payments: int
    fraud_known: int
    waiting: int
    protected_usd_minor: int
    repeated_usd_minor: int
    missed_usd_minor: int
    alerts_per_day: float
    capacity_per_day: int
    capacity_used: float
    decision_time: DecisionTime
    sources: list[SourceOutcome]
    days: list[PerformanceDay]


class DecidedPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment behind a number: what was decided on it, and what was known of it."""

    event_id: str
    occurred_at: datetime
    amount_minor: int
    currency: str
    merchant_name: str | None
    merchant_country: str | None
    channel: str | None
    action: ActionWord
    rules: list[str]
    score: float | None
    verdict: str | None
    known_at: datetime | None
