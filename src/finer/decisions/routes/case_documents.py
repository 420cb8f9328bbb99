"""What cases show, as it leaves the system, and what is sent to change them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from finer.decisions.routes.documents import Alert, TeamId, UserId, show_alert
from finer.decisions.routes.explanations import Explanation
from finer.decisions.types import alerts as alert_types
from finer.decisions.types import cases as types
from finer.decisions.types.cases import (
    ActionKind,
    ActionState,
    CaseState,
    ChecklistItem,
    EntryKind,
    LabelSource,
    Outcome,
    Priority,
    Subject,
    Typology,
)
from finer.kit import documents, money
from finer.kit.ids import show_id
from finer.kit.masking import personal

CaseId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^cas_[0-9a-f]{32}$")]
AlertId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^alr_[0-9a-f]{32}$")]
Verdict: TypeAlias = Literal["confirmed_fraud", "dismissed", "undetermined"]


class CaseSummaryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A case in the queue. `version` grows with every change."""

    id: CaseId
    number: int
    state: CaseState
    subject_kind: Subject
    subject: Annotated[str | None, personal()]
    typology: Typology
    priority: Priority
    alerts: int
    open_alerts: int
    amount_usd: documents.Money
    expected_loss_usd: documents.Money
    opened_at: datetime
    last_alert_at: datetime
    due_at: datetime
    assignee_id: UserId | None
    assignee: str | None
    team_id: TeamId | None
    outcome: Outcome | None
    closed_at: datetime | None
    closed_by: str | None
    version: int


class CasePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the queue; `next` is what `before` takes for the page behind it, null on the last."""

    items: list[CaseSummaryRow]
    next: str | None
    as_of: datetime


class QueueSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers above the queue."""

    open: int
    mine: int
    unassigned: int
    overdue: int
    expected_loss_usd: documents.Money
    as_of: datetime


class CaseEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done in a case."""

    id: str
    kind: EntryKind
    at: datetime
    by: str
    text: str
    detail: dict[str, Any]


class CaseAttachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a case."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: str
    added_by: str
    added_at: datetime


class CaseActionView(msgspec.Struct, frozen=True, kw_only=True):
    """What is done about a case, and what became of it; `waits_because` says why a second person is being asked."""

    id: str
    kind: ActionKind
    state: ActionState
    target: Annotated[str | None, personal()]
    amount_usd: documents.Money
    reason: str
    asked_by: str
    asked_at: datetime
    settled_at: datetime | None
    settled_by: str | None
    result: str
    waits_because: str
    version: int


class JudgementView(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody found out about the payment of an alert. `decides` marks the one that the alert's state is of."""

    id: str
    alert_id: AlertId
    verdict: Verdict
    source: LabelSource
    known_at: datetime
    recorded_at: datetime
    by: str
    reason: str
    decides: bool
    contradicted: bool


class CaseDocument(CaseSummaryRow, frozen=True, kw_only=True):
    """A case with its alerts and all that was done in it."""

    customer_id: Annotated[str | None, personal()]
    account_id: Annotated[str | None, personal()]
    checklist: list[ChecklistItem]
    alert_list: list[Alert]
    entries: list[CaseEntry]
    attachments: list[CaseAttachment]
    actions: list[CaseActionView]
    judgements: list[JudgementView]


class AnalystView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who works cases; without skills, on all of them."""

    id: UserId
    name: str
    skills: list[Typology]
    available: bool
    open_cases: int


class TimelineItem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the customer of a case did."""

    contract: str
    event_id: str
    occurred_at: datetime
    title: str
    place: str
    amount: documents.Money | None
    action: str | None
    account_id: Annotated[str | None, personal()]


