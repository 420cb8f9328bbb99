"""Receipts and quarantine in a real PostgreSQL: everything is accounted for, for its own tenant only."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from finer.ingest import invariants
from finer.ingest.errors import Laborious
from finer.ingest.service import activity, contracts, parsing, quarantine, receipts
from finer.ingest.types.quarantine import Selection
from finer.ingest.types.receipts import READER, Receipt, ReceiptFilter
from finer.ingest.types.records import Body
from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.kit.columns import Columns
from finer.kit.db import Database, begin_tenant
from finer.kit.errors import Conflict, FinerError, NotFound
from finer.kit.log import PostgresLog, decode
from finer.kit.tx import Tx
from tests.ingest.records import line, lines

NOW = datetime(2026, 11, 20, 12, 0, 2, tzinfo=UTC)


def _append(tx: Tx, *bodies: Body) -> list[Receipt | FinerError]:
    parsed = parsing.parse_group(contracts.contract("transaction"), bodies, NOW)
    return receipts.append(tx, parsed, 1)


def _one(tx: Tx, data: bytes, **options: Any) -> Receipt:
    (found,) = _append(tx, Body(data=data, **options))
    assert isinstance(found, Receipt)
    return found


@contextmanager
def _done(database: Database, tenant: uuid.UUID, at: datetime = NOW) -> Iterator[Tx]:
    """A transaction that is committed, so that the other role sees what it did; its tenant is the test's own."""
    with database.transaction(tenant, SYSTEM) as tx:
        yield Tx(connection=tx.connection, tenant=tenant, actor=SYSTEM, clock=FixedClock(at), keys=database.keys)


def test_a_receipt_accounts_for_every_record(tx: Tx) -> None:
    receipt = _one(tx, lines(3) + b'{"broken"\n' + line(amount="-5") + b"\n")
    assert (receipt.received, receipt.accepted, receipt.quarantined) == (5, 3, 2)
    found = receipts.get_receipt(tx, receipt.id)
    assert (found.received, found.accepted, found.duplicate, found.quarantined) == (5, 3, 0, 2)
    assert found.state == "processing"
    assert [(problem.line, problem.rule) for problem in found.problems] == [(4, "json"), (5, "range")]
    assert found.problems == receipt.problems
    assert invariants.every_refused_record_is_kept(tx) == []


def test_quarantined_records_keep_what_was_sent_and_every_reason(tx: Tx) -> None:
    raw = line(amount="-5", currency="us", mcc="x")
    receipt = _one(tx, raw)
    (record,) = quarantine.list_quarantined(tx).items
    assert record.raw == raw
    assert record.receipt_id == receipt.id
    assert [(error.field, error.rule) for error in record.errors] == [
        ("amount", "currency"),
        ("currency", "pattern"),
        ("mcc", "pattern"),
    ]
    assert all(error.reason.endswith(".") for error in record.errors)


def test_quarantine_is_found_by_contract_rule_and_receipt(tx: Tx) -> None:
    first = _one(tx, b"nonsense\n" + line(amount="-5"))
    _one(tx, b"nonsense\n")
    assert len(quarantine.list_quarantined(tx, Selection(rule="json")).items) == 2
    assert len(quarantine.list_quarantined(tx, Selection(rule="range")).items) == 1
    assert len(quarantine.list_quarantined(tx, Selection(receipt=first.id)).items) == 2
    assert quarantine.list_quarantined(tx, Selection(contract="order")).items == []
    causes = quarantine.quarantine_causes(tx)
    assert [(cause.field, cause.rule, cause.records) for cause in causes] == [("", "json", 2), ("amount", "range", 1)]
    assert causes[1].example.startswith("amount is -5")


def test_lists_go_page_by_page_without_a_gap(tx: Tx) -> None:
    ids = [_one(tx, lines(1)).id for _ in range(5)]
    seen: list[uuid.UUID] = []
    before = None
    while True:
        page = receipts.list_receipts(tx, ReceiptFilter(before=before), limit=2)
        seen += [item.id for item in page.items]
        if page.next is None:
            break
        before = seen[-1]
    assert sorted(seen) == sorted(ids)
    assert seen == sorted(seen, reverse=True)


