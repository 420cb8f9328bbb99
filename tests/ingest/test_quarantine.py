"""Refused records are found, changed, released and accounted for, whoever does it and however often."""

from __future__ import annotations

import dataclasses
import json
import threading
import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.identity.service.audit import list_audit
from finer.ingest import invariants
from finer.ingest.errors import NotWaiting, RepairInvalid, UnknownContract
from finer.ingest.rules.repair import Repair, line_of, record_of, written
from finer.ingest.rules.shapes import Shape
from finer.ingest.service import acts, contracts, parsing, quarantine, receipts, repairs
from finer.ingest.types.contracts import Kind
from finer.ingest.types.quarantine import Act, QuarantinedRecord, Selection
from finer.ingest.types.receipts import Receipt
from finer.ingest.types.records import Body
from finer.kit.actors import Actor
from finer.kit.db import Database
from finer.kit.errors import Conflict, InvalidInput, NotFound
from finer.kit.log import decode
from finer.kit.masking import DataClass
from finer.kit.moments import microseconds
from finer.kit.tx import Tx
from finer.notifications.service import list_notifications
from tests.ingest.records import GOOD, line, lines

ENGINEER = Actor(kind="user", id=str(uuid.UUID(int=7)), name="Dana", role="data_engineer")
TRANSACTIONS = Selection(contract="transaction")


def send(tx: Tx, data: bytes, contract: str = "transaction", **options: Any) -> Receipt:
    parsed = parsing.parse_group(contracts.contract(contract), [Body(data=data, **options)], tx.now())
    [receipt] = receipts.append(tx, parsed, 1)
    assert isinstance(receipt, Receipt)
    return receipt


def act(tx: Tx, kind: acts.Kind, selection: Selection = TRANSACTIONS, **options: Any) -> Act:
    found = acts.start(tx, kind, selection, partitions=1, **options)
    while found.state == "running":
        found = acts.carry_on(tx, found.id, 1)
    return found


def one(tx: Tx, **wanted: Any) -> QuarantinedRecord:
    [found] = quarantine.list_quarantined(tx, Selection(**wanted)).items
    return found


def test_b03_what_was_sent_is_sealed_and_its_reasons_quote_no_person(tx: Tx) -> None:
    send(tx, line(event_id="e1", customer_id="c" * 70, amount="-5"))
    row = tx.connection.exec_driver_sql("select * from ingest_quarantine_payloads").mappings().one()
    assert b"c" * 20 not in bytes(row["raw_sealed"])
    assert "ccc" not in json.dumps(row["errors"])
    assert "-5" in json.dumps(row["errors"])  # an amount says nothing of a person
    assert "ccc" not in str(tx.connection.exec_driver_sql("select problems from ingest_receipts").scalar_one())
    assert [error.value for error in one(tx).errors] == ["c" * 70, "-5"]


def test_records_are_mended_by_expression_and_released_with_their_ids(tx: Tx) -> None:
    receipt = send(
        tx, lines(2) + line(event_id="e7", amount="-12.50") + b"\n" + line(event_id="e8", amount=-3, mcc="x")
    )
    change = [("amount", "abs(amount)")]
    tried = repairs.preview(tx, TRANSACTIONS, change)
    assert (tried.matched, tried.looked_at, tried.changed, tried.passing) == (2, 2, 2, 1)
    assert tried.failed == {"mcc pattern": 1}
    differences = [(one.field, one.before, one.after) for example in tried.examples for one in example.differences]
    assert sorted(differences) == [("amount", "-12.50", "12.5"), ("amount", "-3", "3")]
    assert {record.state for record in quarantine.list_quarantined(tx).items} == {"open"}
    edit = act(tx, "edit", assignments=change)
    assert (edit.matched, edit.done, edit.changed, edit.failed) == (2, 2, 2, {"mcc pattern": 1})
    ready = {cause.field: (cause.records, cause.edited, cause.ready) for cause in quarantine.quarantine_causes(tx)}
    assert ready == {"amount": (2, 2, 1)}
    release = act(tx, "release")
    assert (release.done, release.changed, release.failed) == (2, 1, {"mcc pattern": 1})
    found = receipts.get_receipt(tx, receipt.id)
    assert (found.received, found.accepted, found.quarantined, found.released) == (4, 3, 1, 1)
    left = one(tx)
    assert left.state == "edited"
    assert [(error.field, error.rule) for error in left.remaining or ()] == [("mcc", "pattern")]
    assert invariants.every_refused_record_is_kept(tx) == []
    assert invariants.receipts_do_not_overlap(tx) == []
    [gone] = quarantine.list_quarantined(tx, Selection(state="released")).items
    assert (gone.raw, gone.edited, gone.act_id) == (b"", None, release.id)
    actions = [entry.action for entry in list_audit(tx, 10, None)]
    assert actions.count("quarantine:edit") == 1
    assert actions.count("quarantine:release") == 1


