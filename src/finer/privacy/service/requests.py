"""Subject requests: what people ask, step by step, with the terms of the law and two people where it matters."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from finer.facts.privacy import ErasureApproved
from finer.identity.service.audit import record_audit
from finer.kit.ids import new_id, read_id, show_id
from finer.kit.tx import Tx
from finer.privacy.errors import CannotBeUsed, RequestNotFound, SamePerson, StepNotPossible, UnderHold
from finer.privacy.rules.terms import request_due
from finer.privacy.rules.workflow import APPROVER, CLOSED, next_state, possible
from finer.privacy.service.holds import named, place_hold
from finer.privacy.store.subjects import SubjectStore, key_of
from finer.privacy.types import (
    KEEPING,
    ErasureReport,
    HoldKind,
    Law,
    RequestKind,
    RequestState,
    RequestStep,
    RequestWithSteps,
    Step,
    SubjectKind,
    SubjectRequest,
)

_NEEDS_NOTE = frozenset({Step.VERIFY, Step.COMPLETE, Step.RESTRICT, Step.REFUSE, Step.EXTEND, Step.SEND_BACK})
_TEXT_MAX = 4_000


def open_request(
    tx: Tx,
    *,
    kind: RequestKind,
    law: Law,
    subject_kind: SubjectKind,
    subject: str,
    detail: str,
    received_at: datetime | None = None,
) -> RequestWithSteps:
    """Take a request in. A user is named by e-mail address or id. Raises UserNotFound, CannotBeUsed."""
    now = tx.now()
    at = received_at or now
    if not now - timedelta(days=365) <= at <= now:
        raise CannotBeUsed("A request was received within the last year, and not in the future.")
    identifier = new_id()
    wanted = SubjectRequest(
        id=show_id("prq", identifier),
        kind=kind,
        law=law,
        state=RequestState.RECEIVED,
        subject_kind=subject_kind,
        subject=named(tx, subject_kind, subject),
        detail=_text(detail),
        received_at=at,
        due_at=request_due(law, at, extended=False),
        extended=False,
        opened_by=tx.actor.name,
        proposed_by=None,
        closed_at=None,
        version=1,
    )
    store = SubjectStore(tx)
    store.add_request(identifier, wanted)
    _note(tx, store, identifier, wanted, Step.RECEIVE, detail)
    return get_request(tx, wanted.id)


def list_requests(tx: Tx, *, open_only: bool = False, limit: int = 200) -> list[SubjectRequest]:
    """Requests of the firm: the open ones by the time that is left, then the closed ones."""
    return SubjectStore(tx).requests(open_only=open_only, limit=limit)


def get_request(tx: Tx, shown: str) -> RequestWithSteps:
    """One request with its steps and what can be done next. Raises RequestNotFound."""
    identifier = read_id("prq", shown)
    found = _request(tx, identifier)
    steps = SubjectStore(tx).steps(identifier)
    return RequestWithSteps(request=found, steps=steps, allowed=possible(found.kind, found.state))


def approved_erasure(tx: Tx, shown: str) -> SubjectRequest | None:
    """An erasure that two people agreed to and nobody has carried out; nobody else changes it until `tx` ends.

    Raises RequestNotFound, UnderHold.
    """
    found = _request(tx, read_id("prq", shown), lock=True)
    if found.state is not RequestState.RUNNING:
        return None
    _refuse_held(found)
    tx.outlast()
    return found


def take_step(tx: Tx, shown: str, *, step: Step, note: str, version: int) -> RequestWithSteps:
    """Do the next thing with a request, other than approving. Raises StepNotPossible, UnderHold, CannotBeUsed."""
    if step in APPROVER or step in (Step.ERASED, Step.RECEIVE, Step.DOWNLOAD):
        raise StepNotPossible(f"{step.value} is not done by hand here.")
    return _move(tx, shown, step, note, version)


def approve(tx: Tx, shown: str, *, step: Step, note: str, version: int) -> RequestWithSteps:
    """Agree to what another person proposed, or send it back. Raises SamePerson, StepNotPossible, UnderHold."""
    if step not in APPROVER:
        raise StepNotPossible("Approve, or send back.")
    if tx.actor.kind != "user":
        raise SamePerson("Only a person approves; a machine never does.")
    if SubjectStore(tx).proposer(read_id("prq", shown)) == tx.actor.id:
        raise SamePerson("You proposed this yourself. Somebody else has to approve it.")
    return _move(tx, shown, step, note, version)


def note_download(tx: Tx, request: SubjectRequest, form: str) -> None:
    """Write down that a person's file was taken out."""
    _note(tx, SubjectStore(tx), read_id("prq", request.id), request, Step.DOWNLOAD, form)