def test_several_bodies_of_a_group_have_their_own_receipts(tx: Tx) -> None:
    answers = _append(tx, Body(data=lines(2)), Body(data=b""), Body(data=lines(3, start=2) + b"x\n"))
    assert isinstance(answers[1], FinerError)
    assert answers[1].status == 400
    kept = [answer for answer in answers if isinstance(answer, Receipt)]
    assert [(one.received, one.accepted, one.quarantined) for one in kept] == [(2, 2, 0), (4, 3, 1)]
    assert len(receipts.list_receipts(tx).items) == 2
    assert invariants.receipts_do_not_overlap(tx) == []


def test_duplicates_and_conflicts_show_on_the_receipt_they_came_with(
    database: Database, worker_database: Database, tenant: uuid.UUID
) -> None:
    parsed = parsing.parse_group(contracts.contract("transaction"), [Body(data=lines(4)), Body(data=lines(3))], NOW)
    with _done(database, tenant) as tx:
        first, second = receipts.append(tx, parsed, 1)
        assert isinstance(first, Receipt)
        assert isinstance(second, Receipt)
        base = tx.connection.exec_driver_sql(
            "select first_offset from ingest_receipts where id = %s", (first.id,)
        ).scalar_one()
    with _done(worker_database, tenant) as tx:
        receipts.record_outcomes(
            tx,
            ("transaction", 0),
            base,
            duplicates=np.array([base + 4, base + 6]),
            conflicts=np.array([base + 5]),
            columns=Columns(parsed.batch),
        )
        assert invariants.duplicates_belong_to_receipts(tx) == []
    with _done(database, tenant) as tx:
        found = receipts.get_receipt(tx, second.id)
        assert (found.accepted, found.duplicate, found.conflicting, found.quarantined) == (0, 3, 1, 0)
        assert receipts.get_receipt(tx, first.id).duplicate == 0


def test_a_receipt_is_done_when_the_pipeline_has_passed_it(
    database: Database, worker_database: Database, tenant: uuid.UUID
) -> None:
    with _done(database, tenant) as tx:
        receipt, empty = _one(tx, lines(2)), _one(tx, b"nonsense\n")
        assert receipts.get_receipt(tx, receipt.id).state == "processing"
        assert receipts.get_receipt(tx, empty.id).state == "done"
    with _done(worker_database, tenant) as tx:
        position = ("transaction", 0)
        head, consumed = PostgresLog.progress(tx.connection, READER)[position]
        PostgresLog.advance(tx, READER, position, consumed, head)
    with _done(database, tenant) as tx:
        assert receipts.get_receipt(tx, receipt.id).state == "done"


def test_receipts_are_found_by_contract_state_and_source(
    database: Database, worker_database: Database, tenant: uuid.UUID
) -> None:
    with _done(database, tenant) as tx:
        waiting, empty = _one(tx, lines(2)), _one(tx, b"nonsense\n", source="file January_5%.csv")
        assert _found(tx, done=False) == [waiting.id]
        assert _found(tx, done=True) == [empty.id]
        assert _found(tx, contract="transaction", done=True) == [empty.id]
        assert _found(tx, contract="order") == []
        assert _found(tx, source="january_5%") == [empty.id]
        assert _found(tx, source="januaryX5") == []
        assert _found(tx, before=empty.id) == [waiting.id]
    with _done(worker_database, tenant) as tx:
        position = ("transaction", 0)
        head, consumed = PostgresLog.progress(tx.connection, READER)[position]
        PostgresLog.advance(tx, READER, position, consumed, head)
    with _done(database, tenant) as tx:
        assert _found(tx, done=False) == []
        assert _found(tx, done=True) == [empty.id, waiting.id]


def _found(tx: Tx, **wanted: Any) -> list[uuid.UUID]:
    found = receipts.list_receipts(tx, ReceiptFilter(**wanted)).items
    assert all(one.state == ("done" if wanted["done"] else "processing") for one in found if "done" in wanted)
    return [one.id for one in found]


def test_the_same_key_and_body_give_the_same_receipt(tx: Tx) -> None:
    first = _one(tx, lines(2), idempotency_key="k1")
    again = _one(tx, lines(2), idempotency_key="k1")
    assert again.id == first.id
    assert len(receipts.list_receipts(tx).items) == 1
    (other,) = _append(tx, Body(data=lines(3), idempotency_key="k1"))
    assert isinstance(other, Conflict)
    mixed = _append(tx, Body(data=lines(1)), Body(data=lines(2), idempotency_key="k1"), Body(data=lines(2, start=9)))
    assert [one.accepted for one in mixed if isinstance(one, Receipt)] == [1, 2, 2]
    assert invariants.receipts_do_not_overlap(tx) == []


