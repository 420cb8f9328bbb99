"""The queue of cases, and the work on one of them: who has it, how far it is, notes and steps."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from finer.decisions.errors import CaseIsClosed, CaseNotAcceptable, CaseNotFound, NothingToTake, NotYourCase
from finer.decisions.rules.queue import rank
from finer.decisions.service import policy
from finer.decisions.service.alerts import announce_alerts, who_work, works_on_alerts
from finer.decisions.service.history import changed_since, write
from finer.decisions.service.waiting import as_they_wait
from finer.decisions.store.alerts import DecisionStore
from finer.decisions.store.analysts import AnalystStore
from finer.decisions.store.case_files import CaseFileStore
from finer.decisions.store.cases import CaseStore
from finer.decisions.types.alerts import Alert, Assignment
from finer.decisions.types.cases import (
    Analyst,
    Case,
    CaseDetail,
    CaseFilter,
    CaseState,
    CaseSummary,
    EntryKind,
    Typology,
)
from finer.identity.service import people, teams
from finer.identity.service.audit import record_audit
from finer.identity.service.authorisation import masking_of, reach_of
from finer.identity.types.access import Permission
from finer.kit.cursors import show_cursor
from finer.kit.ids import show_id
from finer.kit.masking import DataClass
from finer.kit.reach import Reach
from finer.kit.tx import Tx

NOTE_MAX = 10_000
GIVEN_MAX = 200
"""Cases that are given out at a time."""
_PERSONAL_COLUMNS = ("subject", "customer_id", "account_id")


def list_cases(tx: Tx, wanted: CaseFilter) -> tuple[list[Case], str | None]:
    """One page of the cases that the caller reaches, and the cursor of the next page (None on the last).

    A text is looked for among ids only by who sees them in clear; everybody finds a case by its number.
    """
    searched = _PERSONAL_COLUMNS if masking_of(tx.actor).clear(DataClass.PERSONAL) else ()
    reach = reach_of(tx.actor, Permission.CASES_READ)
    found = CaseStore(tx).page(msgspec.structs.replace(wanted, text_columns=searched), reach)
    if len(found) < wanted.limit:
        return found, None
    last = found[-1]
    return found, show_cursor(last.opened_at if wanted.newest else last.rank_at, last.id)


def summarise(tx: Tx) -> CaseSummary:
    """The numbers above the queue."""
    person = uuid.UUID(tx.actor.id) if tx.actor.kind == "user" else None
    return CaseStore(tx).summary(reach_of(tx.actor, Permission.CASES_READ), person, tx.now())


def get_case(
    tx: Tx, identifier: uuid.UUID, permission: Permission = Permission.CASES_READ, *, lock: bool = False
) -> Case:
    """One case that the caller reaches by a permission.

    Raises CaseNotFound, also for one that is out of reach, and NotYourCase for one that is only seen.
    """
    found = CaseStore(tx).find(identifier, lock=lock)
    if found is None or not _covers(reach_of(tx.actor, Permission.CASES_READ), found):
        raise CaseNotFound(f"There is no case {show_id('cas', identifier)}.")
    if not _covers(reach_of(tx.actor, permission), found):
        raise NotYourCase("Only who works on this case does this. Take it first.")
    return found


def open_case(tx: Tx, identifier: uuid.UUID, permission: Permission, version: int | None = None) -> Case:
    """The same for a change of an open case, which is locked; with a version, the one that the caller has seen.

    Raises CaseIsClosed, CaseChanged, and as get_case.
    """
    case = get_case(tx, identifier, permission, lock=True)
    if version is not None and case.version != version:
        raise changed_since(tx, case, version)
    if case.state is CaseState.CLOSED:
        raise CaseIsClosed(f"Case {case.number} is closed. Open it again to work on it.", version=case.version)
    return case


def change(
    tx: Tx, case: Case, kind: EntryKind, text: str = "", detail: dict[str, Any] | None = None, **to: Any
) -> Case:
    """Change a locked case and write down what was done; what of the text is sealed stays out of the audit trail."""
    CaseStore(tx).change(case.id, case.version, **to)
    write(tx, case.id, kind, case.version + 1, text, detail)
    record_audit(tx, f"cases:{kind.value}", show_id("cas", case.id), detail)
    return get_locked(tx, case.id)


def get_locked(tx: Tx, identifier: uuid.UUID) -> Case:
    """A case as this transaction has changed it: who gave it away may not reach it any more."""
    found = CaseStore(tx).find(identifier)
    if found is None:
        raise CaseNotFound(f"There is no case {show_id('cas', identifier)}.")
    return found


def detail(tx: Tx, identifier: uuid.UUID) -> tuple[CaseDetail, list[Alert]]:
    """A case with all that was done in it, and its alerts. Raises CaseNotFound."""
    case, files = get_case(tx, identifier), CaseFileStore(tx)
    alerts = DecisionStore(tx).alerts_of_case(identifier)
    found = CaseDetail(
        case=case,
        entries=files.entries(identifier),
        attachments=files.attachments(identifier),
        actions=as_they_wait(tx, files.actions(identifier)),
        judgements=files.judgements([one.id for one in alerts]),
    )
    return found, alerts


def assign(tx: Tx, identifier: uuid.UUID, version: int, *, assignee: uuid.UUID | None, team: uuid.UUID | None) -> Case:
    """Give a case with its open alerts to a person, a team, both, or back to everybody's queue.

    Raises CaseNotFound, CaseChanged, CaseIsClosed, UserNotFound, TeamNotFound, or CaseNotAcceptable for a person whose
    role does not work on cases.
    """
    DecisionStore(tx).order_changes()
    case = open_case(tx, identifier, Permission.CASES_WORK, version)
    return _give(tx, case, assignee, team)


def take(tx: Tx, identifier: uuid.UUID, version: int) -> Case:
    """Take a case oneself. It stays with its team, or goes to the first of one's own. Raises as assign."""
    DecisionStore(tx).order_changes()
    case = open_case(tx, identifier, Permission.CASES_WORK, version)
    team = case.assignment.team_id or next(iter(tx.actor.teams), None)
    return _give(tx, case, uuid.UUID(tx.actor.id), team)


