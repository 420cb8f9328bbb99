"""Subject requests: their terms, their steps, the two people, and what a hold stops."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.identity.service import audit
from finer.kit.actors import Actor
from finer.kit.clock import FixedClock
from finer.kit.errors import NotFound
from finer.privacy.errors import CannotBeUsed, RequestNotFound, SamePerson, StepNotPossible, UnderHold
from finer.privacy.rules.terms import add_months, clock, request_due
from finer.privacy.rules.workflow import CLOSED, TWO_PEOPLE, next_state, possible
from finer.privacy.service import holds, requests
from finer.privacy.types import (
    HoldKind,
    Law,
    RequestKind,
    RequestState,
    RequestWithSteps,
    Step,
    SubjectKind,
)
from tests.support.identity import Firm

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def _open(firm: Firm, actor: Actor, kind: RequestKind, subject: str = "C-7", law: Law = Law.GDPR) -> RequestWithSteps:
    with firm.tx(actor) as tx:
        return requests.open_request(
            tx, kind=kind, law=law, subject_kind=SubjectKind.CUSTOMER, subject=subject, detail="Please."
        )


def _step(firm: Firm, actor: Actor, found: RequestWithSteps, step: Step, note: str = "so") -> RequestWithSteps:
    act = requests.approve if step in (Step.APPROVE, Step.SEND_BACK) else requests.take_step
    with firm.tx(actor) as tx:
        return act(tx, found.request.id, step=step, note=note, version=found.request.version)


@pytest.mark.parametrize(
    ("law", "received", "due"),
    [
        (Law.GDPR, datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)),
        (Law.GDPR, datetime(2028, 1, 31, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)),
        (Law.GDPR, datetime(2026, 12, 15, tzinfo=UTC), datetime(2027, 1, 15, tzinfo=UTC)),
        (Law.SINGAPORE, AT, AT + timedelta(days=30)),
        (Law.PHILIPPINES, AT, AT + timedelta(days=30)),
        (Law.THAILAND, AT, AT + timedelta(days=30)),
    ],
)
def test_each_law_gives_its_term(law: Law, received: datetime, due: datetime) -> None:
    assert request_due(law, received, extended=False) == due
    assert request_due(law, received, extended=True) > due


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(0, 60))  # noqa: DTZ001
def test_months_later_is_the_same_day_or_the_last_of_the_month(at: datetime, months: int) -> None:
    later = add_months(at, months)
    assert (later.year * 12 + later.month) - (at.year * 12 + at.month) == months
    assert later.day == at.day or (later.day < at.day and (later + timedelta(days=1)).day == 1)


def test_the_clocks_of_a_breach() -> None:
    assessed = datetime(2026, 3, 3, 20, 0, tzinfo=UTC)  # the 4th in Singapore
    assert clock(Law.GDPR, AT, None, None, "").due_at == AT + timedelta(hours=72)
    assert clock(Law.PHILIPPINES, AT, None, None, "").due_at == AT + timedelta(hours=72)
    assert clock(Law.SINGAPORE, AT, None, None, "").due_at is None
    assert clock(Law.SINGAPORE, AT, assessed, None, "").due_at == datetime(2026, 3, 7, 15, 59, 59, tzinfo=UTC)
    assert clock(Law.THAILAND, AT, None, None, "").due_at == AT + timedelta(hours=72)
    assert clock(Law.THAILAND, AT, None, None, "the forensics take a week").due_at == AT + timedelta(days=15)


@given(st.sampled_from(RequestKind), st.sampled_from(RequestState))
def test_a_closed_request_stays_closed_and_two_people_are_never_skipped(kind: RequestKind, state: RequestState) -> None:
    if state in CLOSED:
        assert possible(kind, state) == []
    if kind in TWO_PEOPLE:
        for step in (Step.COMPLETE, Step.ERASED, Step.DOWNLOAD):
            assert next_state(kind, RequestState.VERIFIED, step) is None
            assert next_state(kind, RequestState.PROPOSED, step) is None


def test_a_request_is_sealed_and_every_step_is_audited(firm: Firm, manager: Actor, database_url: str) -> None:
    found = _open(firm, manager, RequestKind.RECTIFY, subject="CUST-4711")
    found = _step(firm, manager, found, Step.VERIFY, "passport seen at the branch")
    found = _step(firm, manager, found, Step.COMPLETE, "address changed")
    assert (found.request.state, found.allowed) == (RequestState.DONE, [])
    assert [one.note for one in found.steps] == ["Please.", "passport seen at the branch", "address changed"]
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("select r::text from privacy_requests r").fetchall()
        rows += connection.execute("select s::text from privacy_request_steps s").fetchall()
    for text in ("CUST-4711", "Please.", "passport"):
        assert text not in str(rows)
        assert text.encode().hex() not in str(rows)
    with firm.tx() as tx:
        acts = {line.action for line in audit.list_audit(tx, 50, None)}
    assert {"privacy:receive", "privacy:verify", "privacy:complete"} <= acts


def test_erasing_takes_two_different_people(firm: Firm, manager: Actor, administrator: Actor) -> None:
    found = _open(firm, manager, RequestKind.ERASE)
    with pytest.raises(StepNotPossible):
        _step(firm, manager, found, Step.PROPOSE)
    found = _step(firm, manager, found, Step.VERIFY)
    found = _step(firm, manager, found, Step.PROPOSE)
    with pytest.raises(SamePerson):
        _step(firm, manager, found, Step.APPROVE)
    with pytest.raises(SamePerson, match="a machine never does"):
        _step(firm, Actor(kind="key", id="k", name="k", role="service"), found, Step.APPROVE)
    found = _step(firm, administrator, found, Step.SEND_BACK)
    found = _step(firm, manager, _step(firm, manager, found, Step.PROPOSE), Step.REFUSE)
    assert found.request.state is RequestState.REFUSED


def test_a_hold_stops_an_erasure_and_the_records_are_restricted_instead(
    firm: Firm, manager: Actor, administrator: Actor
) -> None:
    found = _step(firm, manager, _open(firm, manager, RequestKind.ERASE), Step.VERIFY)
    found = _step(firm, manager, found, Step.PROPOSE)
    with firm.tx(manager) as tx:
        hold = holds.place_hold(
            tx, kind=HoldKind.AML, subject_kind=SubjectKind.CUSTOMER, subject="C-7", reason="STR 2026-11"
        )
    with pytest.raises(UnderHold, match="Restrict them instead"):
        _step(firm, administrator, found, Step.APPROVE)
    with firm.tx(administrator) as tx:
        holds.release_hold(tx, hold)
        with pytest.raises(NotFound):
            holds.release_hold(tx, hold)
        held = holds.place_hold(
            tx, kind=HoldKind.LEGAL, subject_kind=SubjectKind.CUSTOMER, subject="C-7", reason="dispute"
        )
        assert holds.held_customers(tx) == ["C-7"]
    found = _step(firm, manager, found, Step.RESTRICT, "kept for the court")
    assert (found.request.state, found.request.held) == (RequestState.DONE, HoldKind.LEGAL)
    with firm.tx(administrator) as tx:
        holds.release_hold(tx, held)
        assert requests.get_request(tx, found.request.id).request.held is HoldKind.RESTRICTION


def test_the_term_is_extended_once_and_with_a_reason(firm: Firm, manager: Actor) -> None:
    found = _open(firm, manager, RequestKind.OBJECT)
    with pytest.raises(CannotBeUsed, match="Write down"):
        _step(firm, manager, found, Step.EXTEND, " ")
    longer = _step(firm, manager, found, Step.EXTEND, "many records")
    assert longer.request.due_at == add_months(found.request.received_at, 3)
    with pytest.raises(StepNotPossible, match="once"):
        _step(firm, manager, longer, Step.EXTEND, "more")


def test_who_looked_at_an_older_version_is_told(firm: Firm, manager: Actor) -> None:
    found = _open(firm, manager, RequestKind.RECTIFY)
    _step(firm, manager, found, Step.VERIFY)
    with pytest.raises(StepNotPossible, match="Somebody else"):
        _step(firm, manager, found, Step.REFUSE)


def test_another_firm_finds_no_request_and_no_hold(firm: Firm, other_firm: Firm, manager: Actor) -> None:
    found = _open(firm, manager, RequestKind.RECTIFY)
    with other_firm.tx() as tx:
        assert requests.list_requests(tx) == []
        assert holds.list_holds(tx) == []
        with pytest.raises(RequestNotFound):
            requests.get_request(tx, found.request.id)
        with pytest.raises(RequestNotFound):
            requests.take_step(tx, found.request.id, step=Step.VERIFY, note="x", version=1)


@pytest.mark.parametrize("days", [-1, 400])
def test_a_request_was_not_received_in_the_future_or_long_ago(
    firm: Firm, manager: Actor, clock: FixedClock, days: int
) -> None:
    with firm.tx(manager) as tx, pytest.raises(CannotBeUsed):
        requests.open_request(
            tx,
            kind=RequestKind.ACCESS,
            law=Law.GDPR,
            subject_kind=SubjectKind.CUSTOMER,
            subject="C",
            detail="",
            received_at=clock.now() - timedelta(days=days),
        )