def test_another_tenant_sees_nothing(tx: Tx, database: Database) -> None:
    receipt = _one(tx, lines(1) + b"nonsense\n")
    with database.transaction(uuid.uuid4(), SYSTEM) as other, pytest.raises(NotFound):
        receipts.get_receipt(other, receipt.id)
    begin_tenant(tx.connection, uuid.uuid4())
    stranger = Tx(connection=tx.connection, tenant=uuid.uuid4(), actor=SYSTEM, clock=tx.clock)
    assert receipts.list_receipts(stranger).items == []
    assert quarantine.list_quarantined(stranger).items == []
    assert quarantine.quarantine_causes(stranger) == []


def test_accepted_rows_are_in_the_log_in_order(
    database: Database, worker_database: Database, tenant: uuid.UUID
) -> None:
    with _done(database, tenant) as tx:
        _one(tx, lines(3) + b"x\n" + lines(2, start=3))
    with _done(worker_database, tenant) as tx:
        payload, header = tx.connection.exec_driver_sql(
            "select payload, header from kit_log where tenant_id = %s", (tenant,)
        ).one()
    batch = decode(bytes(payload))
    assert batch.column("event_id").to_pylist() == ["e0", "e1", "e2", "e3", "e4"]
    assert header == "transaction/1.0.0"
    assert batch.schema == contracts.contract("transaction").schema


def test_awaited_records_carry_the_hash_of_their_body(tx: Tx) -> None:
    parsed = parsing.parse_group(
        contracts.contract("transaction"), [Body(data=line(), awaited=b"h" * 32), Body(data=lines(2, start=5))], NOW
    )
    assert parsed.batch.column("awaited").to_pylist() == [b"h" * 32, None, None]


def test_activity_counts_what_api_and_worker_report(
    database: Database, worker_database: Database, tenant: uuid.UUID
) -> None:
    with _done(database, tenant) as tx:
        _append(tx, Body(data=lines(4) + b"x\n"))
    with _done(worker_database, tenant) as tx:
        received = np.full(4, int(NOW.timestamp() * 1e6) - 5_000, np.int64)
        activity.record_processed(tx, "transaction", received, received, np.array([0, 0, 0, 1], np.uint8))
        activity.record_processed(tx, "transaction", received, received, np.array([0, 0, 0, 2], np.uint8))
    with _done(database, tenant, NOW + timedelta(seconds=8)) as tx:
        found = activity.activity(tx)
    counts = {one.contract: one for one in found.contracts}
    one = counts["transaction"]
    assert (one.received, one.accepted, one.duplicate, one.quarantined) == (5, 6, 2, 1)
    assert one.accepted_per_s == 0.6
    assert counts["order"].received == 0
    (point,) = found.throughput
    assert point.at == NOW.replace(second=0)
    assert point.events_per_s == pytest.approx(1.2)
    assert found.latency.p50_ms is not None
    assert 3.5 < found.latency.p50_ms < 6


def test_the_seconds_under_way_are_no_point_of_the_throughput(worker_database: Database, tenant: uuid.UUID) -> None:
    """A flow that is steady looks steady: five seconds of which a part is over would look like a fall."""
    start = NOW.replace(second=0)
    for second in range(12):
        with _done(worker_database, tenant, start + timedelta(seconds=second)) as tx:
            received = np.full(2, int(NOW.timestamp() * 1e6), np.int64)
            activity.record_processed(tx, "transaction", received, received, np.zeros(2, np.uint8))
    for passed, whole in ((4.0, 0), (5.0, 1), (9.9, 1), (10.0, 2), (11.0, 2)):
        with _done(worker_database, tenant, start + timedelta(seconds=passed)) as tx:
            points = activity.activity(tx).throughput
        assert [(one.at, one.events_per_s) for one in points] == [
            (start + timedelta(seconds=5 * each), 2.0) for each in range(whole)
        ]


def test_what_was_loaded_later_is_timed_apart_from_what_came_live(worker_database: Database, tenant: uuid.UUID) -> None:
    with _done(worker_database, tenant) as tx:
        received = np.full(3, int(NOW.timestamp() * 1e6) - 5_000, np.int64)
        occurred = received - np.array([0, 60_000_000, 3_600_000_000])
        activity.record_processed(tx, "transaction", occurred, received, np.array([0, 1, 0], np.uint8))
        activity.record_processed(tx, "transaction", occurred[2:], received[2:], np.array([1], np.uint8))
        hour = (NOW - timedelta(hours=1), NOW + timedelta(hours=1), 3600, "transaction")
        assert [sum(one.counts) for one in activity.waited_by_step(tx, *hour)] == [4]
        assert [sum(one.counts) for one in activity.waited_by_step(tx, *hour, live=True)] == [2]
        (one,) = activity.counts_by_step(tx, *hour[:3])
        assert (one.processed, one.duplicates) == (4, 2)


