"""Verdicts and alerts: recording them, lists and numbers, who works on an alert, what it was found to be."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from finer.decisions.errors import (
    AlertAlreadyResolved,
    AlertChanged,
    AlertNotFound,
    DecisionNotFound,
    EventIdReused,
    NotAssignable,
    NotYourAlert,
)
from finer.decisions.service.grouping import recount
from finer.decisions.service.history import write
from finer.decisions.store.alerts import DecisionStore
from finer.decisions.store.case_files import CaseFileStore
from finer.decisions.store.cases import CaseStore
from finer.decisions.store.people import PersonStore
from finer.decisions.types.alerts import (
    Action,
    Alert,
    AlertFilter,
    AlertState,
    AlertSummary,
    Announcement,
    Assignment,
    Decision,
    NewAlert,
    Raised,
    RuleTotals,
)
from finer.decisions.types.cases import EntryKind, Judgement, LabelSource
from finer.facts.decisions import AlertResolved
from finer.identity.service import exports, people, teams
from finer.identity.service.audit import record_audit
from finer.identity.service.authorisation import allowed, masking_of, reach_of
from finer.identity.service.proposals import Kinds, Payload
from finer.identity.service.reveals import note_reveal
from finer.identity.types.access import Permission, Role, Scope, Team, User
from finer.identity.types.proposals import Proposal
from finer.kit.cursors import show_cursor
from finer.kit.ids import new_id, show_id
from finer.kit.masking import DataClass
from finer.kit.reach import Reach
from finer.kit.settings import Settings
from finer.kit.tx import Tx

CHANNEL = "finer_alerts"
"""The notification channel on which the tenant's id says: alerts are new or changed."""
EXPORT = "alerts:export"
"""The kind of proposal of many alerts in a file; what the trail calls it too."""
DECISIONS_CHANNEL = "finer_decisions"
"""The notification channel of awaited decisions; the payload is an `Announcement` as JSON."""
_FILE_PAGE = 500
_NOTIFICATION_BYTES = 7_999  # PostgreSQL refuses longer ones
_SEARCHED = {
    "event_id": DataClass.INTERNAL,
    "merchant_name": DataClass.PUBLIC,
    "account_id": DataClass.PERSONAL,
    "customer_id": DataClass.PERSONAL,
    "device_id": DataClass.PERSONAL,
}
"""Where a text is looked for. What somebody sees masked is not searched: each hit would say what it holds."""


def record_verdicts(tx: Tx, new_alerts: Sequence[NewAlert], awaited: Sequence[Decision]) -> None:
    """Store what one batch decided: alerts and the answers somebody waits for. Repeating it changes nothing.

    Those who wait are told when this transaction has committed.
    """
    store = DecisionStore(tx)
    if new_alerts:
        store.add_alerts(new_alerts)
        announce_alerts(tx)
    if awaited:
        store.add_decisions(awaited)
        tx.notify(DECISIONS_CHANNEL, (_announcement(tx.tenant, one.event_id, one) for one in awaited))


def announce_alerts(tx: Tx) -> None:
    """Wake the live streams of this tenant when this transaction commits."""
    tx.notify(CHANNEL, [str(tx.tenant)])


def announce_known(tx: Tx, event_ids: Sequence[str]) -> None:
    """Wake the requests that wait for events which were there before; they look for the decision that stands."""
    if event_ids:
        tx.notify(DECISIONS_CHANNEL, (_announcement(tx.tenant, event_id, None) for event_id in event_ids))


def _announcement(tenant: uuid.UUID, event_id: str, decision: Decision | None) -> str:
    whole = msgspec.json.encode(Announcement(tenant=tenant, event_id=event_id, decision=decision))
    if len(whole) > _NOTIFICATION_BYTES:
        whole = msgspec.json.encode(Announcement(tenant=tenant, event_id=event_id, decision=None))
    return whole.decode()


def read_announcement(payload: str) -> Announcement:
    """What a notification on DECISIONS_CHANNEL says."""
    return msgspec.json.decode(payload, type=Announcement)


def get_decision(tx: Tx, identifier: uuid.UUID) -> Decision:
    """One awaited decision. Raises DecisionNotFound."""
    found = DecisionStore(tx).decision(identifier)
    if found is None:
        raise DecisionNotFound(f"There is no decision {show_id('dec', identifier)}.")
    return found


