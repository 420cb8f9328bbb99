"""Plaid: what the log adds up to is what Plaid says, however often, in whatever order and with whatever faults."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.kit.db import Database
from finer.kit.outbound import Outbound
from finer.sources.errors import SettingsInvalid
from finer.sources.rules.plaid import Book, Update, keys_of
from finer.sources.service import manage, opening
from finer.sources.types import Credentials, PlaidItem, PlaidSettings, Source, State
from tests.sources.conftest import Desk, made_desk
from tests.support.plaid import MUTATED, Bank, problem, serving, transaction

CREDENTIALS = Credentials(
    user="client", secret="good-secret",
    items=[PlaidItem(customer_id="C1", access_token="access-1"), PlaidItem(customer_id="C2", access_token="access-2")],
)  # fmt: skip
ONE = msgspec.structs.replace(CREDENTIALS, items=CREDENTIALS.items[:1])


@pytest.fixture
def bank() -> Iterator[Bank]:
    with serving() as found:
        yield found


@pytest.fixture
def desk(bank: Bank, database: Database, database_url: str, data_path: Path, tmp_path: Path) -> Desk:
    return made_desk(database, database_url, data_path, tmp_path, bank.address.removeprefix("http://"))


def _source(desk: Desk, bank: Bank, page: int = 500, credentials: Credentials = ONE) -> Source:
    return desk.add(PlaidSettings(address=bank.address, page=page), credentials=credentials)


def _sum(records: list[dict[str, Any]]) -> int:
    return sum((-1 if one["type"] in ("refund", "deposit") else 1) * one["amount_minor"] for one in records)


def test_added_modified_and_removed_become_movements(desk: Desk, bank: Bank) -> None:
    bank.add(transaction("t1", 12.34), transaction("t2", 100), transaction("t3", -50.5), transaction("t4", 0))
    source = _source(desk, bank)
    now = desk.sweep(source)
    assert (now.accepted, now.quarantined) == (3, 0)
    first, *_ = desk.logged()
    assert first["event_id"] == "plaid-t1-0"
    assert (first["amount_minor"], first["type"], first["customer_id"]) == (1234, "purchase", "C1")
    assert (first["merchant_city"], first["merchant_country"], first["channel"]) == ("San Francisco", "US", "pos")
    assert first["occurred_at"].isoformat() == "2026-11-20T10:34:50+00:00"
    bank.modify(transaction("t1", 15), transaction("t2", 100, name="other words"))
    bank.remove("t2", "t-unknown")
    desk.sweep(source)
    assert [(one["event_id"], one["type"], one["status"], one["amount_minor"]) for one in desk.logged()[3:]] == [
        ("plaid-t1-1", "purchase", "settled", 266), ("plaid-t2-1", "refund", "reversed", 10_000),
    ]  # fmt: skip
    desk.sweep(source, 3)
    assert _sum(desk.logged()) == 1500 - 5050


def test_a_pending_transaction_that_is_posted_counts_once(desk: Desk, bank: Bank) -> None:
    bank.add(transaction("p1", 20, pending=True), transaction("p2", 30, pending=True))
    source = _source(desk, bank)
    desk.sweep(source)
    assert [one["status"] for one in desk.logged()] == ["authorized", "authorized"]
    # Posted with the same amount, and with a tip; the pending ones are removed in the same update.
    bank.add(transaction("t1", 20, pending_transaction_id="p1"), transaction("t2", 36, pending_transaction_id="p2"))
    bank.remove("p1", "p2")
    desk.sweep(source)
    assert [(one["event_id"], one["amount_minor"]) for one in desk.logged()[2:]] == [("plaid-p2-1", 600)]
    bank.modify(transaction("t1", 21, pending_transaction_id="p1"))
    bank.remove("t2")
    desk.sweep(source)
    assert _sum(desk.logged()) == 2100


def test_pages_links_and_repetitions(desk: Desk, bank: Bank) -> None:
    bank.add(*(transaction(f"t{number}", number) for number in range(1, 8)))
    source = _source(desk, bank, page=3, credentials=CREDENTIALS)
    now = desk.sweep(source)
    assert (now.accepted, now.lag) == (14, 0)
    assert {asked["access_token"] for asked in bank.asked} == {"access-1", "access-2"}
    # Told from the start again: the same transactions, and no movement.
    with desk.firm.tx() as tx:
        manage.backfill(tx, source.id, "")
    assert desk.sweep(source).accepted == 14
    assert _sum(desk.logged()) == 2 * sum(range(1, 8)) * 100


def test_a_list_that_changes_while_it_is_read_is_read_again_from_its_first_page(desk: Desk, bank: Bank) -> None:
    bank.add(*(transaction(f"t{number}", 1) for number in range(6)))
    changed: list[int] = []

    def change(found: Bank) -> None:
        if not changed:
            changed.append(1)
            found.faults.append(MUTATED)
            found.changes[0] = ("added", transaction("t0", 5))

    bank.after_page = change
    source = _source(desk, bank, page=2)
    desk.sweep(source)
    assert [asked.get("cursor") for asked in bank.asked] == [None, "2", None, "2", "4"]
    assert _sum(desk.logged()) == 1000
    bank.faults += [MUTATED] * 10
    bank.add(transaction("t9", 1))
    assert desk.sweep(source).state is State.FAILING


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (problem(429, "RATE_LIMIT_EXCEEDED"), "slow down"), ((500, b"<html>"), "answered 500"), ((0, b""), "could not"),
        ((200, b"{"), "cannot be read"), (problem(400, "ITEM_LOGIN_REQUIRED"), "link the bank again"),
        ((200, b"[" * 100_000), "cannot be read"), ((302, b""), "redirect"),
    ],
)  # fmt: skip
def test_faults_are_told_tried_again_and_hold_back_nobody_else(
    desk: Desk, bank: Bank, fault: tuple[int, bytes], said: str
) -> None:
    bank.add(transaction("t1", 1))
    source = _source(desk, bank, credentials=CREDENTIALS)
    bank.faults.append(fault)
    now = desk.sweep(source)
    assert (now.state, now.accepted) == (State.FAILING, 1)
    assert said in now.error
    assert "good-secret" not in now.error
    now = desk.sweep(source)
    assert (now.state, now.accepted, now.error) == (State.RUNNING, 2, "")


def test_slow_answers_end(bank: Bank) -> None:
    bank.faults.append((-1, b"{}"))
    outbound = Outbound([bank.address.removeprefix("http://")], timeout_s=0.2)
    with pytest.raises(Exception, match="could not be asked"):
        outbound.post_json(f"{bank.address}/transactions/sync", b'{"count": 1}')


def test_wrong_keys_stop_the_source_until_somebody_changes_them(desk: Desk, bank: Bank) -> None:
    source = _source(desk, bank, credentials=msgspec.structs.replace(ONE, secret="bad"))
    now = desk.sweep(source)
    assert now.state is State.STOPPED
    assert "INVALID_API_KEYS" in now.error
    with desk.firm.tx() as tx:
        manage.change(
            tx, desk.reach, source.id, name=source.name, contract="transaction", mapping="", settings=source.settings,
            credentials=ONE,
        )  # fmt: skip
    assert desk.sweep(source).state is State.RUNNING


def test_a_look_shows_the_first_transactions(desk: Desk, bank: Bank) -> None:
    bank.add(*(transaction(f"t{number}", 1) for number in range(100)))
    source = _source(desk, bank)
    found = opening.try_out(source, ONE, desk.surroundings())
    assert found.accepted == 20
    assert desk.logged() == []


def test_e01_plaid_s_address_is_guarded(desk: Desk, bank: Bank) -> None:
    for address in (
        "http://production.plaid.com",
        "https://u:p@production.plaid.com",
        "https://production.plaid.com:22",
    ):
        with pytest.raises(SettingsInvalid):
            desk.add(PlaidSettings(address=address), credentials=ONE)
    source = desk.add(PlaidSettings(address="https://127.0.0.1"), credentials=ONE)
    now = desk.sweep(source)
    assert now.state is State.FAILING
    assert "inside a network" in now.error


_AMOUNTS = st.integers(-500, 500).map(lambda cents: Decimal(cents) / 100)


@st.composite
def _histories(draw: st.DrawFn) -> tuple[list[list[tuple[str, dict[str, Any]]]], dict[str, Decimal]]:
    """Changes of some transactions in order, cut into pages of which some come twice, and what they end with."""
    changes: list[tuple[str, dict[str, Any]]] = []
    final: dict[str, Decimal] = {}
    for number in range(draw(st.integers(1, 4))):
        pending = draw(st.booleans())
        amount = draw(_AMOUNTS)
        steps = [("added", transaction(f"p{number}", amount, pending=pending))]
        current = f"p{number}"
        if pending and draw(st.booleans()):
            amount = draw(st.one_of(st.just(amount), _AMOUNTS))
            current = f"t{number}"
            posted = ("added", transaction(current, amount, pending_transaction_id=f"p{number}"))
            gone = ("removed", {"transaction_id": f"p{number}"})
            steps += [posted, gone] if draw(st.booleans()) else [gone, posted]
        for amount in draw(st.lists(_AMOUNTS, max_size=3)):
            before = f"p{number}" if current.startswith("t") else None
            pending_still = pending and current.startswith("p")
            steps.append(
                ("modified", transaction(current, amount, pending=pending_still, pending_transaction_id=before))
            )
        if draw(st.booleans()):
            steps.append(("removed", {"transaction_id": current}))
            amount = Decimal(0)
        final[str(number)] = amount if steps[-1][0] == "removed" else Decimal(str(steps[-1][1].get("amount", 0)))
        if steps[-1] == ("removed", {"transaction_id": f"p{number}"}) and current.startswith("t"):
            final[str(number)] = Decimal(str(steps[-2][1]["amount"]))
        changes += steps
    pages = [changes[at : at + 2] for at in range(0, len(changes), 2)]
    repeated = [page for page in pages for _ in range(draw(st.integers(1, 2)))]
    return repeated, final


@given(_histories())
def test_whatever_happens_the_records_add_up_to_what_plaid_says(history: Any) -> None:
    pages, final = history
    stored: dict[str, bytes] = {}
    records: list[dict[str, Any]] = []
    for page in pages:
        document = {kind: [one for what, one in page if what == kind] for kind in ("added", "modified", "removed")}
        whole = document | {"next_cursor": "c", "has_more": False}
        body = msgspec.json.Encoder(decimal_format="number").encode(whole)
        update = msgspec.json.decode(body, type=Update)
        book = Book({key: stored[key] for key in keys_of(update) if key in stored}, "C")
        book.learn({key: stored[key] for key in book.roots() if key in stored})
        book.take(update)
        stored |= book.changed
        records += book.records
    sums: dict[str, Decimal] = {}
    for one in records:
        number = one["event_id"].split("-")[1][1:]
        sign = -1 if one["type"] in ("refund", "deposit") else 1
        sums[number] = sums.get(number, Decimal(0)) + sign * Decimal(one["amount"])
        assert Decimal(one["amount"]) > 0
    assert {number: sums.get(number, Decimal(0)) for number in final} == final
    assert len({one["event_id"] for one in records}) == len(records)


def test_plaid_that_promises_the_same_page_for_ever_is_left(desk: Desk, bank: Bank) -> None:
    document = {"added": [], "modified": [], "removed": [], "next_cursor": "0", "has_more": True}
    bank.faults += [(200, msgspec.json.encode(document)), (200, msgspec.json.encode(document))]
    source = _source(desk, bank)
    now = desk.sweep(source)
    assert now.state is State.FAILING
    assert "same cursor" in now.error
