"""What is done about cases: blocks that are undone, two people where money is let out, systems that answer."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from finer.app.job_types import Ground
from finer.app.proposals import PROPOSAL_KINDS
from finer.app.runner import Runner
from finer.app.scheduled import JOBS
from finer.decisions.errors import CaseActionChanged, CaseActionNotFound, CaseNotAcceptable, NotYourCase
from finer.decisions.service import actions, cases, judgements
from finer.decisions.types.alerts import AlertState
from finer.decisions.types.cases import ActionKind, ActionState, Case, CaseAction
from finer.decisions.types.letting_out import TwoPeople
from finer.facts.decisions import CaseActionAsked
from finer.fraud.service import lists, unblocking
from finer.fraud.types import ListEffect, ListKind, NewEntry
from finer.identity.errors import OwnProposal
from finer.identity.service import proposals
from finer.identity.types.access import Role
from finer.identity.types.proposals import Proposal, ProposalState
from finer.kit import runs
from finer.kit.actors import SYSTEM, Actor, Fact
from finer.kit.clock import FixedClock
from finer.kit.db import connect
from finer.kit.ids import show_id
from finer.kit.runs import RunState
from tests.decisions.desk import CaseDesk, acting


def ask(desk: CaseDesk, case: Case, kind: ActionKind, actor: Actor | None = None, *, nth: int = 0) -> CaseAction:
    """Ana acts on the nth alert of a case, the latest first, and what follows is done."""
    who = actor or desk.ana
    with desk.firm.tx(who) as tx:
        _, alerts = cases.detail(tx, case.id)
        made = actions.ask(tx, desk.firm.settings, PROPOSAL_KINDS, case.id, kind, alerts[nth].id, "It is not them.")
        facts = list(tx.facts)
    desk.carry_out(facts, who)
    return read(desk, made)


def undo(desk: CaseDesk, action: CaseAction, actor: Actor | None = None) -> CaseAction:
    who = actor or desk.ana
    with desk.firm.tx(who) as tx:
        settings = desk.firm.settings
        actions.undo(tx, settings, PROPOSAL_KINDS, action.case_id, action.id, action.version, "It was them.")
        facts = list(tx.facts)
    desk.carry_out(facts, who)
    return read(desk, action)


def blocked(
    desk: CaseDesk, kind: ActionKind = ActionKind.BLOCK_ACCOUNT, actor: Actor | None = None, **alert: Any
) -> CaseAction:
    """Somebody has taken a case of one payment, of 2,000 US dollars unless said otherwise, and acts on it."""
    case, _ = desk.one(**({"amount_usd_minor": 200_000} | alert))
    desk.take(case, actor)
    return ask(desk, case, kind, actor)


def read(desk: CaseDesk, action: CaseAction) -> CaseAction:
    with desk.firm.tx() as tx:
        return actions.get_action(tx, action.id)


def waiting(desk: CaseDesk) -> list[Proposal]:
    with desk.firm.tx(desk.budi) as tx:
        return proposals.waiting(tx, [actions.ACT])


def decide(desk: CaseDesk, made: Proposal, actor: Actor, *, approve: bool = True) -> None:
    with desk.firm.tx(actor) as tx:
        proposals.decide(
            tx, PROPOSAL_KINDS, made.id, approve=approve, sha256=made.payload_sha256, reason="Looked at it."
        )
        facts = list(tx.facts)
    desk.carry_out(facts, actor)


def listed(desk: CaseDesk, name: str) -> list[str]:
    with desk.firm.tx() as tx:
        if all(one.name != name for one in lists.all_lists(tx)):
            return []
        return [one.value for one in lists.entries(tx, name)]


def test_a_block_is_on_the_list_until_it_is_undone(desk: CaseDesk) -> None:
    case, (alert,) = desk.one(amount_usd_minor=10_000)
    desk.take(case)
    made = ask(desk, case, ActionKind.BLOCK_CARD)
    assert (made.state, made.result) == (ActionState.DONE, "On the list blocked_cards.")
    assert listed(desk, "blocked_cards") == [f"{alert.account_id}|4242"]
    assert ask(desk, case, ActionKind.BLOCK_ACCOUNT).state is ActionState.DONE
    with pytest.raises(CaseNotAcceptable, match="asked before"):
        ask(desk, case, ActionKind.BLOCK_CARD)
    assert undo(desk, made).state is ActionState.UNDONE
    assert listed(desk, "blocked_cards") == []
    assert listed(desk, "blocked_accounts") == [alert.account_id]
    with desk.firm.tx(desk.ana) as tx, pytest.raises(CaseActionChanged):
        actions.undo(tx, desk.firm.settings, PROPOSAL_KINDS, case.id, made.id, made.version, "Again.")
    # It was blocked for a second time by hand: undoing the first block leaves that.
    again = ask(desk, case, ActionKind.BLOCK_CARD)
    with desk.firm.tx(desk.budi) as tx:
        value = f"{alert.account_id}|4242"
        lists.put(tx, "blocked_cards", [NewEntry(value=value, reason="Another reason", source="")])
    undo(desk, again)
    assert listed(desk, "blocked_cards") == [f"{alert.account_id}|4242"]


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 0, 2)])
def test_a_card_is_blocked_as_long_as_a_case_asks_for_it_in_whatever_order_the_facts_land(
    desk: CaseDesk, order: tuple[int, ...]
) -> None:
    mark = uuid.uuid4().hex
    first, (alert,) = desk.one(amount_usd_minor=10_000, account_id=f"a-{mark}", customer_id=f"c1-{mark}")
    second, _ = desk.one(amount_usd_minor=10_000, account_id=f"a-{mark}", customer_id=f"c2-{mark}")
    desk.take(first)
    desk.take(second)
    begun: list[CaseAction] = []
    facts: list[Fact] = []
    for case in (first, second):
        with desk.firm.tx(desk.ana) as tx:
            _, alerts = cases.detail(tx, case.id)
            asked = (case.id, ActionKind.BLOCK_CARD, alerts[0].id, "It is not them.")
            begun.append(actions.ask(tx, desk.firm.settings, PROPOSAL_KINDS, *asked))
            facts += tx.facts
    with desk.firm.tx(desk.ana) as tx:
        again = read(desk, begun[1])
        actions.undo(tx, desk.firm.settings, PROPOSAL_KINDS, second.id, again.id, again.version, "It was them.")
        facts += tx.facts
    desk.carry_out([facts[place] for place in order], desk.ana)
    assert listed(desk, "blocked_cards") == [f"{alert.account_id}|4242"]
    assert [read(desk, one).state for one in begun] == [ActionState.DONE, ActionState.UNDONE]
    assert undo(desk, read(desk, begun[0])).state is ActionState.UNDONE
    assert listed(desk, "blocked_cards") == []


def test_an_undone_block_leaves_the_card_to_another_case_but_not_what_somebody_took_off(desk: CaseDesk) -> None:
    mark = uuid.uuid4().hex
    first, (alert,) = desk.one(amount_usd_minor=10_000, account_id=f"a-{mark}", customer_id=f"c1-{mark}")
    second, _ = desk.one(amount_usd_minor=10_000, account_id=f"a-{mark}", customer_id=f"c2-{mark}")
    desk.take(first)
    desk.take(second)
    value = f"{alert.account_id}|4242"
    stays, goes = ask(desk, first, ActionKind.BLOCK_CARD), ask(desk, second, ActionKind.BLOCK_CARD)
    undo(desk, goes)
    with desk.firm.tx() as tx:
        (entry,) = lists.entries(tx, "blocked_cards", value=value)
    assert (entry.source, entry.reason) == (show_id("cac", stays.id), f"Blocked in case #{first.number}.")
    another = ask(desk, second, ActionKind.BLOCK_CARD)
    with desk.firm.tx(desk.budi) as tx:
        (entry,) = lists.entries(tx, "blocked_cards", value=value)
        payload = unblocking.removal(tx, "blocked_cards", [entry.id], whole=False)
        made = proposals.propose(tx, PROPOSAL_KINDS, unblocking.UNBLOCK, payload, "It was them.")
    decide(desk, made, desk.ana)
    undo(desk, another)
    assert listed(desk, "blocked_cards") == []


def test_a_list_of_that_name_that_does_not_block_is_told(desk: CaseDesk) -> None:
    case, _ = desk.one()
    desk.take(case)
    with desk.firm.tx(desk.budi) as tx:
        lists.create(tx, "blocked_cards", ListKind.ACCOUNT, ListEffect.NONE, "")
    made = ask(desk, case, ActionKind.BLOCK_CARD)
    assert made.state is ActionState.FAILED
    assert "does not block by card" in made.result


def test_a_fact_that_comes_twice_blocks_once(desk: CaseDesk) -> None:
    case, _ = desk.one()
    desk.take(case)
    made = ask(desk, case, ActionKind.BLOCK_CARD)
    desk.carry_out([CaseActionAsked(action_id=show_id("cac", made.id), kind=made.kind.value)], SYSTEM)
    assert (read(desk, made).version, len(listed(desk, "blocked_cards"))) == (made.version, 1)


def test_b13_only_who_works_on_a_case_acts_on_it(desk: CaseDesk) -> None:
    case, _ = desk.one()
    with pytest.raises(NotYourCase):
        ask(desk, case, ActionKind.BLOCK_CARD)
    desk.take(case, desk.budi)
    with desk.firm.tx(desk.budi) as tx:
        _, alerts = cases.detail(tx, case.id)
    with desk.firm.tx(desk.ana) as tx, pytest.raises(Exception, match="There is no case"):
        actions.ask(tx, desk.firm.settings, PROPOSAL_KINDS, case.id, ActionKind.BLOCK_CARD, alerts[0].id, "Mine now.")


def test_b13_an_alert_or_action_of_another_case_is_refused(desk: CaseDesk) -> None:
    case, _ = desk.one()
    other, (foreign,) = desk.one()
    desk.take(case)
    desk.take(other)
    made = ask(desk, other, ActionKind.CONTACT_CUSTOMER)
    settings = desk.firm.settings
    with desk.firm.tx(desk.ana) as tx:
        with pytest.raises(CaseNotAcceptable, match="alert of this case"):
            actions.ask(tx, settings, PROPOSAL_KINDS, case.id, ActionKind.HOLD_PAYMENT, foreign.id, "Not mine.")
        with pytest.raises(CaseActionNotFound):
            actions.undo(tx, settings, PROPOSAL_KINDS, case.id, made.id, made.version, "Not mine.")


def test_b11_letting_much_money_out_takes_two_people(desk: CaseDesk) -> None:
    case, _ = desk.one(amount_usd_minor=600_000)
    desk.take(case)
    made = ask(desk, case, ActionKind.RELEASE_PAYMENT)
    assert made.state is ActionState.PROPOSED
    (asked,) = waiting(desk)
    with pytest.raises(OwnProposal):
        decide(desk, asked, desk.ana)
    assert read(desk, made).state is ActionState.PROPOSED
    decide(desk, asked, desk.budi)
    assert read(desk, made).state is ActionState.ASKED
    # A block is there at once, and takes two people to undo.
    block = ask(desk, case, ActionKind.BLOCK_ACCOUNT)
    assert block.state is ActionState.DONE
    assert undo(desk, block).state is ActionState.DONE
    (asked,) = waiting(desk)
    decide(desk, asked, desk.budi)
    assert read(desk, block).state is ActionState.UNDONE
    assert listed(desk, "blocked_accounts") == []


def test_b11_much_money_is_not_let_out_in_many_small_parts(desk: CaseDesk) -> None:
    case, _ = desk.one(3, amount_usd_minor=200_000)
    desk.take(case)
    states = [ask(desk, case, ActionKind.RELEASE_PAYMENT, nth=nth).state for nth in range(3)]
    assert states == [ActionState.ASKED, ActionState.ASKED, ActionState.PROPOSED]
    (asked,) = waiting(desk)
    with pytest.raises(OwnProposal):
        decide(desk, asked, desk.ana)


def test_b11_much_money_is_not_let_out_in_small_parts_over_many_cases(desk: CaseDesk, clock: FixedClock) -> None:
    def small(actor: Actor | None = None) -> CaseAction:
        case, _ = desk.one(amount_usd_minor=200_000)
        desk.take(case, actor)
        return ask(desk, case, ActionKind.RELEASE_PAYMENT, actor)

    first = [small() for _ in range(2)]
    third = small()
    assert [one.state for one in (*first, third)] == [ActionState.ASKED, ActionState.ASKED, ActionState.PROPOSED]
    assert small(desk.budi).state is ActionState.ASKED  # everybody has a sum of their own
    (asked,) = waiting(desk)
    decide(desk, asked, desk.budi)
    assert read(desk, third).state is ActionState.ASKED
    # What somebody else agreed to leaves room; what was taken back does not: it may have been paid before.
    undo(desk, first[0])
    assert small().state is ActionState.PROPOSED
    clock.advance(timedelta(hours=25))
    assert small().state is ActionState.ASKED


def test_b11_releases_of_one_moment_in_several_cases_are_summed(desk: CaseDesk) -> None:
    found = [desk.take(desk.one(amount_usd_minor=200_000)[0]) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        states = list(pool.map(lambda case: ask(desk, case, ActionKind.RELEASE_PAYMENT).state, found))
    assert states.count(ActionState.ASKED) == 2


def test_b11_blocks_are_not_undone_in_small_parts_over_many_cases(desk: CaseDesk, clock: FixedClock) -> None:
    first, second, third, later = (blocked(desk) for _ in range(4))
    assert [undo(desk, one).state for one in (first, second)] == [ActionState.UNDONE, ActionState.UNDONE]
    waits = undo(desk, third)
    assert (waits.state, waits.two_people) == (ActionState.DONE, TwoPeople.PERSON)
    with pytest.raises(CaseActionChanged, match="being asked already"):
        undo(desk, waits)
    assert third.target in listed(desk, "blocked_accounts")
    # Another door to the same money counts as well: a payment that is released, a hold that is taken back.
    case, _ = desk.one(amount_usd_minor=200_000)
    desk.take(case)
    assert ask(desk, case, ActionKind.RELEASE_PAYMENT).state is ActionState.PROPOSED
    held = blocked(desk, ActionKind.HOLD_PAYMENT)
    assert undo(desk, held).state is ActionState.ASKED
    assert undo(desk, blocked(desk, ActionKind.CONTACT_CUSTOMER)).state is ActionState.UNDONE
    asked = next(one for one in waiting(desk) if proposals.payload_of(one)["action"] == show_id("cac", third.id))
    with pytest.raises(OwnProposal):
        decide(desk, asked, desk.ana)
    with desk.firm.tx(desk.budi) as tx:
        told = {one.what: one.after for one in actions.describe_act(tx, proposals.payload_of(asked))}
    assert "in 24 hours" in told["Takes two people"]
    decide(desk, asked, desk.budi)
    done = read(desk, third)
    assert (done.state, done.two_people) == (ActionState.UNDONE, None)
    clock.advance(timedelta(hours=25))
    assert undo(desk, later).state is ActionState.UNDONE


def test_b11_the_same_money_counts_once(desk: CaseDesk) -> None:
    case, _ = desk.one(2, amount_usd_minor=100_000)
    desk.take(case)
    card, account = (ask(desk, case, one) for one in (ActionKind.BLOCK_CARD, ActionKind.BLOCK_ACCOUNT))
    for nth in range(2):
        assert ask(desk, case, ActionKind.RELEASE_PAYMENT, nth=nth).state is ActionState.ASKED
    assert [undo(desk, one).state for one in (card, account)] == [ActionState.UNDONE, ActionState.UNDONE]
    assert undo(desk, blocked(desk, amount_usd_minor=299_999)).state is ActionState.UNDONE
    assert undo(desk, blocked(desk, amount_usd_minor=1)).two_people is TwoPeople.PERSON


@pytest.mark.parametrize("same", ["customer_id", "account_id"])
def test_b11_several_people_do_not_let_much_out_to_one_customer_in_small_parts(desk: CaseDesk, same: str) -> None:
    mark = uuid.uuid4().hex
    carla = acting(desk.firm.user(Role.RISK_ANALYST))
    ends = []
    for n, who in enumerate((desk.ana, desk.budi, carla)):
        names: dict[str, Any] = {"customer_id": f"c{n}-{mark}", "account_id": f"a{n}-{mark}"} | {same: f"x-{mark}"}
        block = blocked(desk, actor=who, **names)
        with desk.firm.tx(who) as tx:
            version = cases.get_locked(tx, block.case_id).version
            judgements.close_case(tx, block.case_id, version, AlertState.DISMISSED, "It was them.")
        ends.append(undo(desk, block, who))
    assert [one.state for one in ends] == [ActionState.UNDONE, ActionState.UNDONE, ActionState.DONE]
    assert ends[2].two_people is TwoPeople.CUSTOMER
    assert undo(desk, blocked(desk, actor=carla), carla).state is ActionState.UNDONE


def test_b11_cases_that_know_of_no_customer_are_not_of_one_customer(desk: CaseDesk) -> None:
    ends = []
    for who in (desk.ana, desk.budi):
        account = f"a-{uuid.uuid4().hex}"
        desk.raised(1, customer_id=None, account_id=account, amount_usd_minor=300_000)
        case = next(one for one in desk.queue() if one.subject == account)
        desk.take(case, who)
        ends.append(ask(desk, case, ActionKind.RELEASE_PAYMENT, who).state)
    assert ends == [ActionState.ASKED, ActionState.ASKED]


def test_b11_a_release_that_was_taken_back_counts_as_its_payment_once(desk: CaseDesk, clock: FixedClock) -> None:
    case, _ = desk.one(2, amount_usd_minor=300_000)
    desk.take(case)
    for _ in range(2):
        assert undo(desk, ask(desk, case, ActionKind.RELEASE_PAYMENT)).state is ActionState.UNDONE
    clock.advance(timedelta(hours=25))
    assert ask(desk, case, ActionKind.RELEASE_PAYMENT, nth=1).two_people is TwoPeople.MUCH


def test_b11_a_hold_that_is_taken_back_counts_with_what_was_let_out_of_its_case(
    desk: CaseDesk, clock: FixedClock
) -> None:
    case, _ = desk.one(3, amount_usd_minor=200_000)
    desk.take(case)
    ask(desk, case, ActionKind.RELEASE_PAYMENT)
    holds = [ask(desk, case, ActionKind.HOLD_PAYMENT, nth=nth) for nth in (1, 2)]
    assert undo(desk, holds[0]).state is ActionState.UNDONE
    clock.advance(timedelta(hours=25))
    assert undo(desk, holds[1]).two_people is TwoPeople.MUCH


def test_b11_several_people_do_not_let_much_out_to_an_account_of_other_cases(desk: CaseDesk) -> None:
    shared, ends = f"a-{uuid.uuid4().hex}", []
    for who in (desk.ana, desk.budi):
        case, (alert,) = desk.one(amount_usd_minor=1_000)
        # The case is of the account of its first payment; the one that is let go is of another.
        desk.raised(1, customer_id=alert.customer_id, account_id=shared, amount_usd_minor=300_000)
        desk.take(next(one for one in desk.queue() if one.id == case.id), who)
        ends.append(ask(desk, case, ActionKind.RELEASE_PAYMENT, who))
    assert [one.two_people for one in ends] == [None, TwoPeople.CUSTOMER]


def test_b11_an_action_waits_as_long_as_somebody_can_decide(desk: CaseDesk, clock: FixedClock) -> None:
    def shown() -> TwoPeople | None:
        with desk.firm.tx() as tx:
            return cases.detail(tx, block.case_id)[0].actions[0].two_people

    block = blocked(desk, amount_usd_minor=600_000)
    undo(desk, block)
    (late,) = waiting(desk)
    assert shown() is TwoPeople.MUCH
    clock.advance(proposals.LIFETIME)
    assert shown() is None
    undo(desk, block)
    with desk.firm.tx(desk.ana) as tx:
        proposals.withdraw(tx, PROPOSAL_KINDS, late.id)
    assert shown() is TwoPeople.MUCH
    with desk.firm.tx(desk.ana) as tx, pytest.raises(CaseActionChanged, match="being asked already"):
        actions.undo(tx, desk.firm.settings, PROPOSAL_KINDS, block.case_id, block.id, block.version, "Again.")


def test_b11_what_nobody_decided_on_is_told_in_its_case_and_can_be_asked_for_again(
    desk: CaseDesk, clock: FixedClock
) -> None:
    case, _ = desk.one(amount_usd_minor=600_000)
    desk.take(case)
    release = ask(desk, case, ActionKind.RELEASE_PAYMENT)
    block = blocked(desk, amount_usd_minor=600_000)
    undo(desk, block)
    clock.advance(proposals.LIFETIME)
    with desk.worker.transaction(desk.firm.tenant.id, SYSTEM) as tx:
        due = proposals.overdue(tx)
        assert [proposals.expire(tx, PROPOSAL_KINDS, one) for one in (*due, *due)] == [True, True, False, False]
        assert proposals.overdue(tx) == []
    assert (read(desk, release).state, read(desk, block).state) == (ActionState.EXPIRED, ActionState.DONE)
    with desk.firm.tx() as tx:
        told = [cases.detail(tx, one.case_id)[0].entries[0].detail["step"] for one in (release, block)]
    assert told == ["expired", "undo_expired"]
    assert ask(desk, case, ActionKind.RELEASE_PAYMENT).state is ActionState.PROPOSED
    undo(desk, block)
    assert len(waiting(desk)) == 2


def test_b11_a_proposal_that_cannot_be_closed_leaves_the_others_to_be_closed(
    desk: CaseDesk, clock: FixedClock, database_url: str
) -> None:
    tenant = desk.firm.tenant.id
    for _ in range(2):
        case, _ = desk.one(amount_usd_minor=600_000)
        desk.take(case)
        ask(desk, case, ActionKind.RELEASE_PAYMENT)
    newer, oldest = sorted(waiting(desk), key=lambda one: one.id, reverse=True)
    with connect(database_url) as owner:
        unreadable = "update identity_proposals set payload = '{}', payload_sha256 = sha256('{}') where id = %s"
        owner.execute(unreadable, (oldest.id,))
    clock.advance(proposals.LIFETIME)
    with desk.worker.transaction(tenant, SYSTEM) as tx:
        asked = runs.start(tx, "expire_proposals")
    assert asked is not None
    Runner(Ground(desk.worker, database_url, desk.firm.settings), JOBS).run(tenant, asked)
    with desk.worker.transaction(tenant, SYSTEM) as tx:
        run = runs.get(tx, asked)
        assert proposals.overdue(tx) == [oldest.id]
        assert proposals.get_proposal(tx, PROPOSAL_KINDS, newer.id).state is ProposalState.EXPIRED
    assert run is not None
    assert (run.state, run.error.partition(" that")[0]) == (RunState.FAILED, "1 of 2 proposals")
    assert [line for line in run.lines if proposals.shown_id(oldest) in line]


def test_b11_proposals_that_cannot_be_closed_do_not_keep_younger_ones_waiting(
    desk: CaseDesk, clock: FixedClock, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = desk.firm.tenant.id
    for _ in range(5):
        case, _ = desk.one(amount_usd_minor=600_000)
        desk.take(case)
        ask(desk, case, ActionKind.RELEASE_PAYMENT)
    *broken, fourth, youngest = sorted(one.id for one in waiting(desk))
    with connect(database_url) as owner:
        unreadable = "update identity_proposals set payload = '{}', payload_sha256 = sha256('{}') where id = any(%s)"
        owner.execute(unreadable, (broken,))
    clock.advance(proposals.LIFETIME)
    monkeypatch.setattr(proposals, "_LISTED_MAX", 2)  # a look takes fewer than there are broken ones
    looks = []
    for _ in range(4):
        with desk.worker.transaction(tenant, SYSTEM) as tx:
            looks.append(proposals.overdue(tx))
            asked = runs.start(tx, "expire_proposals")
        assert asked is not None
        Runner(Ground(desk.worker, database_url, desk.firm.settings), JOBS).run(tenant, asked)
        clock.advance(timedelta(minutes=1))
    # The first two look at each once, those behind them at what could not be closed, in turn.
    assert looks == [broken[:2], [broken[2], fourth], [youngest, broken[0]], [broken[1], broken[2]]]
    with desk.worker.transaction(tenant, SYSTEM) as tx:
        states = [proposals.get_proposal(tx, PROPOSAL_KINDS, one).state for one in (fourth, youngest, *broken)]
    assert states == [ProposalState.EXPIRED] * 2 + [ProposalState.WAITING] * 3


def test_b11_blocks_that_are_undone_in_one_moment_are_summed(desk: CaseDesk) -> None:
    found = [blocked(desk) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        states = list(pool.map(lambda one: undo(desk, one).state, found))
    assert states.count(ActionState.UNDONE) == 2


def test_b11_what_nobody_lets_out_stays_blocked(desk: CaseDesk) -> None:
    much = blocked(desk, amount_usd_minor=600_000)
    unknown = blocked(desk, amount_usd_minor=None)
    assert [undo(desk, one).two_people for one in (much, unknown)] == [TwoPeople.MUCH, TwoPeople.UNKNOWN]
    for one in waiting(desk):
        decide(desk, one, desk.budi, approve=False)
    assert [(read(desk, one).state, read(desk, one).two_people) for one in (much, unknown)] == [
        (ActionState.DONE, None), (ActionState.DONE, None),
    ]  # fmt: skip


def test_b11_a_payment_whose_worth_nobody_knows_is_not_let_out_by_one(desk: CaseDesk) -> None:
    case, _ = desk.one(amount_usd_minor=None)
    desk.take(case)
    assert ask(desk, case, ActionKind.RELEASE_PAYMENT).state is ActionState.PROPOSED


def test_b11_a_block_in_a_case_that_has_grown_takes_two_people_to_undo(desk: CaseDesk) -> None:
    case, (alert,) = desk.one(amount_usd_minor=1_000)
    desk.take(case)
    block = ask(desk, case, ActionKind.BLOCK_ACCOUNT)
    desk.raised(1, customer_id=alert.customer_id, account_id=alert.account_id, amount_usd_minor=600_000)
    assert undo(desk, block).state is ActionState.DONE
    (asked,) = waiting(desk)
    decide(desk, asked, desk.budi)
    assert read(desk, block).state is ActionState.UNDONE


def test_b11_what_nobody_approves_is_not_done(desk: CaseDesk) -> None:
    case, _ = desk.one(amount_usd_minor=600_000)
    desk.take(case)
    made = ask(desk, case, ActionKind.RELEASE_PAYMENT)
    (asked,) = waiting(desk)
    decide(desk, asked, desk.budi, approve=False)
    assert (read(desk, made).state, read(desk, made).result) == (ActionState.FAILED, "It was not approved.")
    small, _ = desk.one(amount_usd_minor=499_999)
    desk.take(small)
    assert ask(desk, small, ActionKind.RELEASE_PAYMENT).state is ActionState.ASKED


def test_g02_a_payment_is_let_out_once_however_many_ask_at_once(desk: CaseDesk) -> None:
    case, (alert,) = desk.one()
    desk.take(case)

    def attempt(_: int) -> bool:
        try:
            ask(desk, case, ActionKind.RELEASE_PAYMENT)
        except CaseNotAcceptable:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(12))) == 1
    with desk.firm.tx() as tx:
        assert [one.target for one in actions.asked_elsewhere(tx, 10, None)] == [alert.event_id]


def test_systems_of_the_firm_fetch_what_is_asked_and_answer(desk: CaseDesk) -> None:
    case, (alert,) = desk.one()
    desk.take(case)
    held = ask(desk, case, ActionKind.HOLD_PAYMENT)
    blocked = ask(desk, case, ActionKind.BLOCK_CARD)
    with desk.firm.tx() as tx:
        assert [(one.id, one.target) for one in actions.asked_elsewhere(tx, 10, None)] == [(held.id, alert.event_id)]
        done = actions.settle_elsewhere(tx, held.id, done=True, result="Held.")
        assert (done.state, done.result) == (ActionState.DONE, "Held.")
        assert actions.settle_elsewhere(tx, held.id, done=True, result="Held.") == done
        with pytest.raises(CaseActionChanged):
            actions.settle_elsewhere(tx, held.id, done=False, result="")
        with pytest.raises(CaseActionNotFound):
            actions.settle_elsewhere(tx, blocked.id, done=True, result="")
        assert actions.asked_elsewhere(tx, 10, None) == []


def test_a_payment_that_names_no_card_has_none_to_block(desk: CaseDesk) -> None:
    case, _ = desk.one(card_last4=None)
    desk.take(case)
    with pytest.raises(CaseNotAcceptable, match="names none"):
        ask(desk, case, ActionKind.BLOCK_CARD)
    with desk.firm.tx(desk.ana) as tx:
        closed = judgements.close_case(tx, case.id, desk.queue()[0].version, AlertState.DISMISSED, "Fine.")
    assert msgspec.structs.asdict(closed)["open_alerts"] == 0