class CaseTimeline(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer of a case did around its alerts, the latest first."""

    items: list[TimelineItem]
    as_of: datetime


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A customer, account or thing that a case is linked with; `id` means nothing outside of this answer."""

    id: str
    kind: str
    value: Annotated[str | None, personal()]
    here: bool
    payments: int
    open_alerts: int
    confirmed: int


class LinkUse(msgspec.Struct, frozen=True, kw_only=True):
    """One used the other."""

    source: str
    target: str
    times: int
    last_at: datetime | None


class CaseLinks(msgspec.Struct, frozen=True, kw_only=True):
    """The graph of a case; `whole` is false when there is more than is shown."""

    nodes: list[Link]
    edges: list[LinkUse]
    whole: bool


class AskedAction(msgspec.Struct, frozen=True, kw_only=True):
    """What a system of the firm is to carry out: `target` is the event id of a payment, or the id of a customer."""

    id: str
    kind: ActionKind
    target: Annotated[str | None, personal()]
    amount_usd: documents.Money
    asked_at: datetime
    state: ActionState


class AskedActions(msgspec.Struct, frozen=True, kw_only=True):
    """Actions that wait, the oldest first; `next` is what `after` takes for those behind, null when there are none."""

    items: list[AskedAction]
    next: str | None


def show_row(case: types.Case, names: Mapping[str, str]) -> CaseSummaryRow:
    """A case as the queue shows it; `names` are those of people by id."""
    return CaseSummaryRow(**_row(case, names))


def _row(case: types.Case, names: Mapping[str, str]) -> dict[str, Any]:
    who, team = case.assignment.assignee_id, case.assignment.team_id
    return {
        "id": show_id("cas", case.id),
        "number": case.number,
        "state": case.state,
        "subject_kind": case.subject_kind,
        "subject": case.subject,
        "typology": case.typology,
        "priority": case.priority,
        "alerts": case.alerts,
        "open_alerts": case.open_alerts,
        "amount_usd": usd(case.amount_usd_minor),
        "expected_loss_usd": usd(case.expected_loss_usd_minor),
        "opened_at": case.opened_at,
        "last_alert_at": case.last_alert_at,
        "due_at": case.due_at,
        "assignee_id": None if who is None else show_id("usr", who),
        "assignee": None if who is None else names.get(str(who), "somebody who left"),
        "team_id": None if team is None else show_id("tem", team),
        "outcome": case.outcome,
        "closed_at": case.closed_at,
        "closed_by": case.closed_by,
        "version": case.version,
    }


def show_case(
    detail: types.CaseDetail, alerts: Sequence[alert_types.Alert], known: Mapping[uuid.UUID, Explanation],
    names: Mapping[str, str],
) -> CaseDocument:  # fmt: skip
    """A case as its own page shows it; `known` explains its alerts."""
    case = detail.case
    return CaseDocument(
        **_row(case, names),
        customer_id=case.customer_id,
        account_id=case.account_id,
        checklist=case.checklist,
        alert_list=[show_alert(one, known.get(one.id)) for one in alerts],
        entries=[
            CaseEntry(id=show_id("cen", one.id), kind=one.kind, at=one.at, by=one.by, text=one.text, detail=one.detail)
            for one in detail.entries
        ],
        attachments=[show_attachment(one) for one in detail.attachments],
        actions=[show_action(one) for one in detail.actions],
        judgements=_judgements(detail.judgements),
    )


def _judgements(found: Sequence[types.Judgement]) -> list[JudgementView]:
    deciding: dict[Any, types.Judgement] = {}
    for one in found:
        deciding.setdefault(one.alert_id, one)
    return [
        JudgementView(
            id=show_id("jdg", one.id),
            alert_id=show_id("alr", one.alert_id),
            verdict=alert_types.AlertState(one.verdict).value,  # type: ignore[arg-type]
            source=one.source,
            known_at=one.known_at,
            recorded_at=one.recorded_at,
            by=one.by,
            reason=one.reason,
            decides=deciding[one.alert_id].id == one.id,
            contradicted=deciding[one.alert_id].verdict != one.verdict,
        )
        for one in found
    ]


def show_attachment(one: types.Attachment) -> CaseAttachment:
    """A file as a case shows it."""
    return CaseAttachment(
        id=show_id("att", one.id),
        name=one.name,
        media_type=one.media_type,
        size=one.size,
        sha256=one.sha256,
        added_by=one.added_by,
        added_at=one.added_at,
    )


def show_action(one: types.CaseAction) -> CaseActionView:
    """An action as a case shows it."""
    return CaseActionView(
        id=show_id("cac", one.id), kind=one.kind, state=one.state, target=one.target,
        amount_usd=usd(one.amount_usd_minor), reason=one.reason, asked_by=one.asked_by, asked_at=one.asked_at,
        settled_at=one.settled_at, settled_by=one.settled_by, result=one.result,
        waits_because="" if one.two_people is None else one.two_people.sentence(), version=one.version,
    )  # fmt: skip


def show_asked(one: types.CaseAction) -> AskedAction:
    """An action as the system that carries it out reads it."""
    return AskedAction(
        id=show_id("cac", one.id),
        kind=one.kind,
        target=one.target,
        amount_usd=usd(one.amount_usd_minor),
        asked_at=one.asked_at,
        state=one.state,
    )


def show_analyst(one: types.Analyst) -> AnalystView:
    """Somebody who works cases."""
    return AnalystView(
        id=show_id("usr", one.user_id),
        name=one.name,
        skills=one.skills,
        available=one.available,
        open_cases=one.open_cases,
    )


def show_links(found: types.LinkGraph) -> CaseLinks:
    """The graph, with numbers in the place of ids: these hold what a caller may see masked."""
    number = {one.id: f"n{place}" for place, one in enumerate(found.nodes)}
    return CaseLinks(
        nodes=[
            Link(
                id=number[one.id],
                kind=one.kind,
                value=one.value,
                here=one.here,
                payments=one.payments,
                open_alerts=one.open_alerts,
                confirmed=one.confirmed,
            )
            for one in found.nodes
        ],
        edges=[
            LinkUse(source=number[one.source], target=number[one.target], times=one.times, last_at=one.last_at)
            for one in found.edges
        ],
        whole=found.whole,
    )


def show_timeline(found: Sequence[types.HistoryItem]) -> list[TimelineItem]:
    """What a customer did."""
    return [
        TimelineItem(
            contract=one.contract,
            event_id=one.event_id,
            occurred_at=one.occurred_at,
            title=one.title,
            place=one.place,
            amount=None if one.amount is None else documents.show_money(one.amount),
            action=one.action,
            account_id=one.account_id,
        )
        for one in found
    ]


def usd(minor: int) -> documents.Money:
    """US dollars."""
    return documents.show_money(money.Money(minor, "USD"))
