"""The nouns of privacy."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Law(StrEnum):
    """The law under which somebody asks, or a breach is told."""

    GDPR = "gdpr"
    SINGAPORE = "sg_pdpa"
    PHILIPPINES = "ph_dpa"
    THAILAND = "th_pdpa"


class RequestKind(StrEnum):
    """What a person asks for."""

    ACCESS = "access"
    PORTABILITY = "portability"
    RECTIFY = "rectify"
    RESTRICT = "restrict"
    ERASE = "erase"
    OBJECT = "object"
    HUMAN_REVIEW = "human_review"


class RequestState(StrEnum):
    """How far a request has come."""

    RECEIVED = "received"
    VERIFIED = "verified"
    PROPOSED = "proposed"
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"


class SubjectKind(StrEnum):
    """Whom a request is about.

    A customer of the firm, by customer id; somebody whom customers pay and who was screened, by the id that payments
    name; or a person who signs in, by e-mail address.
    """

    CUSTOMER = "customer"
    PAYEE = "payee"
    USER = "user"


class Step(StrEnum):
    """What is done with a request."""

    RECEIVE = "receive"
    VERIFY = "verify"
    PROPOSE = "propose"
    APPROVE = "approve"
    SEND_BACK = "send_back"
    DOWNLOAD = "download"
    COMPLETE = "complete"
    RESTRICT = "restrict"
    REFUSE = "refuse"
    EXTEND = "extend"
    ERASED = "erased"


class HoldKind(StrEnum):
    """Why a person's records stay as they are: a dispute, the duty against money laundering, or their own wish."""

    LEGAL = "legal"
    AML = "aml"
    RESTRICTION = "restriction"


KEEPING = frozenset({HoldKind.LEGAL, HoldKind.AML})
"""Holds that keep a person from being erased."""


class SubjectRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asked, and where it stands."""

    id: str
    kind: RequestKind
    law: Law
    state: RequestState
    subject_kind: SubjectKind
    subject: str
    detail: str
    received_at: datetime
    due_at: datetime
    extended: bool
    opened_by: str
    proposed_by: str | None
    closed_at: datetime | None
    version: int
    held: HoldKind | None = None
    """The hold that keeps this person's records from being erased, if there is one."""


class RequestStep(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done with a request."""

    at: datetime
    by: str
    step: Step
    note: str


class RequestPage(msgspec.Struct, frozen=True, kw_only=True):
    """Requests, the most urgent first."""

    items: list[SubjectRequest]


class RequestWithSteps(msgspec.Struct, frozen=True, kw_only=True):
    """A request and everything that was done with it, oldest first."""

    request: SubjectRequest
    steps: list[RequestStep]
    allowed: list[Step]


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A reason to keep a person's records."""

    id: str
    kind: HoldKind
    subject_kind: SubjectKind
    subject: str
    reason: str
    placed_by: str
    placed_at: datetime
    released_by: str | None
    released_at: datetime | None


class BreachState(StrEnum):
    """How far the firm has come with a breach."""

    ASSESSING = "assessing"
    NOTIFIABLE = "notifiable"
    NOT_NOTIFIABLE = "not_notifiable"
    CLOSED = "closed"


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """Until when an authority has to be told, and whether it was."""

    law: Law
    due_at: datetime | None
    """None while the clock has not begun to run."""
    notified_at: datetime | None
    reason: str
    """Why it was told later than the law's first term, where the law lets one say so."""
    says: str


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """A breach of personal data."""

    id: str
    title: str
    description: str
    state: BreachState
    aware_at: datetime
    assessed_at: datetime | None
    people_affected: int | None
    opened_by: str
    version: int
    clocks: list[Clock]


class CatalogueEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One personal field: where it is, what it holds, why, on what ground, how long, who receives it."""

    place: str
    field: str
    data_class: str
    about: str
    purpose: str
    lawful_basis: str
    retention: str
    recipients: list[str]
    protection: str
    erasure: str


class RetentionRule(msgspec.Struct, frozen=True, kw_only=True):
    """How long a kind of record is kept, and what the next run would do."""

    what: str
    describes: str
    days: int
    default_days: int
    due: int
    """Records that are past their time now."""


class RetentionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did, or would do."""

    dry_run: bool
    rules: list[RetentionRule]


class ErasureReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure changed, by place."""

    changed: dict[str, int]
    keys_destroyed: int
