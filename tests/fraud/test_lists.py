"""Lists: what they do by themselves, rules that ask them, files, expiry, and two people for what allows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.app.proposals import PROPOSAL_KINDS
from finer.fraud.errors import ListInUse, ListNotAcceptable, ListNotFound
from finer.fraud.service import lists, unblocking
from finer.fraud.types import ListEffect, ListKind, NewEntry
from finer.identity.errors import OwnProposal
from finer.identity.service import proposals
from finer.identity.types.proposals import Proposal
from finer.kit.clock import FixedClock
from finer.kit.db import WORKER, Database
from finer.kit.hash_set import HashSet
from tests.fraud.desk import Desk, acting, payment, text
from tests.identity.conftest import clock, clocked, firm, other_firm, settings
from tests.support.identity import Firm

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]
_WORDS = st.integers(0, 40) | st.integers(0, 2**64 - 1)


def make(desk: Desk, name: str, kind: ListKind, effect: ListEffect, *values: str) -> None:
    """A list with entries."""
    with desk.firm.tx(desk.writer) as tx:
        lists.create(tx, name, kind, effect, "")
        if values:
            lists.put(tx, name, [NewEntry(value=one, reason="seen before", source="") for one in values])


def allow(desk: Desk, name: str, *values: str) -> None:
    """Entries on a list that allows, by two people."""
    with desk.firm.tx(desk.writer) as tx:
        new = [NewEntry(value=one, reason="known well", source="") for one in values]
        made = proposals.propose(tx, PROPOSAL_KINDS, lists.ALLOW, lists.allowance(tx, name, new), "They are good.")
    with pytest.raises(OwnProposal):
        desk.approve(made, desk.writer)
    desk.approve(made)


@given(st.lists(_WORDS, max_size=60), st.lists(_WORDS, max_size=60))
def test_a_hash_set_says_what_a_set_says(members: list[int], asked: list[int]) -> None:
    found = HashSet(np.array(members, np.uint64))
    expected = [one != 0 and one in set(members) for one in asked]
    assert found.holds(np.array(asked, np.uint64)).tolist() == expected


def test_values_that_aim_at_one_slot_are_all_found() -> None:
    crowd = (np.arange(1, 200, dtype=np.uint64) << np.uint64(32)) | np.uint64(7)
    assert HashSet(crowd).holds(crowd).all()
    assert not HashSet(crowd).holds(crowd + np.uint64(1 << 60)).any()


@pytest.mark.parametrize(
    ("kind", "value", "changes"),
    [
        (ListKind.ACCOUNT, "bad", {"account_id": "bad"}),
        (ListKind.ACCOUNT, "mule", {"type": "transfer", "counterparty_id": "mule"}),
        (ListKind.CARD, "a9|4242", {"account_id": "a9", "card_last4": "4242"}),
        (ListKind.COUNTRY, "KP", {"merchant_country": "KP"}),
        (ListKind.CUSTOMER, "c-bad", {"customer_id": "c-bad"}),
        (ListKind.DEVICE, "rooted", {"device_id": "rooted"}),
        (ListKind.MERCHANT, "m-bad", {"merchant_id": "m-bad"}),
    ],
)
def test_what_is_on_a_block_list_is_blocked(desk: Desk, kind: ListKind, value: str, changes: dict[str, Any]) -> None:
    make(desk, "bad_ones", kind, ListEffect.BLOCK, value, "nobody|0000" if kind is ListKind.CARD else "QQ")
    desk.send([payment(1), payment(2, **changes)])
    desk.work()
    (alert,) = desk.alerts().values()
    assert (alert.event_id, alert.action) == ("e2", "block")
    assert alert.verdict.reasons == [f"The {kind.value} is on the list bad_ones: what is on it is blocked."]


def test_what_is_allowed_overrides_rules_and_blocks_but_no_final_block(desk: Desk) -> None:
    make(desk, "good_accounts", ListKind.ACCOUNT, ListEffect.ALLOW)
    make(desk, "bad_devices", ListKind.DEVICE, ListEffect.BLOCK, "rooted")
    make(desk, "sanctioned", ListKind.COUNTRY, ListEffect.FINAL_BLOCK, "KP")
    allow(desk, "good_accounts", "good")
    desk.send(
        [
            payment(1, 2000, account_id="good"),
            payment(2, 20, account_id="good", device_id="rooted"),
            payment(3, 20, account_id="good", merchant_country="KP", channel="web"),
            payment(4, 2000),
        ]
    )
    desk.work()
    assert {one.event_id: one.action for one in desk.alerts().values()} == {"e3": "block", "e4": "review"}
    held = [rules for _, rules, _ in desk.lake.decided().values()]
    assert "high_amount" in held[0]
    assert "list:good_accounts" in held[0]


def test_a_rule_asks_a_list_and_keeps_it_from_being_deleted(desk: Desk) -> None:
    make(desk, "risky_shops", ListKind.MERCHANT, ListEffect.NONE, "m9")
    desk.live("risky", text("in_list(merchant_id, 'risky_shops') and amount_usd > 10"))
    desk.send([payment(1, 50), payment(2, 50, merchant_id="m9"), payment(3, 5, merchant_id="m9")])
    desk.work()
    assert list(desk.alerts()) == ["e2"]
    with desk.firm.tx(desk.writer) as tx:
        with pytest.raises(ListInUse, match="risky"):
            lists.delete(tx, "risky_shops")
        entry = lists.entries(tx, "risky_shops")[0]
        assert lists.take_off(tx, "risky_shops", entry.id).entries == 0
    desk.send([payment(4, 50, merchant_id="m9")])
    desk.work()
    assert list(desk.alerts()) == ["e2"]
    desk.start()  # what was decided with the list as it was is decided so again
    desk.work()
    assert [held for _, held, _ in desk.lake.decided().values()] == [[], ["risky"], [], []]


def test_entries_end_when_their_time_is_over(desk: Desk, clock: FixedClock, database_url: str) -> None:
    make(desk, "bad_shops", ListKind.MERCHANT, ListEffect.BLOCK)
    with desk.firm.tx(desk.writer) as tx:
        until = clock.now() + timedelta(hours=1)
        lists.put(tx, "bad_shops", [NewEntry(value="m9", reason="for now", source="", expires_at=until)])
    worker = Database(database_url, WORKER, connections=1, clock=clock)
    clock.advance(timedelta(hours=2))
    with worker.transaction(desk.firm.tenant.id, desk.writer) as tx:
        assert lists.take_off_expired(tx) == 1
        assert lists.take_off_expired(tx) == 0
    worker.close()
    desk.send([payment(1, merchant_id="m9")])
    desk.work()
    assert desk.alerts() == {}


def unblock(desk: Desk, name: str, *values: str, whole: bool = False) -> Proposal:
    """What the writer proposes to take off a list that blocks."""
    with desk.firm.tx(desk.writer) as tx:
        chosen = [lists.entries(tx, name, value=one)[0].id for one in values]
        payload = unblocking.removal(tx, name, chosen, whole=whole)
        return proposals.propose(tx, PROPOSAL_KINDS, unblocking.UNBLOCK, payload, "It was a mistake.")


@pytest.mark.parametrize("effect", [ListEffect.BLOCK, ListEffect.FINAL_BLOCK])
def test_b11_what_a_list_blocks_is_let_through_by_two_people(desk: Desk, effect: ListEffect) -> None:
    make(desk, "bad_shops", ListKind.MERCHANT, effect, "m1", "m2", "m3")
    with desk.firm.tx(desk.writer) as tx, pytest.raises(ListNotAcceptable, match="takes two people"):
        lists.take_off(tx, "bad_shops", lists.entries(tx, "bad_shops")[0].id)
    made = unblock(desk, "bad_shops", "m1", "m2")
    with desk.firm.tx(desk.writer) as tx:
        shown = unblocking.describe_unblock(tx, proposals.payload_of(made))
        assert [(one.what, one.before, one.after) for one in shown] == [
            ("Blocked merchant", "\u2026m1: seen before", "let through"),
            ("Blocked merchant", "\u2026m2: seen before", "let through"),
        ]  # fmt: skip
    with pytest.raises(OwnProposal):
        desk.approve(made, desk.writer)
    again = unblock(desk, "bad_shops", "m1")
    desk.approve(made)
    with pytest.raises(ListNotFound, match="taken off before"):
        desk.approve(again)
    desk.send([payment(1, merchant_id="m1"), payment(2, merchant_id="m3")])
    desk.work()
    assert list(desk.alerts()) == ["e2"]


def test_b11_a_block_is_neither_shortened_nor_replaced_nor_deleted_by_one_person(desk: Desk, clock: FixedClock) -> None:
    make(desk, "bad_shops", ListKind.MERCHANT, ListEffect.BLOCK, "m1", "m2")
    soon, later = clock.now() + timedelta(minutes=1), clock.now() + timedelta(days=9)
    again = NewEntry(value="m1", reason="another reason", source="", expires_at=soon)
    with desk.firm.tx(desk.writer) as tx:
        for attempt in (
            lambda: lists.put(tx, "bad_shops", [again]),
            lambda: lists.load_file(
                tx, "bad_shops", f"value,expires_at\nm1,{soon}", reason="why", source="", replace=False
            ),
            lambda: lists.load_file(tx, "bad_shops", "value\nm1", reason="why", source="", replace=True),
            lambda: lists.delete(tx, "bad_shops"),
        ):
            with pytest.raises(ListNotAcceptable, match="two people"):
                attempt()
        # What blocks as long or longer takes nobody else, nor does a file that has all of it.
        new = NewEntry(value="m9", reason="for now", source="", expires_at=soon)
        assert lists.put(tx, "bad_shops", [msgspec.structs.replace(again, expires_at=None), new]).entries == 3
        assert lists.put(tx, "bad_shops", [msgspec.structs.replace(new, expires_at=later)]).entries == 3
        every = f"value,expires_at\nm1,\nm2,\nm9,{later}\nm4,{soon}"
        assert lists.load_file(tx, "bad_shops", every, reason="why", source="", replace=True).entries == 4
    desk.approve(unblock(desk, "bad_shops", whole=True))
    with desk.firm.tx(desk.writer) as tx:
        assert lists.all_lists(tx) == []


def test_b11_a_removal_names_entries_or_the_whole_list_of_one_that_blocks(desk: Desk) -> None:
    make(desk, "bad_shops", ListKind.MERCHANT, ListEffect.BLOCK, "m1")
    make(desk, "asked_shops", ListKind.MERCHANT, ListEffect.NONE, "m1")
    with desk.firm.tx(desk.writer) as tx:
        (blocked,), (listed,) = (lists.entries(tx, name) for name in ("bad_shops", "asked_shops"))
        for name, entries, whole in (
            ("bad_shops", [], False), ("bad_shops", [blocked.id], True), ("asked_shops", [listed.id], False),
        ):  # fmt: skip
            with pytest.raises(ListNotAcceptable):
                unblocking.removal(tx, name, entries, whole=whole)
        with pytest.raises(ListNotFound):
            unblocking.removal(tx, "bad_shops", [listed.id], whole=False)


def test_a_file_is_taken_whole_or_not_at_all(desk: Desk) -> None:
    make(desk, "bad_shops", ListKind.MERCHANT, ListEffect.NONE, "m0")
    with desk.firm.tx(desk.writer) as tx:
        many = "value\n" + "\n".join(f"m{number}" for number in range(5_000))
        assert lists.load_file(tx, "bad_shops", many, reason="from the bank", source="", replace=False).entries == 5_000
        two = 'value,reason,expires_at\nm1,"a, b",2030-01-01\nm2,,\n'
        assert lists.load_file(tx, "bad_shops", two, reason="a reason", source="x", replace=True).entries == 2
        found = {one.value: (one.reason, one.expires_at is not None) for one in lists.entries(tx, "bad_shops")}
        assert found == {"m1": ("a, b", True), "m2": ("a reason", False)}
        for bad, line in (
            ("", 1), ("name\nm1", 1), ("value,value\n1,2", 1), ("value\nm1,m2", 2), ("value\n\u0007", 2),
            ("value,expires_at\nm1,soon", 2), ("value\nm1\n" + "x" * 200, 3), ('value\n"m1', 2),
            ("value,expires_at\nm1,2001-01-01", 2),
        ):  # fmt: skip
            with pytest.raises(ListNotAcceptable) as error:
                lists.load_file(tx, "bad_shops", bad, reason="a reason", source="", replace=True)
            assert error.value.members["line"] == line, bad
        assert lists.get_list(tx, "bad_shops").entries == 2


def test_what_allows_takes_two_people_and_what_was_rejected_is_gone(desk: Desk) -> None:
    make(desk, "good_accounts", ListKind.ACCOUNT, ListEffect.ALLOW)
    new = [NewEntry(value="good", reason="known well", source="")]
    with desk.firm.tx(desk.writer) as tx:
        with pytest.raises(ListNotAcceptable, match="two people"):
            lists.put(tx, "good_accounts", new)
        with pytest.raises(ListNotAcceptable, match="two people"):
            lists.load_file(tx, "good_accounts", "value\ngood", reason="known well", source="", replace=False)
        payload = lists.allowance(tx, "good_accounts", new)
        made = proposals.propose(tx, PROPOSAL_KINDS, lists.ALLOW, payload, "They are good.")
        assert 'good"' not in made.payload
        assert lists.entries(tx, "good_accounts") == []
    with desk.firm.tx(desk.checker) as tx:
        sha256 = made.payload_sha256
        proposals.decide(tx, PROPOSAL_KINDS, made.id, approve=False, sha256=sha256, reason="I know better.")
        with pytest.raises(ListNotAcceptable, match="do not wait"):
            lists.execute_allow(tx, payload)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ListKind.CARD, "4242"), (ListKind.CARD, "a|42"), (ListKind.COUNTRY, "Philippines"), (ListKind.MERCHANT, ""),
        (ListKind.MERCHANT, "m\n1"), (ListKind.DEVICE, "x" * 129),
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_is_refused(desk: Desk, kind: ListKind, value: str) -> None:
    make(desk, "some", kind, ListEffect.NONE)
    with desk.firm.tx(desk.writer) as tx, pytest.raises(ListNotAcceptable):
        lists.put(tx, "some", [NewEntry(value=value, reason="a reason", source="")])


def test_a_firm_sees_no_list_of_another(desk: Desk, other_firm: Firm) -> None:
    make(desk, "bad_shops", ListKind.MERCHANT, ListEffect.BLOCK, "m9")
    with other_firm.tx(acting(other_firm)) as tx:
        assert lists.all_lists(tx) == []
        with pytest.raises(ListNotFound):
            lists.entries(tx, "bad_shops")