def decisions_of(tx: Tx, event_ids: Sequence[str]) -> list[Decision]:
    """The awaited decisions of these events, those that exist."""
    return DecisionStore(tx).decisions(event_ids)


def content_hash(canonical_body: bytes) -> bytes:
    """What tells one body of an event id from another: SHA-256 of its canonical JSON."""
    return hashlib.sha256(canonical_body).digest()


def same_body(found: Decision, body_hash: bytes) -> Decision:
    """The decision, if it was made for this body. Raises EventIdReused when it was for another one."""
    if found.body_hash != body_hash:
        raise EventIdReused(
            f"Event {found.event_id!r} was decided before with another content. "
            "Send a new event_id for a new transaction.",
            decision_id=show_id("dec", found.id),
        )
    return found


def list_alerts(
    tx: Tx, wanted: AlertFilter, permission: Permission = Permission.ALERTS_READ
) -> tuple[list[Alert], str | None]:
    """One page of the alerts that the caller reaches by a permission, and the cursor of the next (None on the last)."""
    found = DecisionStore(tx).alerts(_searching(tx, wanted), reach_of(tx.actor, permission))
    if len(found) < wanted.limit:
        return found, None
    last = found[-1]
    amount = last.amount_usd.minor if last.amount_usd is not None else 0
    return found, show_cursor(amount if wanted.by_amount else last.raised_at, last.id)


def raised_alerts(tx: Tx, since: datetime | None, before: Raised | None, limit: int) -> list[Raised]:
    """Alerts of the firm raised since then, whatever became of them, the latest first; those behind `before`."""
    return DecisionStore(tx).raised(since, before, limit)


def take_alerts(
    tx: Tx, settings: Settings, kinds: Kinds, wanted: AlertFilter, asked: Payload, reason: str
) -> Proposal | Iterator[list[Alert]]:
    """The alerts of a filter, page by page, to be handed out as a file; or what waits for somebody else.

    `asked` is the filter as the second person reads it. Raises TooManyRows, NotAcceptable for many without a reason.
    """
    reach = reach_of(tx.actor, Permission.ALERTS_EXPORT)
    rows = DecisionStore(tx).count(_searching(tx, wanted), reach, exports.FILE_ROWS_MAX + 1)
    waits = exports.take(tx, settings, kinds, EXPORT, "alerts", asked, rows=rows, reason=reason)
    return _pages(tx, wanted, rows) if waits is None else waits


def _pages(tx: Tx, wanted: AlertFilter, rows: int) -> Iterator[list[Alert]]:
    """As many rows as were counted: what comes under the filter meanwhile is part of no file that was let go."""
    cursor: str | None = None
    while rows > 0:
        page = msgspec.structs.replace(wanted, limit=min(rows, _FILE_PAGE), before=cursor)
        found, cursor = list_alerts(tx, page, Permission.ALERTS_EXPORT)
        rows = rows - len(found) if cursor is not None else 0
        yield found


def _searching(tx: Tx, wanted: AlertFilter) -> AlertFilter:
    masking = masking_of(tx.actor)
    searched = tuple(name for name, data_class in _SEARCHED.items() if masking.clear(data_class))
    return msgspec.structs.replace(wanted, text_columns=searched)


def get_alert(tx: Tx, identifier: uuid.UUID, permission: Permission = Permission.ALERTS_READ) -> Alert:
    """One alert that the caller reaches by a permission. Raises AlertNotFound, also for one that is out of reach."""
    found = DecisionStore(tx).alert(identifier)
    if found is None or not covers(reach_of(tx.actor, permission), found):
        raise AlertNotFound(f"There is no alert {show_id('alr', identifier)}.")
    return found


def covers(reach: Reach, alert: Alert) -> bool:
    """Whether an alert is within reach."""
    return reach.covers(owner=alert.assignment.assignee_id, team=alert.assignment.team_id)


def changed_alerts(tx: Tx, after_sequence: int, limit: int = 200) -> list[Alert]:
    """Alerts new or changed since a sequence number, oldest first; the latest `limit` when there are more."""
    return DecisionStore(tx).changed_alerts(after_sequence, limit)


def last_sequence(tx: Tx) -> int:
    """Where a new live stream begins."""
    return DecisionStore(tx).last_sequence()


