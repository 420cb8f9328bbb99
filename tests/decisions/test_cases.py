"""Alerts become cases, cases are queued, taken, worked by several people, and closed into labels."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.decisions.errors import (
    AlertAlreadyResolved,
    CaseChanged,
    CaseIsClosed,
    CaseNotAcceptable,
    CaseNotFound,
    NothingToTake,
)
from finer.decisions.rules.policy import STANDARD
from finer.decisions.rules.queue import expected_loss, outcome_of, rank
from finer.decisions.service import alerts as alert_service
from finer.decisions.service import cases, judgements
from finer.decisions.types.alerts import AlertState
from finer.decisions.types.cases import (
    CaseFilter,
    CaseState,
    EntryKind,
    GroupedAlert,
    LabelSource,
    Outcome,
    Priority,
    Subject,
    Typology,
)
from finer.facts.decisions import AlertResolved, CaseClosed, CaseOpened
from finer.identity.service import teams
from finer.identity.types.access import Role
from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.notifications import service as notifications
from tests.decisions.desk import CaseDesk, acting
from tests.support.alerts import AT, raise_alerts


def test_alerts_of_one_customer_are_one_case_and_others_are_not(desk: CaseDesk) -> None:
    desk.raised(2, customer_id="c1", account_id="a1")
    desk.raised(1, customer_id="c1", account_id="a2")
    desk.raised(1, customer_id="c2", account_id="a1")
    desk.raised(2, customer_id=None, account_id="a3")
    desk.raised(1, customer_id=None, account_id=None, event_id="lonely")
    found = {(one.subject_kind, one.subject): one.alerts for one in desk.queue()}
    assert found == {
        (Subject.CUSTOMER, "c1"): 3, (Subject.CUSTOMER, "c2"): 1, (Subject.ACCOUNT, "a3"): 2,
        (Subject.EVENT, "lonely"): 1,
    }  # fmt: skip
    assert desk.group() == 0
    desk.check()


def test_a_payment_long_after_the_last_one_opens_a_new_case(desk: CaseDesk) -> None:
    late = AT + timedelta(days=10)
    desk.raised(1, customer_id="c1", occurred_at=AT)
    desk.raised(1, customer_id="c1", occurred_at=late)
    desk.raised(1, customer_id="c1", occurred_at=late + timedelta(days=1))
    assert sorted(one.alerts for one in desk.queue()) == [1, 2]
    # Those that come at once are parted too.
    raise_alerts(desk.worker, desk.firm, 1, customer_id="c2", occurred_at=AT)
    raise_alerts(desk.worker, desk.firm, 1, customer_id="c2", occurred_at=late)
    desk.group()
    assert sorted(one.alerts for one in desk.queue()) == [1, 1, 1, 2]


def test_a_burst_is_put_into_cases_as_one_alert_after_the_other_would_be(desk: CaseDesk) -> None:
    before, _ = desk.one(1, customer_id="c1", account_id="a")
    for customer, account, days in (
        ("c1", "a", 1), ("c1", "b", 2), ("c1", "a", 30), ("c2", "a", 0), ("c2", "a", 1), (None, "c1", 0),
    ):  # fmt: skip
        raise_alerts(
            desk.worker, desk.firm, 1, customer_id=customer, account_id=account, occurred_at=AT + timedelta(days=days)
        )
    assert desk.group() == 6
    found = {one.number: one for one in desk.queue()}
    # The account that is called like a customer is not that customer.
    kinds = sorted((one.subject_kind.value, one.subject, one.alerts) for one in found.values())
    assert kinds == [("account", "c1", 1), ("customer", "c1", 1), ("customer", "c1", 3), ("customer", "c2", 2)]
    assert sorted(found) == [before.number + place for place in range(4)]
    with desk.firm.tx(desk.ana) as tx:
        told = {one.number: [entry.kind for entry in cases.detail(tx, one.id)[0].entries] for one in found.values()}
    assert told.pop(before.number) == [EntryKind.ALERT, EntryKind.OPENED]
    assert set(map(tuple, told.values())) == {(EntryKind.OPENED,)}
    desk.check()


def test_a_case_that_is_closed_takes_no_more_alerts(desk: CaseDesk) -> None:
    case, _ = desk.one(customer_id="c1")
    with desk.firm.tx(desk.ana) as tx:
        judgements.close_case(tx, case.id, case.version, AlertState.DISMISSED, "Called them.")
    desk.raised(1, customer_id="c1")
    assert [(one.number, one.alerts) for one in desk.queue()] == [(case.number + 1, 1)]
    desk.check()


def test_many_who_group_at_once_open_one_case(desk: CaseDesk) -> None:
    raise_alerts(desk.worker, desk.firm, 8, customer_id="c1")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: desk.group(), range(4)))
    desk.group()
    assert [one.alerts for one in desk.queue()] == [8]
    desk.check()


def test_the_queue_goes_by_due_time_and_expected_loss(desk: CaseDesk, clock: FixedClock) -> None:
    small, _ = desk.one(amount_usd_minor=5_000)
    large, _ = desk.one(amount_usd_minor=900_000)
    assert (large.priority, small.priority) == (Priority.URGENT, Priority.NORMAL)
    assert large.due_at == large.opened_at + STANDARD.due_minutes.after(Priority.URGENT)
    assert [one.id for one in desk.queue()] == [large.id, small.id]
    clock.advance(timedelta(hours=30))
    middling, _ = desk.one(amount_usd_minor=60_000)
    # What is long overdue is not passed over for ever.
    assert [one.id for one in desk.queue()] == [large.id, small.id, middling.id]
    assert [one.id for one in desk.queue(overdue_at=clock.now())] == [large.id, small.id]


def test_a_case_grows_more_urgent_and_never_less(desk: CaseDesk) -> None:
    desk.raised(1, customer_id="c1", amount_usd_minor=1_000)
    desk.raised(1, customer_id="c1", amount_usd_minor=500_000)
    (case,) = desk.queue()
    assert (case.priority, case.expected_loss_usd_minor, case.amount_usd_minor) == (Priority.URGENT, 250_500, 501_000)
    with desk.firm.tx(desk.ana) as tx:
        _, alerts = cases.detail(tx, case.id)
        big = max(alerts, key=lambda one: one.amount_usd.minor if one.amount_usd else 0)
        alert_service.resolve_alert(tx, big.id, AlertState.DISMISSED, "Known.", big.version)
    (case,) = desk.queue()
    assert (case.priority, case.expected_loss_usd_minor, case.open_alerts) == (Priority.URGENT, 500, 1)


def test_pages_of_the_queue_give_every_case_once(desk: CaseDesk) -> None:
    for number in range(9):
        desk.raised(1, customer_id=f"c{number}", amount_usd_minor=1_000 * (number % 3))
    for newest in (False, True):
        seen, before = [], None
        while True:
            with desk.firm.tx() as tx:
                page, before = cases.list_cases(tx, CaseFilter(limit=4, newest=newest, before=before))
            seen += [one.number for one in page]
            if before is None:
                break
        assert sorted(seen) == list(range(1, 10))


def test_two_who_take_the_next_get_two_cases(desk: CaseDesk) -> None:
    desk.raised(1, customer_id="c1", amount_usd_minor=900_000)
    desk.raised(1, customer_id="c2")

    def take(who: int) -> uuid.UUID:
        with desk.firm.tx((desk.ana, desk.budi)[who]) as tx:
            return cases.take_next(tx).id

    with ThreadPoolExecutor(2) as pool:
        taken = list(pool.map(take, range(2)))
    assert len(set(taken)) == 2
    with desk.firm.tx(desk.ana) as tx, pytest.raises(NothingToTake):
        cases.take_next(tx)


def test_skills_choose_who_gets_a_case(desk: CaseDesk) -> None:
    desk.raised(1, customer_id="c1", rules=["structuring"])
    desk.raised(1, customer_id="c2", rules=["velocity_10s"])
    ana, budi = (uuid.UUID(one.id) for one in (desk.ana, desk.budi))
    with desk.firm.tx(desk.ana) as tx:
        cases.set_analyst(tx, ana, [Typology.CARD], available=True)
        cases.set_analyst(tx, budi, [Typology.LAUNDERING], available=True)
        assert cases.take_next(tx).typology is Typology.CARD
        with pytest.raises(NothingToTake):
            cases.take_next(tx)
    with desk.firm.tx(desk.budi) as tx:
        assert cases.take_next(tx).typology is Typology.LAUNDERING


def test_cases_are_given_out_in_turn_to_who_is_there(desk: CaseDesk) -> None:
    cleo = acting(desk.firm.user())
    for number in range(6):
        desk.raised(1, customer_id=f"c{number}")
    with desk.firm.tx(desk.ana) as tx:
        cases.set_analyst(tx, uuid.UUID(cleo.id), [], available=False)
        cases.distribute(tx)
    owners = [one.assignment.assignee_id for one in desk.queue()]
    assert {str(one): owners.count(one) for one in owners} == {desk.ana.id: 3, desk.budi.id: 3}
    assert all(one.state is CaseState.INVESTIGATING for one in desk.queue())


def test_who_comes_second_is_told_who_did_what(desk: CaseDesk) -> None:
    case, _ = desk.one()
    desk.take(case)
    with (
        desk.firm.tx(desk.ana) as tx,
        pytest.raises(CaseChanged, match=r"A Person gave the case to somebody at") as told,
    ):
        cases.set_state(tx, case.id, case.version, CaseState.WAITING, "for the customer")
    assert told.value.members["changes"][0]["what"] == "assignment"
    assert told.value.members["version"] == case.version + 1


def test_an_alert_that_joined_meanwhile_is_not_closed_unseen(desk: CaseDesk) -> None:
    case, _ = desk.one(customer_id="c1")
    desk.raised(1, customer_id="c1")
    with desk.firm.tx(desk.ana) as tx, pytest.raises(CaseChanged, match="added an alert"):
        judgements.close_case(tx, case.id, case.version, AlertState.DISMISSED, "")


def test_closing_labels_every_alert_and_says_so(desk: CaseDesk) -> None:
    case, alerts = desk.one(3)
    with desk.firm.tx(desk.ana) as tx:
        with pytest.raises(CaseNotAcceptable, match="steps are not done"):
            judgements.close_case(tx, case.id, case.version, AlertState.CONFIRMED, " ")
        with pytest.raises(CaseNotAcceptable, match="no open alert of this case"):
            judgements.close_case(
                tx, case.id, case.version, AlertState.CONFIRMED, "x", otherwise={uuid.uuid4(): AlertState.DISMISSED}
            )
    with desk.firm.tx(desk.ana) as tx:
        done = judgements.close_case(
            tx, case.id, case.version, AlertState.CONFIRMED, "The customer was at home.",
            otherwise={alerts[0].id: AlertState.DISMISSED, alerts[1].id: AlertState.UNDETERMINED},
        )  # fmt: skip
        facts = list(tx.facts)
        found, _ = cases.detail(tx, case.id)
    assert (done.state, done.outcome, done.open_alerts, done.expected_loss_usd_minor) == (
        CaseState.CLOSED, Outcome.MIXED, 0, 0,
    )  # fmt: skip
    assert {one.verdict for one in found.judgements} == {"confirmed_fraud", "dismissed", "undetermined"}
    labels = {one.event_id: one.verdict for one in facts if isinstance(one, AlertResolved)}
    # Nobody could find out about one: nothing is learnt from it.
    assert labels == {alerts[0].event_id: "dismissed", alerts[2].event_id: "confirmed_fraud"}
    assert [one.outcome for one in facts if isinstance(one, CaseClosed)] == ["mixed"]
    with desk.firm.tx(desk.ana) as tx, pytest.raises(CaseIsClosed):
        judgements.close_case(tx, case.id, done.version, AlertState.DISMISSED, "again")
    desk.check()


def test_a_case_closes_with_its_last_alert(desk: CaseDesk) -> None:
    case, alerts = desk.one(2)
    for alert in alerts:
        with desk.firm.tx(desk.ana) as tx:
            alert_service.resolve_alert(tx, alert.id, AlertState.CONFIRMED, "Seen.", alert.version)
    with desk.firm.tx(desk.ana) as tx:
        found, _ = cases.detail(tx, case.id)
    assert (found.case.state, found.case.outcome) == (CaseState.CLOSED, Outcome.CONFIRMED_FRAUD)
    assert [one.kind for one in found.entries].count(EntryKind.CLOSED) == 1
    desk.check()


def test_closing_and_judging_at_once_end_in_one_verdict_for_each_alert(desk: CaseDesk) -> None:
    case, alerts = desk.one(6)

    def judge(number: int) -> bool:
        try:
            with desk.firm.tx(desk.ana) as tx:
                if number == 0:
                    judgements.close_case(tx, case.id, case.version, AlertState.CONFIRMED, "Fraud.")
                else:
                    one = alerts[number - 1]
                    alert_service.resolve_alert(tx, one.id, AlertState.DISMISSED, "", one.version)
        except (AlertAlreadyResolved, CaseChanged, CaseIsClosed):
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(judge, range(7)))
    assert any(done)
    desk.check()


def test_what_is_known_later_decides_and_nothing_is_forgotten(desk: CaseDesk, clock: FixedClock) -> None:
    clock.advance(AT + timedelta(days=2) - clock.now())
    case, (alert,) = desk.one(occurred_at=AT)
    with desk.firm.tx(desk.ana) as tx:
        judgements.close_case(tx, case.id, case.version, AlertState.DISMISSED, "Customer says it was them.")
    clock.advance(timedelta(days=30))
    with desk.firm.tx(desk.ana) as tx:
        changed = judgements.relabel(
            tx, case.id, [alert.id], AlertState.CONFIRMED, source=LabelSource.CHARGEBACK, known_at=None,
            reason="The issuer charged it back.",
        )  # fmt: skip
        assert changed.outcome is Outcome.CONFIRMED_FRAUD
        (fact,) = [one for one in tx.facts if isinstance(one, AlertResolved)]
        assert (fact.verdict, fact.source) == ("confirmed_fraud", "chargeback")
    with desk.firm.tx(desk.budi) as tx:
        # It arrives late, and was known before: it is kept, and decides nothing.
        judgements.relabel(
            tx, case.id, [alert.id], AlertState.DISMISSED, source=LabelSource.CUSTOMER,
            known_at=clock.now() - timedelta(days=10), reason="A letter that lay about.",
        )  # fmt: skip
        found, (now,) = cases.detail(tx, case.id)
    assert now.state is AlertState.CONFIRMED
    assert [(one.verdict, one.source.value) for one in found.judgements] == [
        ("confirmed_fraud", "chargeback"), ("dismissed", "customer"), ("dismissed", "analyst"),
    ]  # fmt: skip
    with desk.firm.tx(desk.ana) as tx:
        back = judgements.relabel(
            tx, case.id, [alert.id], AlertState.UNDETERMINED, source=LabelSource.ANALYST, known_at=None,
            reason="The chargeback was withdrawn.",
        )  # fmt: skip
        assert [one.verdict for one in tx.facts if isinstance(one, AlertResolved)] == ["undetermined"]
    assert back.outcome is Outcome.UNDETERMINED
    desk.check()


@pytest.mark.parametrize("wrong", ["future", "before", "reason", "stranger"])
def test_a_judgement_that_cannot_be_is_refused(desk: CaseDesk, clock: FixedClock, wrong: str) -> None:
    clock.advance(AT + timedelta(days=2) - clock.now())
    case, (alert,) = desk.one(occurred_at=AT)
    _, (stranger,) = desk.one()
    known = {"future": clock.now() + timedelta(hours=1), "before": AT - timedelta(hours=1)}.get(wrong)
    about = stranger.id if wrong == "stranger" else alert.id
    with desk.firm.tx(desk.ana) as tx, pytest.raises(CaseNotAcceptable):
        judgements.relabel(
            tx, case.id, [about], AlertState.CONFIRMED, source=LabelSource.ISSUER, known_at=known,
            reason=" " if wrong == "reason" else "They said so.",
        )  # fmt: skip


def test_a_closed_case_is_opened_again_with_its_verdicts(desk: CaseDesk) -> None:
    case, (alert,) = desk.one()
    with desk.firm.tx(desk.ana) as tx:
        closed = judgements.close_case(tx, case.id, case.version, AlertState.CONFIRMED, "Fraud.")
        again = cases.reopen(tx, case.id, closed.version, "The customer called back.")
        assert (again.state, again.outcome, again.closed_at) == (CaseState.INVESTIGATING, None, None)
        assert alert_service.get_alert(tx, alert.id).state is AlertState.CONFIRMED
        done = judgements.close_case(tx, case.id, again.version, AlertState.DISMISSED, "Nothing new.")
    # It has no open alert to judge; what was found stays.
    assert (done.state, done.outcome) == (CaseState.CLOSED, Outcome.CONFIRMED_FRAUD)
    desk.check()


def test_the_history_says_who_did_what_and_steps_are_ticked(desk: CaseDesk) -> None:
    case, _ = desk.one(rules=["new_device_high_amount"])
    assert case.typology is Typology.ACCOUNT_TAKEOVER
    with desk.firm.tx(desk.ana) as tx:
        step = case.checklist[0].id
        cases.tick(tx, case.id, step, done=True)
        found = cases.add_note(tx, case.id, "  Called the customer.\nNo answer. ")
        with pytest.raises(CaseNotAcceptable, match="no step"):
            cases.tick(tx, case.id, "no such step", done=True)
        with pytest.raises(CaseNotAcceptable, match="for whom"):
            cases.set_state(tx, case.id, found.version, CaseState.WAITING, "")
        cases.set_state(tx, case.id, found.version, CaseState.WAITING, "An answer of the customer.")
        detail, _ = cases.detail(tx, case.id)
    assert [one.kind for one in detail.entries] == [
        EntryKind.STATE, EntryKind.NOTE, EntryKind.CHECKLIST, EntryKind.OPENED,
    ]  # fmt: skip
    assert detail.entries[1].text == "Called the customer.\nNo answer."
    assert (detail.case.checklist[0].done_by, detail.case.checklist[1].done_at) == ("A Person", None)


def test_a_case_is_given_with_its_alerts_to_who_works_on_cases(desk: CaseDesk) -> None:
    case, (alert,) = desk.one(customer_id="c1")
    officer = desk.firm.user(Role.CREDIT_OFFICER)
    with desk.firm.tx(desk.ana) as tx:
        team = teams.create_team(tx, name="Night desk")
        with pytest.raises(CaseNotAcceptable, match="does not work on cases"):
            cases.assign(tx, case.id, case.version, assignee=officer.id, team=None)
        given = cases.assign(tx, case.id, case.version, assignee=uuid.UUID(desk.budi.id), team=team.id)
    with desk.firm.tx(SYSTEM) as tx:
        assert str(alert_service.get_alert(tx, alert.id).assignment.assignee_id) == desk.budi.id
    desk.raised(1, customer_id="c1")
    with desk.firm.tx(desk.budi) as tx:
        _, alerts = cases.detail(tx, given.id)
    assert {str(one.assignment.assignee_id) for one in alerts} == {desk.budi.id}
    assert desk.queue(desk.ana) == []
    with desk.firm.tx(desk.ana) as tx, pytest.raises(CaseNotFound):
        cases.get_case(tx, given.id)


def test_an_urgent_case_rings_until_none_is_left(desk: CaseDesk) -> None:

    case, _ = desk.one(amount_usd_minor=900_000)
    opened = CaseOpened(case_id="cas_" + case.id.hex, number=case.number, priority=case.priority.value)
    desk.carry_out([opened], SYSTEM)
    with desk.firm.tx(desk.ana) as tx:
        assert [one.kind for one in notifications.list_notifications(tx)[0]] == ["cases.urgent"]
        judgements.close_case(tx, case.id, case.version, AlertState.CONFIRMED, "Fraud.")
        facts = list(tx.facts)
    desk.carry_out(facts, SYSTEM)
    with desk.firm.tx(desk.ana) as tx:
        assert notifications.list_notifications(tx)[0][0].settled_at is not None


_GROUPED = st.builds(
    GroupedAlert, id=st.uuids(), state=st.sampled_from([one.value for one in AlertState]), action=st.just("block"),
    rules=st.lists(st.sampled_from(["high_amount", "structuring", "unknown"]), max_size=3),
    score=st.none() | st.floats(0, 1), amount_usd_minor=st.integers(-10_000, 10**12), occurred_at=st.just(AT),
    customer_id=st.none(), account_id=st.none(), event_id=st.just("e"),
)  # fmt: skip


@given(st.lists(_GROUPED, max_size=8), st.integers(0, 50), st.integers(0, 50))
def test_the_expected_loss_is_never_more_than_what_is_open(
    alerts: list[GroupedAlert], confirmed: int, dismissed: int
) -> None:
    judged = {"high_amount": (confirmed, confirmed + dismissed)}
    loss = expected_loss(alerts, judged)
    at_most = sum(max(0, one.amount_usd_minor) for one in alerts if one.state == "open")
    assert 0 <= loss <= at_most
    assert rank(AT, loss) <= AT
    assert rank(AT, loss + 1_000_000) <= rank(AT, loss)
    least = STANDARD.priority_from_usd
    assert list(Priority).index(least.of(loss)) <= list(Priority).index(least.of(loss + 1))


@given(st.lists(st.sampled_from([one.value for one in AlertState if one is not AlertState.OPEN]), max_size=5))
def test_every_closed_case_has_one_outcome(states: list[str]) -> None:
    assert outcome_of(states) in Outcome
    assert (outcome_of(states) is Outcome.MIXED) == (len(set(states)) > 1)