def take_next(tx: Tx) -> Case:
    """Take the first case of the queue that nobody works on and that asks for what the caller can.

    Two who ask at once get two cases. Raises NothingToTake.
    """
    DecisionStore(tx).order_changes()
    me = uuid.UUID(tx.actor.id)
    reach_of(tx.actor, Permission.CASES_WORK)
    skills, _, _ = AnalystStore(tx).known().get(me, ([], True, None))
    case = CaseStore(tx).first_untaken(tx.actor.teams, skills)
    if case is None:
        raise NothingToTake("There is no case that nobody works on and that asks for your skills.")
    AnalystStore(tx).given(me, tx.now())
    return _give(tx, case, me, case.assignment.team_id or next(iter(tx.actor.teams), None))


def distribute(tx: Tx, limit: int = GIVEN_MAX) -> dict[str, int]:
    """Give the first cases that nobody works on to those who are available, in turn and by skill.

    Whose turn was longest ago is next; returns the number of cases by name of who got them.
    """
    DecisionStore(tx).order_changes()
    store = CaseStore(tx)
    there = [one for one in analysts(tx) if one.available]
    turns = {one.user_id: (one.last_given_at is not None, one.last_given_at, one.open_cases) for one in there}
    given: dict[str, int] = {}
    for turn, case in enumerate(store.untaken(min(limit, GIVEN_MAX), reach_of(tx.actor, Permission.CASES_WORK))):
        able = [one for one in there if _can(one, case.typology)]
        if not able:
            continue
        order = {one.user_id: given_at for one, given_at in ((each, turns[each.user_id]) for each in able)}
        who = min(able, key=lambda one: (order[one.user_id][0], order[one.user_id][1] or case.opened_at, one.name))
        turns[who.user_id] = (True, tx.now().replace(microsecond=turn), 0)
        given[who.name] = given.get(who.name, 0) + 1
        AnalystStore(tx).given(who.user_id, tx.now())
        _give(tx, case, who.user_id, case.assignment.team_id)
    return given


def analysts(tx: Tx) -> list[Analyst]:
    """Who works cases, by name."""
    store = AnalystStore(tx)
    known, busy = store.known(), store.open_cases()
    found = []
    for person, name in who_work(tx, Permission.CASES_WORK).items():
        skills, available, last = known.get(person, ([], True, None))
        found.append(
            Analyst(
                user_id=person, name=name, skills=skills, available=available, open_cases=busy.get(person, 0),
                last_given_at=last,
            )
        )  # fmt: skip
    return found


