"""The nouns of cases: what one or several alerts of the same customer become when people work on them."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from finer.decisions.types.alerts import Assignment
from finer.decisions.types.letting_out import TwoPeople
from finer.kit.money import Money


class CaseState(StrEnum):
    """How far the work on a case has come. `waiting` is for an answer from outside, e.g. of the customer."""

    OPEN = "open"
    INVESTIGATING = "investigating"
    WAITING = "waiting"
    CLOSED = "closed"


class Priority(StrEnum):
    """How soon a case has to be worked, from the mildest to the severest."""

    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Outcome(StrEnum):
    """What a closed case turned out to be; `mixed` when its alerts were judged differently."""

    CONFIRMED_FRAUD = "confirmed_fraud"
    GENUINE = "genuine"
    UNDETERMINED = "undetermined"
    MIXED = "mixed"


class Typology(StrEnum):
    """What kind of fraud the alerts of a case point to: it chooses the checklist and the skill that is asked for."""

    ACCOUNT_TAKEOVER = "account_takeover"
    CARD = "card"
    LAUNDERING = "laundering"
    SCAM = "scam"
    GENERAL = "general"


class Subject(StrEnum):
    """What the alerts of a case have in common."""

    CUSTOMER = "customer"
    ACCOUNT = "account"
    EVENT = "event"


class ChecklistItem(msgspec.Struct, frozen=True, kw_only=True):
    """A step of an investigation, and who has done it."""

    id: str
    text: str
    done_by: str | None = None
    done_at: datetime | None = None


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A case. Amounts are USD cents; `rank_at` is what the queue is ordered by, see `finer.decisions.rules.queue`.

    `last_alert_at` is when the latest payment with an alert was made.
    """

    id: uuid.UUID
    number: int
    state: CaseState
    subject_kind: Subject
    subject: str
    customer_id: str | None
    account_id: str | None
    typology: Typology
    priority: Priority
    alerts: int
    open_alerts: int
    amount_usd_minor: int
    expected_loss_usd_minor: int
    opened_at: datetime
    last_alert_at: datetime
    due_at: datetime
    rank_at: datetime
    assignment: Assignment
    outcome: Outcome | None
    closed_at: datetime | None
    closed_by: str | None
    checklist: list[ChecklistItem]
    version: int


class CaseFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which cases to list; `before` is the cursor of the last row seen. `closed` None is both."""

    closed: bool | None = False
    state: CaseState | None = None
    priority: Priority | None = None
    typology: Typology | None = None
    assignee: uuid.UUID | None = None
    unassigned: bool = False
    overdue_at: datetime | None = None
    text: str | None = None
    text_columns: tuple[str, ...] = ()
    newest: bool = False
    limit: int = 50
    before: str | None = None


class CaseSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers above the queue, of the cases within the caller's reach."""

    open: int
    mine: int
    unassigned: int
    overdue: int
    expected_loss_usd_minor: int


class GroupedAlert(msgspec.Struct, frozen=True, kw_only=True):
    """What a case is told of an alert: what it has to be grouped and ranked by."""

    id: uuid.UUID
    state: str
    action: str
    rules: list[str]
    score: float | None
    amount_usd_minor: int
    occurred_at: datetime
    customer_id: str | None
    account_id: str | None
    event_id: str


class EntryKind(StrEnum):
    """What an entry of a case's history is about."""

    OPENED = "opened"
    ALERT = "alert"
    STATE = "state"
    ASSIGNMENT = "assignment"
    NOTE = "note"
    CHECKLIST = "checklist"
    ATTACHMENT = "attachment"
    ACTION = "action"
    LABEL = "label"
    REPORT = "report"
    CLOSED = "closed"
    REOPENED = "reopened"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done in a case: by whom, the version that it led to, and a text (of a note: what it says)."""

    id: uuid.UUID
    kind: EntryKind
    at: datetime
    by: str
    version: int
    text: str
    detail: dict[str, Any]


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a case, without its content."""

    id: uuid.UUID
    name: str
    media_type: str
    size: int
    sha256: str
    added_by: str
    added_at: datetime


class ActionKind(StrEnum):
    """What can be done about a case. Finer blocks by itself; the others are carried out by the firm's own systems."""

    BLOCK_CARD = "block_card"
    BLOCK_ACCOUNT = "block_account"
    HOLD_PAYMENT = "hold_payment"
    RELEASE_PAYMENT = "release_payment"
    CONTACT_CUSTOMER = "contact_customer"


class ActionState(StrEnum):
    """How far an action has come; `proposed` waits for a second person, `expired` has waited in vain."""

    PROPOSED = "proposed"
    ASKED = "asked"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"
    EXPIRED = "expired"


class CaseAction(msgspec.Struct, frozen=True, kw_only=True):
    """An action of a case: on which card, account, payment or customer, why, and what became of it.

    `alone` says that no second person was asked for it, `two_people` why one is being asked now, to do or to undo it.
    """

    id: uuid.UUID
    case_id: uuid.UUID
    kind: ActionKind
    state: ActionState
    target: str
    account_id: str | None
    amount_usd_minor: int
    reason: str
    asked_by: str
    asked_by_id: uuid.UUID | None
    alone: bool
    asked_at: datetime
    settled_at: datetime | None
    settled_by: str | None
    result: str
    two_people: TwoPeople | None
    version: int


class LabelSource(StrEnum):
    """How it became known what a payment was."""

    ANALYST = "analyst"
    CUSTOMER = "customer"
    CHARGEBACK = "chargeback"
    ISSUER = "issuer"
    LAW_ENFORCEMENT = "law_enforcement"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody found out about the payment of an alert, how, and since when it is known."""

    id: uuid.UUID
    alert_id: uuid.UUID
    verdict: str
    source: LabelSource
    known_at: datetime
    recorded_at: datetime
    by: str
    reason: str


class Analyst(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who works cases: which typologies (all without any), and whether cases are given to them."""

    user_id: uuid.UUID
    name: str
    skills: list[Typology]
    available: bool
    open_cases: int
    last_given_at: datetime | None


class CaseDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A case with all that was done in it."""

    case: Case
    entries: list[Entry]
    attachments: list[Attachment]
    actions: list[CaseAction]
    judgements: list[Judgement]


class HistoryItem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the customer of a case did or that happened to them, from the lake."""

    contract: str
    event_id: str
    occurred_at: datetime
    title: str
    place: str
    amount: Money | None
    action: str | None
    account_id: str | None


class LinkNode(msgspec.Struct, frozen=True, kw_only=True):
    """A customer, account, device, card, payee, phone or e-mail address that a case is linked with."""

    id: str
    kind: str
    value: str
    here: bool
    payments: int
    open_alerts: int = 0
    confirmed: int = 0


class LinkEdge(msgspec.Struct, frozen=True, kw_only=True):
    """One used the other so many times, the last time then."""

    source: str
    target: str
    times: int
    last_at: datetime | None


class LinkGraph(msgspec.Struct, frozen=True, kw_only=True):
    """What a case is linked with; `whole` is false when there is more than is shown."""

    nodes: list[LinkNode]
    edges: list[LinkEdge]
    whole: bool