def test_old_counts_are_forgotten_and_open_records_stay(
    database: Database, worker_database: Database, tenant: uuid.UUID
) -> None:
    with _done(database, tenant) as tx:
        _append(tx, Body(data=lines(1)), Body(data=b"x\n"))
    later = NOW + timedelta(days=40)
    with _done(worker_database, tenant, later) as tx:
        receipts.forget_old(tx)
        assert len(receipts.list_receipts(tx).items) == 1
        assert len(quarantine.list_quarantined(tx).items) == 1
        rollups = tx.connection.exec_driver_sql("select step_s from ingest_rollups where tenant_id = %s", (tenant,))
        assert [row.step_s for row in rollups] == [3600]


def test_counts_since_the_beginning_outlive_their_hours(worker_database: Database, tenant: uuid.UUID) -> None:
    def process(at: datetime) -> None:
        with _done(worker_database, tenant, at) as tx:
            received = np.full(4, int(at.timestamp() * 1e6), np.int64)
            activity.record_processed(tx, "transaction", received, received, np.array([0, 0, 0, 1], np.uint8))

    for days in (0, 0.1, 200):
        process(NOW + timedelta(days=days))
    for days in (401, 402, 700, 1000):
        with _done(worker_database, tenant, NOW + timedelta(days=days)) as tx:
            receipts.forget_old(tx)
            assert activity.accepted_by_contract(tx) == {"transaction": 9}
            kept = tx.connection.exec_driver_sql("select 1 from ingest_rollups where tenant_id = %s", (tenant,))
            assert kept.rowcount == (2 if days < 600 else 1)


def test_a_group_of_nothing_but_refusals_needs_no_log(tx: Tx) -> None:
    answers = _append(tx, Body(data=b"x\n"), Body(data=b"  "))
    assert isinstance(answers[0], Receipt)
    assert (answers[0].state, answers[0].quarantined) == ("done", 1)
    assert isinstance(answers[1], FinerError)


@pytest.mark.parametrize(
    ("body", "laborious"),
    [
        (Body(data=b"{}\n" * 41), True),
        (Body(data=lines(100)), False),
        (Body(data=b"{}\n" * 3 + lines(100)), False),
        (Body(data=b"[" + b",".join([b"{}"] * 41) + b"]", format="json"), True),
        (Body(data=b"event_id,amount\n" + b"e,1\n" * 41, format="csv"), True),
    ],
)
def test_a_body_with_many_slow_records_is_told_from_its_neighbours(body: Body, laborious: bool) -> None:
    sent = [Body(data=lines(50)), body, Body(data=b"{}\n" * 10), Body(data=b"event_id\ne\n", format="csv")]
    contract = contracts.contract("transaction")
    if laborious:
        with pytest.raises(Laborious) as found:
            parsing.parse_group(contract, sent, NOW, slow_max=40)
        assert found.value.bodies == [1]
        del sent[1]
    bounded, whole = (parsing.parse_group(contract, sent, NOW, slow_max=most) for most in (40, None))
    assert bounded.bodies == whole.bodies
    assert bounded.batch.equals(whole.batch)


def test_many_bodies_with_a_slow_record_each_stay_together() -> None:
    sent = [Body(data=b"{}\n")] * 60
    parsed = parsing.parse_group(contracts.contract("transaction"), sent, NOW, slow_max=40)
    assert [len(one.refused) for one in parsed.bodies] == [1] * 60


def test_records_that_break_a_rule_of_rows_are_slow_too() -> None:
    # The amount is not price times quantity.
    wrong = (
        b'{"order_id":"1","type":"placed","occurred_at":"2026-01-01T00:00:00Z","product_id":"p","quantity":2,'
        b'"unit_price":2.5,"currency":"GBP","amount":7}\n'
    )
    contract = contracts.contract("order")
    with pytest.raises(Laborious):
        parsing.parse_group(contract, [Body(data=wrong * 41)], NOW, slow_max=40)
    (result,) = parsing.parse_group(contract, [Body(data=wrong * 40)], NOW, slow_max=40).bodies
    assert len(result.refused) == 40