def set_analyst(tx: Tx, person: uuid.UUID, skills: Sequence[Typology], *, available: bool) -> Analyst:
    """What somebody works on (everything, without skills), and whether cases are given to them.

    Raises UserNotFound, CaseNotAcceptable for who does not work on cases.
    """
    _check_works(tx, person)
    chosen = sorted(set(skills))
    AnalystStore(tx).set(person, chosen, available=available)
    record_audit(tx, "cases:analyst", show_id("usr", person), {"skills": chosen, "available": available})
    return next(one for one in analysts(tx) if one.user_id == person)


def set_state(tx: Tx, identifier: uuid.UUID, version: int, state: CaseState, reason: str) -> Case:
    """Say that a case waits for somebody outside, or goes on. Raises as open_case, and CaseNotAcceptable."""
    case = open_case(tx, identifier, Permission.CASES_WORK, version)
    if state is CaseState.CLOSED:
        raise CaseNotAcceptable("A case is closed with a verdict: close it.")
    if state is CaseState.WAITING and not reason.strip():
        raise CaseNotAcceptable("Say for whom or what the case waits.")
    return change(tx, case, EntryKind.STATE, reason.strip(), {"from": case.state.value, "to": state.value}, state=state)


def add_note(tx: Tx, identifier: uuid.UUID, text: str) -> Case:
    """Write a note. Closed cases take notes too. Raises CaseNotFound, CaseNotAcceptable."""
    case = get_case(tx, identifier, Permission.CASES_WORK, lock=True)
    said = text.strip()
    if not 1 <= len(said) <= NOTE_MAX:
        raise CaseNotAcceptable(f"A note has 1 to {NOTE_MAX:,} characters.")
    return change(tx, case, EntryKind.NOTE, said)


def tick(tx: Tx, identifier: uuid.UUID, item: str, *, done: bool) -> Case:
    """Tick a step of the checklist, or take the tick back. Raises as open_case, and CaseNotAcceptable."""
    case = open_case(tx, identifier, Permission.CASES_WORK)
    if all(one.id != item for one in case.checklist):
        raise CaseNotAcceptable(f"The checklist of this case has no step {item[:40]!r}.")
    by, at = (tx.actor.name, tx.now()) if done else (None, None)
    steps = [msgspec.structs.replace(one, done_by=by, done_at=at) if one.id == item else one for one in case.checklist]
    return change(
        tx, case, EntryKind.CHECKLIST, detail={"step": item, "done": done}, checklist=msgspec.to_builtins(steps)
    )


def reopen(tx: Tx, identifier: uuid.UUID, version: int, reason: str) -> Case:
    """Open a closed case again; its alerts stay judged until they are judged anew. Raises as get_case, CaseChanged."""
    case = get_case(tx, identifier, Permission.CASES_CLOSE, lock=True)
    if case.version != version or case.state is not CaseState.CLOSED:
        raise changed_since(tx, case, version)
    if not reason.strip():
        raise CaseNotAcceptable("Say why the case is opened again.")
    due = tx.now() + policy.in_force(tx).content.due_minutes.after(case.priority)
    return change(
        tx, case, EntryKind.REOPENED, reason.strip(), state=CaseState.INVESTIGATING, closed_at=None, closed_by=None,
        outcome=None, due_at=due, rank_at=rank(due, case.expected_loss_usd_minor),
    )  # fmt: skip


def _give(tx: Tx, case: Case, assignee: uuid.UUID | None, team: uuid.UUID | None) -> Case:
    name = None if assignee is None else _check_works(tx, assignee)
    team_name = None if team is None else teams.get_team(tx, team).name
    to = Assignment(assignee_id=assignee, team_id=team)
    state = case.state
    if assignee is not None and state is CaseState.OPEN:
        state = CaseState.INVESTIGATING
    elif assignee is None and state is CaseState.INVESTIGATING:
        state = CaseState.OPEN
    told = {"to": name, "team": team_name}
    changed = change(tx, case, EntryKind.ASSIGNMENT, detail=told, state=state, assignee_id=assignee, team_id=team)
    DecisionStore(tx).assign_case(case.id, to)
    announce_alerts(tx)
    return changed


def _check_works(tx: Tx, person: uuid.UUID) -> str:
    user = people.get_user(tx, person)
    if not works_on_alerts(user, Permission.CASES_WORK):
        raise CaseNotAcceptable(f"{user.name} ({user.role.replace('_', ' ')}) does not work on cases. Choose another.")
    return user.name


def _can(analyst: Analyst, typology: Typology) -> bool:
    return not analyst.skills or typology is Typology.GENERAL or typology in analyst.skills


def _covers(reach: Reach, case: Case) -> bool:
    return reach.covers(owner=case.assignment.assignee_id, team=case.assignment.team_id)