def test_a_released_record_is_in_the_log_as_it_was_mended(
    database: Database, worker_database: Database, tenant: uuid.UUID
) -> None:
    with database.transaction(tenant, ENGINEER) as tx:
        send(tx, line(event_id="kept", currency="usd", merchant_name=" Shop "))
        act(tx, "edit", assignments=[("currency", "upper(currency)"), ("merchant_name", "trim(merchant_name)")])
        assert act(tx, "release").changed == 1
    with worker_database.transaction(tenant, ENGINEER) as tx:
        payloads = tx.connection.exec_driver_sql("select payload from kit_log where tenant_id = %s", (tenant,)).all()
        rows = [row for (payload,) in payloads for row in decode(bytes(payload)).to_pylist()]
    assert [(row["event_id"], row["currency"], row["merchant_name"]) for row in rows] == [("kept", "USD", "Shop")]


def test_g01_a_record_is_released_once_however_many_ask(database: Database, tenant: uuid.UUID) -> None:
    with database.transaction(tenant, ENGINEER) as tx:
        receipt = send(tx, b"\n".join(line(event_id=f"e{i}", currency="usd") for i in range(50)))
        act(tx, "edit", assignments=[("currency", "'USD'")])
    together = threading.Barrier(4)
    released = []

    def release() -> None:
        together.wait()
        with database.transaction(tenant, ENGINEER) as tx:
            released.append(act(tx, "release").changed)

    threads = [threading.Thread(target=release) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(released) == [0, 0, 0, 50]
    with database.transaction(tenant, ENGINEER) as tx:
        found = receipts.get_receipt(tx, receipt.id)
        assert (found.accepted, found.quarantined, found.released) == (50, 0, 50)
        assert invariants.every_refused_record_is_kept(tx) == []
        assert act(tx, "release").matched == 0


def test_an_act_goes_on_where_it_was_and_stops_when_told(tx: Tx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "AT_ONCE", 3)
    monkeypatch.setattr(acts, "STEP", 3)
    send(tx, b"\n".join(line(event_id=f"e{i}", amount="-1") for i in range(10)))
    begun = acts.start(tx, "edit", TRANSACTIONS, assignments=[("amount", "abs(amount)")], partitions=1)
    assert (begun.state, begun.done) == ("running", 3)
    send(tx, line(event_id="later", amount="-1"))
    assert acts.carry_on(tx, begun.id, 1).done == 6
    acts.cancel(tx, begun.id)
    stopped = acts.carry_on(tx, begun.id, 1)
    assert (stopped.state, stopped.done, stopped.changed) == ("cancelled", 6, 6)
    with pytest.raises(Conflict, match="nothing to stop"):
        acts.cancel(tx, begun.id)
    again = act(tx, "edit", Selection(contract="transaction", state="open"), assignments=[("amount", "abs(amount)")])
    assert (again.state, again.matched, again.changed) == ("done", 5, 5)


def test_whoever_comes_second_is_told_that_somebody_else_dealt_with_the_records(
    tx: Tx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "AT_ONCE", 2)
    send(tx, b"\n".join(line(event_id=f"e{i}", currency="usd") for i in range(10)))
    act(tx, "edit", assignments=[("currency", "'USD'")])
    as_dana = dataclasses.replace(tx, actor=ENGINEER)
    second = acts.start(as_dana, "release", TRANSACTIONS, partitions=1)
    assert act(tx, "release").changed == 8
    ended = acts.carry_on(as_dana, second.id, 1)
    assert (ended.state, ended.matched, ended.done, ended.changed) == ("done", 10, 2, 2)
    [told] = list_notifications(as_dana)[0]
    assert (told.title, "8 did not wait any more" in told.text) == ("Quarantine: 2 of 10 records released", True)


def test_what_comes_to_fit_while_an_act_runs_is_counted_in(tx: Tx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "AT_ONCE", 1)
    send(tx, b"\n".join(line(event_id=f"e{i}", amount="-1") for i in range(3)))
    first, middle, last = sorted(item.id for item in quarantine.list_quarantined(tx, TRANSACTIONS).items)
    for record in (first, last):
        repairs.edit_record(tx, record, {"amount": "1"})
    as_dana = dataclasses.replace(tx, actor=ENGINEER)
    edited = Selection(contract="transaction", state="edited")
    begun = acts.start(as_dana, "release", edited, partitions=1)
    repairs.edit_record(tx, middle, {"amount": "1"})
    ended = acts.carry_on(as_dana, begun.id, 1)
    assert (ended.state, ended.matched, ended.done, ended.changed) == ("done", 3, 3, 3)
    assert acts.get_act(tx, begun.id).matched == 3
    [told] = list_notifications(as_dana)[0]
    assert (told.title, told.text) == ("Quarantine: 3 of 3 records released", "The release is done.")


def test_edits_are_taken_back_and_records_discarded_with_a_reason(tx: Tx) -> None:
    receipt = send(tx, line(event_id="e1", amount="-1") + b"\n{broken")
    act(tx, "edit", Selection(contract="transaction", rule="range"), assignments=[("amount", "1")])
    assert one(tx, state="edited").remaining == []
    assert act(tx, "undo").changed == 1
    record = one(tx, rule="range")
    assert (record.state, record.edited, record.remaining) == ("open", None, None)
    with pytest.raises(InvalidInput, match="Say why"):
        act(tx, "discard", reason=" no ")
    assert act(tx, "discard", Selection(rule="json"), reason="Cut off by the sender.").changed == 1
    found = receipts.get_receipt(tx, receipt.id)
    assert (found.received, found.quarantined) == (2, 2)
    assert quarantine.list_quarantined(tx, Selection(rule="json")).items == []
    discarded = one(tx, state="discarded").act_id
    assert act(tx, "undo", Selection(state="discarded", act=uuid.uuid4())).changed == 0
    assert act(tx, "undo", Selection(state="discarded", act=discarded)).changed == 1
    assert one(tx, rule="json").state == "open"


def test_one_record_is_changed_by_hand_and_checked_before(tx: Tx) -> None:
    send(tx, line(event_id="e1", amount="-1", mcc="x"))
    record = one(tx)
    assert [error.field for error in repairs.check_changes(tx, record.id, {"amount": "12.30"})] == ["mcc"]
    assert one(tx).state == "open"
    before = [field.name for field in quarantine.fields_of(record, contracts.load(tx))]
    changed = repairs.edit_record(tx, record.id, {"amount": "12.30", "mcc": None})
    assert changed.remaining == []
    after = [field.name for field in quarantine.fields_of(changed, contracts.load(tx))]
    assert after == [name for name in before if name != "mcc"]  # a changed value stays where people saw it
    values = {field.name: (field.value, field.edited) for field in quarantine.fields_of(changed, contracts.load(tx))}
    assert values["amount"] == ("12.30", True)
    assert values["currency"] == ("USD", False)
    assert "mcc" not in values
    act(tx, "release")
    with pytest.raises(NotWaiting, match="released already"):
        repairs.edit_record(tx, record.id, {"amount": "1"})


def test_what_cannot_be_taken_apart_is_sent_whole(tx: Tx) -> None:
    send(tx, b'{"event_id": "e1", "amount": 3')
    record = one(tx)
    assert quarantine.fields_of(record, contracts.load(tx)) == []
    assert act(tx, "edit", assignments=[("amount", "1")]).failed == {"record unreadable": 1}
    assert act(tx, "release").failed == {"record unreadable": 1}
    with pytest.raises(RepairInvalid, match="Send it whole"):
        repairs.edit_record(tx, record.id, {"amount": "1"})
    assert repairs.edit_record(tx, record.id, {}, line(event_id="e1").decode()).remaining == []
    assert act(tx, "release").changed == 1


def test_records_of_a_csv_file_are_mended_by_their_columns(tx: Tx) -> None:
    header = ",".join(GOOD) + "\n"
    row = ",".join(str(value) for value in (GOOD | {"occurred_at": "20/11/2026", "amount": "1'200.50"}).values())
    send(tx, (header + row + "\n").encode(), format="csv")
    moved = "concat(substring(raw.occurred_at, 7, 4), '-', substring(raw.occurred_at, 4, 2), '-', "
    moved += "substring(raw.occurred_at, 1, 2), 'T00:00:00Z')"
    change = [("occurred_at", moved), ("amount", "number(replace(raw.amount, '''', ''))")]
    assert act(tx, "edit", assignments=change).failed == {}
    assert act(tx, "release").changed == 1


@pytest.mark.parametrize(
    ("target", "expression", "says"),
    [
        ("amont", "1", "has no field 'amont'"),
        ("amount", "abs(amont)", "amont"),
        ("amount", "(select 1)", "not part of the condition language"),
        ("merchant_name", "customer_id", "customer_id is personal"),
        ("merchant_name", "case when raw.customer_id = 'c1' then 'x' else 'y' end", "customer_id is personal"),
    ],
)
def test_c08_an_assignment_that_cannot_be_used_says_why(target: str, expression: str, says: str) -> None:
    with pytest.raises(RepairInvalid, match=says.replace("(", r"\(")):
        Repair(contracts.contract("transaction"), [(target, expression)])


def test_what_has_no_value_stays_as_it_is_and_null_takes_away() -> None:
    contract = contracts.contract("transaction")
    record = record_of(contract, line(mcc="x", amount="abc"), (), ())
    assert record is not None
    [kept] = Repair(contract, [("amount", "number(raw.amount)")]).apply([record], [0])
    assert kept is record
    [less] = Repair(contract, [("mcc", "null"), ("unheard_of", "null")]).apply([record], [0])
    assert less is not None
    assert set(record) - set(less) == {"mcc"}
    assert record_of(contract, b'{"amount": 1, "amount": 2}', (), ("duplicate_key",)) is None


def test_b03_a_value_made_of_something_sensitive_stays_hidden() -> None:
    repair = Repair(contracts.contract("transaction"), [("merchant_name", "raw.unheard_of")])
    assert repair.classes == {"merchant_name": DataClass.SENSITIVE}


def test_b05_quarantine_is_searched_by_reason_source_time_and_state_and_by_no_value_of_a_person(tx: Tx) -> None:
    send(tx, line(event_id="e1", amount="-1"), source="file january.csv")
    send(tx, line(event_id="e2", customer_id="x" * 80), source="http")
    assert one(tx, text="AMOUNT IS -1").line == 1
    assert one(tx, source="january").rules == ("range",)
    assert quarantine.list_quarantined(tx, Selection(text="xxxx")).items == []
    assert len(quarantine.list_quarantined(tx, Selection(until=tx.now())).items) == 2
    assert quarantine.list_quarantined(tx, Selection(since=tx.now())).items == []
    assert [cause.records for cause in quarantine.quarantine_causes(tx, Selection(source="january"))] == [1]


def test_erasing_a_person_empties_what_was_refused_of_them(tx: Tx) -> None:
    receipt = send(
        tx, line(event_id="e1", customer_id="erase-me", amount="-1") + b"\n" + line(event_id="e2", amount=-1)
    )
    act(tx, "edit", assignments=[("amount", "abs(amount)")])
    assert quarantine.blank_refused(tx, "erase-me") > 0
    blanked = [record for record in quarantine.list_quarantined(tx).items if record.raw == b""]
    assert [(record.line, record.state, record.errors) for record in blanked] == [(1, "open", [])]
    assert act(tx, "release").changed == 1
    assert receipts.get_receipt(tx, receipt.id).quarantined == 1
    assert invariants.every_refused_record_is_kept(tx) == []


@pytest.mark.parametrize("identifier", ["c-1", "12", 'Ñandú "12"'])
def test_erasing_a_person_leaves_what_was_refused_of_others_whose_id_is_alike(tx: Tx, identifier: str) -> None:
    alike = [identifier + "0", identifier + "-2", "a" + identifier, "3" + identifier, "x_" + identifier]
    others = [line(event_id=f"e{n}", customer_id=one, amount="-12.50") for n, one in enumerate(alike)]
    theirs = [line(event_id="mine", customer_id=identifier, amount="-12.50")]
    theirs.append(json.dumps({"customer_id": identifier, "amount": -1}, ensure_ascii=False).encode())
    send(tx, b"\n".join(others + theirs))
    send(tx, f"event_id,customer_id,amount\nm1,{identifier},-7\nm2,{alike[0]},-7".encode(), format="csv")
    for who in (alike[0], identifier):
        act(tx, "discard", Selection(contract="transaction", source="nowhere"), reason=f"{who} left")
    assert quarantine.blank_refused(tx, identifier) == len(theirs) + 1
    kept = [record.raw for record in quarantine.list_quarantined(tx).items if record.raw != b""]
    assert len(kept) == len(others) + 1
    assert [one.reason for one in acts.list_acts(tx).items if one.reason] == [f"{alike[0]} left"]


@pytest.mark.parametrize(
    ("identifier", "written"),
    [
        ("Ñ-1", rb'"\u00D1-1"'),  # as Java and .NET write it
        ("Ñ-1", rb'"\u00d1-1"'),
        ("bank/7", rb'"bank\/7"'),  # as PHP writes it
        ("a<b&c", rb'"a\u003cb\u0026c"'),  # as Go writes it
        ("\U0001f600-1", rb'"\uD83D\uDE00-1"'),
        ("c-1", rb'"Customers:\nc-1\tand others"'),
    ],
)
def test_erasing_a_person_finds_them_however_json_may_write_their_id(tx: Tx, identifier: str, written: bytes) -> None:
    send(tx, b'{"event_id": "e1", "amount": -1, "customer_id": ' + written + b"}")
    send(tx, line(event_id="e2", customer_id="another", amount="-1"))
    assert quarantine.blank_refused(tx, identifier) == 1
    assert sorted(record.raw == b"" for record in quarantine.list_quarantined(tx).items) == [False, True]


def test_erasing_a_person_finds_an_id_with_quotation_marks_in_csv(tx: Tx) -> None:
    send(tx, b'event_id,customer_id,amount\nm1,"the ""Fox""",-7\nm2,Fox,-7', format="csv")
    assert quarantine.blank_refused(tx, 'the "Fox"') == 1


def test_b01_another_firm_sees_and_changes_nothing(database: Database, tenant: uuid.UUID) -> None:
    with database.transaction(tenant, ENGINEER) as tx:
        send(tx, line(event_id="e1", amount="-1"))
        record = one(tx)
    with database.transaction(uuid.uuid4(), ENGINEER) as tx:
        assert quarantine.list_quarantined(tx).items == []
        with pytest.raises(NotFound):
            act(tx, "release", Selection(contract="transaction", ids=(record.id,)))


@given(amount=st.decimals(min_value="0.01", max_value=9_999_999, places=2))
def test_what_is_not_assigned_keeps_every_digit(amount: Any) -> None:
    contract = contracts.contract("transaction")
    raw = line(currency="usd").replace(b"12.34", f"{amount}".encode())
    record = record_of(contract, raw, (), ())
    [changed] = Repair(contract, [("currency", "upper(currency)")]).apply([record], [0])
    assert changed is not None
    sent = line_of(contract, changed, 0)
    assert f'"amount":{amount}'.encode() in sent
    _, [result] = Shape(contract).check([[(sent, 0)]], microseconds(datetime(2026, 11, 21, tzinfo=UTC)))
    assert (result.accepted, result.refused) == (1, [])


def test_a_written_value_becomes_what_its_field_wants() -> None:
    assert bytes(written(Kind.MONEY, "1.50")) == b"1.50"
    assert bytes(written(Kind.MONEY, "1,50")) == b'"1,50"'
    assert bytes(written(Kind.BOOLEAN, "TRUE")) == b"true"
    assert msgspec.json.decode(written(None, '"')) == '"'


def test_what_does_not_exist_is_told_rather_than_that_nothing_waits(tx: Tx) -> None:
    send(tx, line(event_id="e1", amount="-5"))
    strange = Selection(contract="transction")
    for look in (quarantine.list_quarantined, quarantine.quarantine_causes):
        with pytest.raises(UnknownContract, match=r"'transction'\. The contracts are: .*transaction"):
            look(tx, strange)
    with pytest.raises(UnknownContract):
        act(tx, "discard", strange, reason="It is not wanted")
    misspelt = Selection(contract="transaction", field="amout")
    for fails in (
        lambda: quarantine.list_quarantined(tx, misspelt),
        lambda: repairs.preview(tx, misspelt, [("amount", "abs(amount)")]),
        lambda: act(tx, "edit", misspelt, assignments=[("amount", "abs(amount)")]),
    ):
        with pytest.raises(InvalidInput, match=r"no field 'amout' in the contract transaction\. Did you mean amount"):
            fails()
    # A field of the contract that no record breaks, and records of which none waits any more, are no mistake.
    assert quarantine.list_quarantined(tx, Selection(contract="transaction", field="mcc")).items == []
    assert act(tx, "discard", reason="It is not wanted").matched == 1
    assert act(tx, "discard", Selection(contract="transaction", field="amount"), reason="Once again").matched == 0