def resolve_alert(tx: Tx, identifier: uuid.UUID, verdict: AlertState, note: str, version: int) -> Alert:
    """Say of one alert what it was; its case closes with its last one.

    Raises AlertNotFound, or AlertAlreadyResolved when somebody was quicker.
    """
    store = DecisionStore(tx)
    store.order_changes()
    alert = get_alert(tx, identifier, Permission.ALERTS_RESOLVE)
    case = None if alert.case_id is None else CaseStore(tx).find(alert.case_id, lock=True)
    now = tx.now()
    if not store.resolve(identifier, version, verdict, tx.actor.name, now, note):
        alert = get_alert(tx, identifier, Permission.ALERTS_RESOLVE)
        who = alert.resolution.by if alert.resolution is not None else "somebody"
        raise AlertAlreadyResolved(
            f"{who} has already set this alert to {alert.state}. Read it again before you judge it.",
            state=str(alert.state),
            version=alert.version,
        )
    record_audit(tx, "alerts:resolve", show_id("alr", identifier), {"verdict": str(verdict), "note": note})
    judgement = Judgement(
        id=new_id(), alert_id=identifier, verdict=verdict.value, source=LabelSource.ANALYST, known_at=now,
        recorded_at=now, by=tx.actor.name, reason=note,
    )  # fmt: skip
    CaseFileStore(tx).add_judgements([judgement])
    if verdict is not AlertState.UNDETERMINED:
        tx.record(
            AlertResolved(
                event_id=alert.event_id,
                occurred_at=alert.occurred_at,
                verdict=str(verdict),
                known_at=now,
                source=f"{tx.actor.kind}:{tx.actor.id}",
            )
        )
    announce_alerts(tx)
    found = get_alert(tx, identifier)
    if case is not None:
        write(tx, case.id, EntryKind.LABEL, case.version + 1, note, {"verdict": verdict.value, "alerts": 1})
        recount(tx, case)
    elif found.case_id is not None:
        # It was put into its case while this waited for its turn.
        joined = CaseStore(tx).find(found.case_id, lock=True)
        if joined is not None:
            recount(tx, joined)
    return found


def assign_alert(
    tx: Tx, identifier: uuid.UUID, version: int, *, assignee: uuid.UUID | None, team: uuid.UUID | None
) -> Alert:
    """Give an alert to a person, a team, both, or back to everybody's queue.

    Raises AlertNotFound, UserNotFound, TeamNotFound, NotAssignable for a person whose role does not work on alerts, or
    AlertChanged when somebody changed the alert in the meantime.
    """
    before = get_alert(tx, identifier, Permission.ALERTS_ASSIGN)
    if assignee is not None and not works_on_alerts(person := people.get_user(tx, assignee)):
        raise NotAssignable(f"{person.name} ({person.role.replace('_', ' ')}) does not work on alerts. Choose another.")
    if team is not None:
        teams.get_team(tx, team)
    to = Assignment(assignee_id=assignee, team_id=team)
    if not DecisionStore(tx).assign(identifier, version, to):
        raise AlertChanged("Somebody changed this alert in the meantime. Read it again, then assign it.")
    detail = {"from": _show_assignment(before.assignment), "to": _show_assignment(to)}
    record_audit(tx, "alerts:assign", show_id("alr", identifier), detail)
    announce_alerts(tx)
    # Who gave it away may not reach it any more; the answer is still what became of it.
    found = DecisionStore(tx).alert(identifier)
    if found is None:
        raise AlertNotFound(f"There is no alert {show_id('alr', identifier)}.")
    return found


def take_alert(tx: Tx, identifier: uuid.UUID, version: int) -> Alert:
    """Take an alert oneself. It stays with its team, or goes to the first of one's own. Raises as assign_alert."""
    alert = get_alert(tx, identifier, Permission.ALERTS_ASSIGN)
    team = alert.assignment.team_id or next(iter(tx.actor.teams), None)
    return assign_alert(tx, identifier, version, assignee=uuid.UUID(tx.actor.id), team=team)


def assignable(tx: Tx) -> tuple[dict[uuid.UUID, str], list[Team]]:
    """The people, by id with their names in order, and the teams that an alert can be given to."""
    return who_work(tx, Permission.ALERTS_READ), teams.list_teams(tx)


