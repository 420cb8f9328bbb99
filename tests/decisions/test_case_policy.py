"""Priorities, due times and checklists of a firm: what can be set, what becomes of open cases, and who did it when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.decisions.errors import CasePolicyChanged, CasePolicyNotAcceptable
from finer.decisions.rules.policy import DUE_MAX, DUE_MIN, STANDARD, checked, checklist, differences
from finer.decisions.service import cases, judgements, policy
from finer.decisions.types.alerts import AlertState
from finer.decisions.types.cases import Priority, Typology
from finer.decisions.types.policy import CasePolicy, DueTimes, PolicyContent, PolicyStep, PriorityFrom
from finer.identity.service.audit import list_audit
from finer.kit.clock import FixedClock
from tests.decisions.desk import CaseDesk

replace = msgspec.structs.replace
QUICK = DueTimes(urgent=15, high=60, normal=8 * 60)


def change(desk: CaseDesk, content: PolicyContent, version: int = 0) -> CasePolicy:
    with desk.firm.tx(desk.ana) as tx:
        return policy.change(tx, version, content)


def test_cases_are_due_by_the_times_of_their_firm(desk: CaseDesk) -> None:
    open_before, _ = desk.one(amount_usd_minor=5_000)
    closed, _ = desk.one(amount_usd_minor=5_000)
    with desk.firm.tx(desk.ana) as tx:
        judgements.close_case(tx, closed.id, closed.version, AlertState.DISMISSED, "Called them.")
    change(desk, replace(STANDARD, due_minutes=QUICK))
    large, _ = desk.one(amount_usd_minor=900_000)
    small, _ = desk.one(amount_usd_minor=5_000)
    assert large.due_at == large.opened_at + timedelta(minutes=15)
    assert small.due_at == small.opened_at + timedelta(hours=8)
    # An open case moves along in the queue; one that is closed keeps what it had, until it is opened again.
    by_id = {one.id: one for one in desk.queue(closed=None)}
    moved = by_id[open_before.id]
    assert moved.due_at == open_before.due_at - timedelta(hours=16)
    assert moved.rank_at == open_before.rank_at - timedelta(hours=16)
    assert by_id[closed.id].due_at == closed.due_at
    with desk.firm.tx(desk.ana) as tx:
        again = cases.reopen(tx, closed.id, by_id[closed.id].version, "The customer called back.")
    assert again.due_at == again.opened_at + timedelta(hours=8)


def test_the_queue_follows_due_times_that_were_changed(desk: CaseDesk, clock: FixedClock) -> None:
    normal, _ = desk.one(amount_usd_minor=5_000)
    clock.advance(timedelta(hours=3))
    urgent, _ = desk.one(amount_usd_minor=900_000)
    assert [one.id for one in desk.queue()] == [urgent.id, normal.id]
    change(desk, replace(STANDARD, due_minutes=DueTimes(urgent=60, high=60, normal=60)))
    assert [one.id for one in desk.queue()] == [normal.id, urgent.id]
    assert [one.id for one in desk.queue(overdue_at=clock.now())] == [normal.id]


def test_cases_are_as_urgent_as_their_firm_says(desk: CaseDesk, clock: FixedClock) -> None:
    # Of an alert by rules that nobody has judged yet, half of the amount is expected to be lost.
    middle, _ = desk.one(amount_usd_minor=60_000)
    large, _ = desk.one(amount_usd_minor=900_000)
    huge, _ = desk.one(amount_usd_minor=2_000_000)
    assert [one.priority for one in (middle, large, huge)] == [Priority.HIGH, Priority.URGENT, Priority.URGENT]
    change(desk, replace(STANDARD, priority_from_usd=PriorityFrom(urgent=5_000, high=5_000)))
    assert desk.one(amount_usd_minor=999_998)[0].priority is Priority.NORMAL
    assert desk.one(amount_usd_minor=1_000_000)[0].priority is Priority.URGENT
    # Open cases go along: milder ones have as much more time as their new priority gives.
    now = {one.id: one for one in desk.queue()}
    assert [now[one.id].priority for one in (middle, large, huge)] == [
        Priority.NORMAL, Priority.NORMAL, Priority.URGENT,
    ]  # fmt: skip
    assert now[middle.id].due_at == middle.due_at + timedelta(hours=20)
    assert now[large.id].due_at == large.due_at + timedelta(hours=23)
    assert now[large.id].rank_at == large.rank_at + timedelta(hours=23)
    assert (now[huge.id].due_at, now[huge.id].rank_at) == (huge.due_at, huge.rank_at)
    # One that becomes more urgent has its new time from now on, and is not overdue at once.
    clock.advance(timedelta(hours=12))
    change(desk, STANDARD, 1)
    again = next(one for one in desk.queue() if one.id == large.id)
    assert (again.priority, again.due_at) == (Priority.URGENT, clock.now() + timedelta(hours=1))
    assert again.rank_at - again.due_at == large.rank_at - large.due_at


def test_a_case_that_grows_more_urgent_is_due_by_the_times_of_its_firm(desk: CaseDesk) -> None:
    change(desk, replace(STANDARD, due_minutes=QUICK))
    desk.raised(1, customer_id="c1", amount_usd_minor=1_000)
    desk.raised(1, customer_id="c1", amount_usd_minor=500_000)
    (case,) = desk.queue()
    assert (case.priority, case.due_at) == (Priority.URGENT, case.opened_at + timedelta(minutes=15))


def test_a_new_case_gets_the_steps_of_its_firm_and_an_open_one_keeps_its_own(desk: CaseDesk) -> None:
    before, _ = desk.one(rules=["velocity_10s"])
    steps = {
        **STANDARD.checklists,
        Typology.CARD: [PolicyStep(text="Call  the\tcard scheme "), PolicyStep(id="step_1", text="Note it")],
    }
    made = change(
        desk,
        replace(STANDARD, due_minutes=QUICK, common=[PolicyStep(id="seen", text="Look at it")], checklists=steps),
    )
    assert [(one.id, one.text) for one in made.content.checklists[Typology.CARD]] == [
        ("step_2", "Call the card scheme"), ("step_1", "Note it"),
    ]  # fmt: skip
    after, _ = desk.one(rules=["velocity_10s"])
    assert [one.id for one in after.checklist] == ["seen", "step_2", "step_1"]
    desk.take(before)
    with desk.firm.tx(desk.ana) as tx:
        ticked = cases.tick(tx, before.id, "possession", done=True)
    assert [one.text for one in ticked.checklist] == [one.text for one in checklist(STANDARD, Typology.CARD)]


def test_a_case_that_turns_out_to_be_of_another_kind_has_its_steps_and_keeps_its_ticks(desk: CaseDesk) -> None:
    desk.raised(1, customer_id="c1", rules=["first_payee_high_amount"])
    (scam,) = desk.queue()
    desk.take(scam)
    with desk.firm.tx(desk.ana) as tx:
        cases.tick(tx, scam.id, "history", done=True)
        cases.tick(tx, scam.id, "payee", done=True)
    desk.raised(1, customer_id="c1", rules=["structuring"])
    (case,) = desk.queue()
    assert case.typology is Typology.LAUNDERING
    own = [one.id for one in checklist(STANDARD, Typology.LAUNDERING)]
    assert [one.id for one in case.checklist] == [*own, "payee"]
    assert [one.id for one in case.checklist if one.done_by == desk.ana.name] == ["history", "payee"]


def test_the_audit_trail_says_what_was_changed_and_every_version_stays(desk: CaseDesk) -> None:
    earlier = PriorityFrom(urgent=900, high=250)
    first = change(desk, replace(STANDARD, priority_from_usd=earlier, due_minutes=QUICK))
    assert (first.version, first.changed_by) == (1, desk.ana.name)
    second = change(desk, replace(first.content, common=[*first.content.common, PolicyStep(text="Look again")]), 1)
    assert second.version == 2
    assert change(desk, second.content, 2) == second  # the same again is no change
    with desk.firm.tx() as tx:
        found = [one.detail for one in list_audit(tx, 50, None) if one.action == "cases:policy"]
    assert found == [
        {"version": 2, "steps": {"common": {"added": ["Look again"], "removed": []}}},
        {
            "version": 1,
            "priority_from_usd": {"urgent": [1000, 900]},
            "due_minutes": {"urgent": [60, 15], "high": [240, 60], "normal": [1440, 480]},
        },
    ]


def test_of_those_who_change_it_at_once_one_does(desk: CaseDesk) -> None:
    def attempt(minutes: int) -> bool:
        try:
            change(desk, replace(STANDARD, due_minutes=DueTimes(urgent=minutes, high=300, normal=300)))
        except CasePolicyChanged:
            return False
        return True

    case, _ = desk.one(amount_usd_minor=900_000)
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, (10, 20, 30, 40))) == 1
    with desk.firm.tx() as tx:
        now = policy.in_force(tx)
    assert now.version == 1
    assert desk.queue()[0].due_at == case.opened_at + now.content.due_minutes.after(Priority.URGENT)
    with pytest.raises(CasePolicyChanged, match="Read it again"):
        change(desk, STANDARD, 0)


def _with(typology: Typology, *steps: PolicyStep) -> PolicyContent:
    return replace(STANDARD, checklists={**STANDARD.checklists, typology: list(steps)})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (replace(STANDARD, due_minutes=DueTimes(urgent=DUE_MIN - 1, high=60, normal=60)), "urgent"),
        (replace(STANDARD, due_minutes=DueTimes(urgent=60, high=60, normal=DUE_MAX + 1)), "normal"),
        (replace(STANDARD, due_minutes=DueTimes(urgent=60, high=59, normal=100)), "sooner"),
        (replace(STANDARD, priority_from_usd=PriorityFrom(urgent=250, high=1_000)), "high from 1,000"),
        (replace(STANDARD, priority_from_usd=PriorityFrom(urgent=0, high=-1)), "high from -1"),
        (replace(STANDARD, checklists={Typology.CARD: []}), "no checklist: account_takeover"),
        (_with(Typology.CARD, PolicyStep(text="  a ")), "Step 1 of card"),
        (_with(Typology.CARD, PolicyStep(text="Call\u202e them")), "Step 1 of card"),
        (_with(Typology.CARD, PolicyStep(text="x" * 201)), "Step 1 of card"),
        (_with(Typology.CARD, PolicyStep(id="Call", text="Call them")), "an id has"),
        (_with(Typology.CARD, PolicyStep(id="history", text="Call them")), "the id history"),
        (_with(Typology.SCAM, *(PolicyStep(text=f"Step {n}") for n in range(21))), "21 steps"),
        (replace(_with(Typology.GENERAL), common=[]), "general would have no step"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(desk: CaseDesk, content: PolicyContent, said: str) -> None:
    with pytest.raises(CasePolicyNotAcceptable, match=said):
        change(desk, content)
    with desk.firm.tx() as tx:
        assert policy.in_force(tx).version == 0


_steps = st.lists(
    st.builds(PolicyStep, text=st.text("abc ", min_size=3, max_size=9), id=st.sampled_from(["", "", "a", "b"])),
    max_size=5,
)


@given(common=_steps, card=_steps)
def test_every_step_is_named_once_in_each_kind_of_case(common: list[PolicyStep], card: list[PolicyStep]) -> None:
    try:
        found = checked(replace(_with(Typology.CARD, *card), common=common))
    except CasePolicyNotAcceptable:
        return
    for typology in Typology:
        names = [one.id for one in checklist(found, typology)]
        assert all(names)
        assert len(set(names)) == len(names)
    assert checked(found) == found
    assert differences(found, found) == {}