def finish_erasure(tx: Tx, request: SubjectRequest, report: ErasureReport) -> None:
    """The person is erased: the request is done, and says what was changed where."""
    identifier = read_id("prq", request.id)
    store = SubjectStore(tx)
    store.change(identifier, request.version, state=RequestState.DONE, closed_at=tx.now())
    changed = ", ".join(f"{count} {place}" for place, count in report.changed.items() if count) or "no records"
    note = f"{changed}; {report.keys_destroyed} keys destroyed"
    store.add_step(new_id(), identifier, RequestStep(at=tx.now(), by=tx.actor.name, step=Step.ERASED, note=note), None)
    record_audit(tx, "privacy:erased", request.id, {"changed": report.changed, "keys": report.keys_destroyed})


def _move(tx: Tx, shown: str, step: Step, note: str, version: int) -> RequestWithSteps:
    identifier = read_id("prq", shown)
    found = _request(tx, identifier)
    state = next_state(found.kind, found.state, step)
    if state is None:
        raise StepNotPossible(
            f"A request that is {found.state.value} cannot be taken on by {step.value!r}. "
            f"Possible: {', '.join(possible(found.kind, found.state)) or 'nothing'}."
        )
    if step in _NEEDS_NOTE and not note.strip():
        raise CannotBeUsed("Write down how or why; whoever looks at this later has only these words.")
    if found.kind is RequestKind.ERASE and step in (Step.PROPOSE, Step.APPROVE):
        _refuse_held(found)
    if step is Step.EXTEND and found.extended:
        raise StepNotPossible("The term was extended already, and the law allows it once.")
    store = SubjectStore(tx)
    if not store.change(identifier, version, **_changes(tx, step, state)):
        raise StepNotPossible("Somebody else changed this request a moment ago. Look at it again.")
    _note(tx, store, identifier, found, step, _text(note))
    if step is Step.RESTRICT or (step is Step.COMPLETE and found.kind in (RequestKind.RESTRICT, RequestKind.OBJECT)):
        place_hold(
            tx, kind=HoldKind.RESTRICTION, subject_kind=found.subject_kind, subject=found.subject, reason=_text(note)
        )
    if state is RequestState.RUNNING:
        tx.record(ErasureApproved(request_id=shown))
    return get_request(tx, shown)


def _changes(tx: Tx, step: Step, state: RequestState) -> dict[str, Any]:
    values: dict[str, Any] = {"state": state}
    if step is Step.PROPOSE:
        values |= {"proposed_by": tx.actor.name, "proposed_by_id": tx.actor.id}
    if step is Step.EXTEND:
        values["extended"] = True
    if state in CLOSED:
        values["closed_at"] = tx.now()
    return values


def _refuse_held(request: SubjectRequest) -> None:
    """Raises UnderHold when the records of this person must be kept."""
    if request.held in KEEPING:
        because = "a legal hold" if request.held is HoldKind.LEGAL else "the duty to keep records of money laundering"
        raise UnderHold(
            f"The records of this person are under {because}. Restrict them instead of erasing, or release the hold."
        )


def _request(tx: Tx, identifier: uuid.UUID, *, lock: bool = False) -> SubjectRequest:
    found = SubjectStore(tx).request(identifier, lock=lock)
    if found is None:
        raise RequestNotFound(f"There is no subject request {show_id('prq', identifier)}.")
    return found


def _note(tx: Tx, store: SubjectStore, identifier: uuid.UUID, request: SubjectRequest, step: Step, note: str) -> None:
    taken = RequestStep(at=tx.now(), by=tx.actor.name, step=step, note=note)
    store.add_step(new_id(), identifier, taken, key_of(request.subject_kind, request.subject))
    record_audit(tx, f"privacy:{step.value}", request.id, {"kind": request.kind.value})


def _text(text: str) -> str:
    if len(text) > _TEXT_MAX:
        raise CannotBeUsed(f"A note has at most {_TEXT_MAX} characters; this one has {len(text)}.")
    return text.strip()