def _show_assignment(of: Assignment) -> dict[str, str | None]:
    return {
        "assignee": None if of.assignee_id is None else show_id("usr", of.assignee_id),
        "team": None if of.team_id is None else show_id("tem", of.team_id),
    }


def works_on_alerts(user: User, permission: Permission = Permission.ALERTS_READ) -> bool:
    """Whether alerts, or cases by their permission, can be given to somebody."""
    return user.disabled_at is None and _owns(user.role, permission)


def who_work(tx: Tx, permission: Permission) -> dict[uuid.UUID, str]:
    """Everybody for whom `works_on_alerts` is true: what they are called, by id, in the order of names."""
    able = people.active(tx, [role for role in Role if _owns(role, permission)])
    names = people.names(tx, able)
    named = [(names[str(person)], person) for person in able if str(person) in names]
    return {person: name for name, person in sorted(named)}


def _owns(role: Role, permission: Permission) -> bool:
    # Who reads every alert of the firm only looks on; whose reach depends on owning an alert can own one.
    return allowed(role, permission) in (Scope.OWN, Scope.TEAM)


def reveal(tx: Tx, identifier: uuid.UUID, field: str, reason: str) -> tuple[str | None, int]:
    """One value of an alert in clear, noted with its reason; and how many more the caller may see this hour.

    Raises AlertNotFound, NotYourAlert for an alert that is only seen, NotAcceptable without a reason, TooManyReveals.
    """
    alert = get_alert(tx, identifier)
    if not covers(reach_of(tx.actor, Permission.ALERTS_REVEAL), alert):
        raise NotYourAlert("Values are shown in clear to whoever works on the alert. Take it first.")
    left = note_reveal(tx, show_id("alr", identifier), field, reason)
    value: str | None = getattr(alert, field)
    return value, left


def summarise(tx: Tx) -> AlertSummary:
    """The numbers above the list of alerts."""
    store = DecisionStore(tx)
    now = tx.now()
    counts: dict[tuple[str, str], int] = {}
    amounts: dict[tuple[str, str], int] = {}
    rules: dict[str, dict[str, int]] = {}
    blocked_today = 0
    for row in store.totals():
        if row.rule:
            by_state = rules.setdefault(row.rule, {})
            by_state[row.state] = by_state.get(row.state, 0) + row.alerts
            continue
        key = (row.state, row.action)
        counts[key] = counts.get(key, 0) + row.alerts
        amounts[key] = amounts.get(key, 0) + row.amount_usd_minor
        if row.action == Action.BLOCK.word and row.day == now.date():
            blocked_today += row.alerts
    return AlertSummary(
        open=_of(counts, AlertState.OPEN),
        open_usd_minor=_of(amounts, AlertState.OPEN),
        confirmed=_of(counts, AlertState.CONFIRMED),
        dismissed=_of(counts, AlertState.DISMISSED),
        blocked_today=blocked_today,
        protected_usd_minor=amounts.get((AlertState.CONFIRMED, Action.BLOCK.word), 0),
        in_review_usd_minor=amounts.get((AlertState.OPEN, Action.REVIEW.word), 0),
        by_rule=[
            RuleTotals(
                rule, of.get(AlertState.OPEN, 0), of.get(AlertState.CONFIRMED, 0), of.get(AlertState.DISMISSED, 0)
            )
            for rule, of in sorted(rules.items())
        ],
        per_minute=store.per_minute(now, 60),
        as_of=now,
    )


def _of(values: dict[tuple[str, str], int], state: AlertState) -> int:
    return sum(value for (found, _), value in values.items() if found == state)


def alerts_of_customer(tx: Tx, customer_id: str, limit: int = 1_000) -> list[Alert]:
    """Alerts about one customer, the latest first: for the file that the customer may ask for."""
    return PersonStore(tx).alerts(customer_id, limit)


def part_customer(tx: Tx, customer_id: str, salt: str) -> int:
    """Part the alerts about a customer from them; `salt` makes the random names. Returns the number of alerts."""
    return PersonStore(tx).part(salt, customer_id=customer_id)


def part_old_alerts(tx: Tx, before: datetime, held: Sequence[str], salt: str | None) -> int:
    """Part alerts closed before then from their customers, those `held` left out; without a salt only count them."""
    return PersonStore(tx).old(before, held, salt)
