"""From a damaged file to a clean table: found, explained, mended by expression, released, equal to the clean one."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finer.ingest import invariants
from finer.ingest.errors import RepairInvalid
from finer.ingest.service import acts, contracts, parsing, quarantine, receipts, releases, repairs
from finer.ingest.types.quarantine import Selection
from finer.ingest.types.receipts import Receipt
from finer.ingest.types.records import Body
from finer.kit.actors import Actor
from finer.kit.db import Database
from finer.kit.log import decode
from finer.kit.masking import DataClass
from finer.kit.tx import Tx
from tests.support import corrupted_orders as damage

ENGINEER = Actor(kind="user", id=str(uuid.UUID(int=7)), name="Dana", role="data_engineer")
ORDERS = 4_000
Sums = dict[tuple[str, str], tuple[int, int]]


def load(tx: Tx, path: Path, mapping: str | None = None) -> list[Receipt]:
    known = contracts.contract("order")
    chosen = parsing.read_mapping(mapping or damage.mapping_text(), "mapping.yaml", known)
    found = []
    for group in parsing.read_file(path, known, chosen):
        [receipt] = receipts.append(tx, group.parsed, 1)
        assert isinstance(receipt, Receipt)
        found.append(receipt)
    return found


def logged(database: Database, tenant: uuid.UUID) -> list[dict[str, Any]]:
    with database.transaction(tenant, ENGINEER) as tx:
        payloads = tx.connection.exec_driver_sql("select payload from kit_log where tenant_id = %s", (tenant,)).all()
    return [row for (payload,) in payloads for row in decode(bytes(payload)).to_pylist()]


def sums(rows: list[dict[str, Any]]) -> Sums:
    """By month and country: records, and the sum of their amounts in minor units."""
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        entry = found[f"{row['occurred_at']:%Y-%m}", row["country"]]
        entry[0] += 1
        entry[1] += row["amount_minor"]
    return {key: (count, amount) for key, (count, amount) in found.items()}


def test_a_damaged_file_is_mended_and_gives_the_sums_of_the_clean_one(
    database: Database, worker_database: Database, tenant: uuid.UUID, tmp_path: Path
) -> None:
    told: Counter[str] = Counter()
    rows = damage.orders(ORDERS, 4)
    damage.write_csv(rows, tmp_path / "clean.csv")
    damage.write_csv(damage.damaged(rows, 0.05, 4, told), tmp_path / "damaged.csv")
    assert set(told) == set(damage.DAMAGE)
    clean = uuid.uuid4()
    with database.transaction(clean, ENGINEER) as tx:
        assert [receipt.quarantined for receipt in load(tx, tmp_path / "clean.csv")] == [0]
    with database.transaction(tenant, ENGINEER) as tx:
        [receipt] = load(tx, tmp_path / "damaged.csv")
        assert (receipt.received, receipt.quarantined) == (ORDERS, told.total())
        causes = {(cause.field, cause.rule): cause for cause in quarantine.quarantine_causes(tx)}
        assert set(causes) == {(mending.field, mending.rule) for mending in damage.MENDINGS}
        assert all(cause.example.endswith(".") for cause in causes.values())
        for mending in damage.MENDINGS:
            chosen = Selection(contract="order", field=mending.field, rule=mending.rule)
            assignments = [(mending.column, mending.expression)]
            tried = repairs.preview(tx, chosen, assignments)
            assert (tried.changed, tried.passing, tried.failed) == (tried.matched, tried.matched, {})
            acts.start(tx, "edit", chosen, assignments=assignments, partitions=1)
        assert all(cause.ready == cause.records for cause in quarantine.quarantine_causes(tx))
        released = acts.start(tx, "release", Selection(contract="order"), partitions=1)
        assert (released.state, released.changed, released.failed) == ("done", told.total(), {})
        found = receipts.get_receipt(tx, receipt.id)
        assert (found.accepted, found.quarantined, found.released) == (ORDERS, 0, told.total())
        assert invariants.every_refused_record_is_kept(tx) == []
    expected, mended = logged(worker_database, clean), logged(worker_database, tenant)
    assert sums(mended) == sums(expected)
    lost = sum(row["order_id"] in ("lost", "C-lost") for row in mended)
    assert lost == told["an invoice without a number"]
    # What was lost for good has an id that says so; every other record is the one that the clean file gives.
    ids = {row["event_id"] for row in expected} - {row["event_id"] for row in mended}
    assert len(ids) == lost
    volatile = ("received_at",)
    by_id = {row["event_id"]: {name: row[name] for name in row if name not in volatile} for row in expected}
    for row in mended:
        if row["event_id"] in by_id:
            assert {name: row[name] for name in row if name not in volatile} == by_id[row["event_id"]]


@pytest.mark.parametrize("suffix", ["ndjson", "parquet"])
def test_records_of_every_format_go_through_their_mapping_again(
    database: Database, worker_database: Database, tenant: uuid.UUID, tmp_path: Path, suffix: str
) -> None:
    rows: list[dict[str, Any]] = [
        row | {"Quantity": int(row["Quantity"]), "UnitPrice": float(row["UnitPrice"])} for row in damage.orders(8, 4)
    ]
    for row in rows[:3]:
        row["UnitPrice"] = -row["UnitPrice"]
    path = tmp_path / f"orders.{suffix}"
    if suffix == "ndjson":
        path.write_bytes(b"\n".join(msgspec.json.encode(row) for row in rows))
    else:
        for row in rows:
            row["InvoiceDate"] = datetime.fromisoformat(row["InvoiceDate"])
        pq.write_table(pa.Table.from_pylist(rows), path)
    with database.transaction(tenant, ENGINEER) as tx:
        [receipt] = load(tx, path)
        assert (receipt.accepted, receipt.quarantined) == (5, 3)
        chosen = Selection(contract="order", field="unit_price")
        acts.start(tx, "edit", chosen, assignments=[("UnitPrice", "abs(UnitPrice)")], partitions=1)
        assert acts.start(tx, "release", chosen, partitions=1).changed == 3
    found = {row["event_id"]: row for row in logged(worker_database, tenant)}
    assert set(found) == {f"{row['InvoiceNo']}-{number}" for number, row in enumerate(rows, 1)}
    for number, row in enumerate(rows, 1):
        entry = found[f"{row['InvoiceNo']}-{number}"]
        assert entry["amount_minor"] == round(row["Quantity"] * abs(row["UnitPrice"]) * 100)
        assert entry["occurred_at"].isoformat(" ")[:19] == str(row["InvoiceDate"])[:19]  # London keeps UTC in winter


def test_a_record_of_a_mapped_file_is_mended_by_hand_in_its_columns(tx: Tx, tmp_path: Path) -> None:
    rows = damage.orders(3, 4)
    rows[1] |= {"UnitPrice": "2,50", "CustomerID": "17850"}
    damage.write_csv(rows, tmp_path / "orders.csv")
    load(tx, tmp_path / "orders.csv")
    [record] = quarantine.list_quarantined(tx).items
    assert (record.number, record.line) == (2, 3)
    fields = {one.name: one.data_class for one in quarantine.fields_of(record, contracts.load(tx))}
    assert set(fields) == set(damage.COLUMNS)
    # A column is as sensitive as what is made of it.
    assert (fields["UnitPrice"], fields["CustomerID"]) == (DataClass.INTERNAL, DataClass.PERSONAL)
    with pytest.raises(RepairInvalid, match=r"has no field 'unit_price'\. Its fields are: InvoiceNo"):
        repairs.check_changes(tx, record.id, {"unit_price": "2.50"})
    assert [error.field for error in repairs.check_changes(tx, record.id, {"UnitPrice": "2;50"})] == ["UnitPrice"]
    assert repairs.edit_record(tx, record.id, {"UnitPrice": "2.50"}).remaining == []
    assert acts.start(tx, "release", Selection(contract="order"), partitions=1).changed == 1


def test_records_that_came_in_several_shapes_are_chosen_apart(tx: Tx, tmp_path: Path) -> None:
    rows = damage.orders(2, 4)
    rows[0]["UnitPrice"] = "-1"
    damage.write_csv(rows, tmp_path / "orders.csv")
    load(tx, tmp_path / "orders.csv")
    line = b'{"event_id":"o1","order_id":"1","occurred_at":"2026-11-20T10:00:00Z","product_id":"p","quantity":1,'
    body = Body(data=line + b'"unit_price":-1,"amount":-1}', source="http")
    receipts.append(tx, parsing.parse_group(contracts.contract("order"), [body], tx.now()), 1)
    chosen = Selection(contract="order", field="unit_price", rule="range")
    with pytest.raises(RepairInvalid, match="several kinds of files: choose those of one source or receipt"):
        acts.start(tx, "edit", chosen, assignments=[("UnitPrice", "abs(UnitPrice)")], partitions=1)
    for source, assignments in (
        ("orders.csv", [("UnitPrice", "abs(UnitPrice)")]),
        ("http", [("unit_price", "abs(unit_price)"), ("amount", "abs(amount)")]),
    ):
        narrowed = Selection(contract="order", field="unit_price", rule="range", source=source)
        assert acts.start(tx, "edit", narrowed, assignments=assignments, partitions=1).changed == 1
    released = acts.start(tx, "release", Selection(contract="order"), partitions=1)
    assert (released.changed, released.failed) == (2, {})


def test_a_release_in_parts_accounts_for_each_record_by_the_receipt_it_came_with(
    database: Database, worker_database: Database, tenant: uuid.UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "PART", 7)
    priced: dict[uuid.UUID, int] = {}
    with database.transaction(tenant, ENGINEER) as tx:
        for price in range(1, 9):  # files and bodies by turns, five refused records of each, one of them beyond help
            if price % 2:
                rows = damage.orders(5, price)
                for row in rows:
                    row["UnitPrice"] = f"-{price}"
                rows[4]["UnitPrice"] = "nothing"
                damage.write_csv(rows, tmp_path / f"orders_{price}.csv")
                [receipt] = load(tx, tmp_path / f"orders_{price}.csv")
            else:
                line = '{{"event_id":"o{0}-{1}","order_id":"{0}","occurred_at":"2026-11-20T10:00:00Z","product_id":"p",'
                line += '"quantity":1,"unit_price":{2},"amount":-{0},"currency":"GBP"}}'
                lines = [line.format(price, at, f"-{price}" if at < 4 else '"nothing"') for at in range(5)]
                parsed = parsing.parse_group(
                    contracts.contract("order"), [Body(data="\n".join(lines).encode(), source="http")], tx.now()
                )
                [answer] = receipts.append(tx, parsed, 1)
                assert isinstance(answer, Receipt)
                receipt = answer
            assert receipt.quarantined == 5
            priced[receipt.id] = price
        for receipt_id, price in priced.items():
            assignments = [("UnitPrice", "abs(UnitPrice)")]
            if not price % 2:
                assignments = [("unit_price", "abs(unit_price)"), ("amount", "abs(amount)")]
            one = Selection(contract="order", receipt=receipt_id)
            assert acts.start(tx, "edit", one, assignments=assignments, partitions=1).changed >= 4
        released = acts.start(tx, "release", Selection(contract="order"), partitions=1)
        assert (released.done, released.changed, sum(released.failed.values())) == (40, 32, 8)
        assert invariants.every_refused_record_is_kept(tx) == []
        assert invariants.receipts_do_not_overlap(tx) == []
        assert {receipts.get_receipt(tx, one).released for one in priced} == {4}
        accounts = tx.connection.exec_driver_sql("select first_offset, logged, receipt_id from ingest_releases").all()
    with worker_database.transaction(tenant, ENGINEER) as tx:
        log = tx.connection.exec_driver_sql(
            "select base_offset, payload from kit_log where tenant_id = %s", (tenant,)
        ).all()
    price_at = {
        base + at: row["unit_price_minor"] // 100
        for base, payload in log
        for at, row in enumerate(decode(bytes(payload)).to_pylist())
    }
    assert sum(rows for _, rows, _ in accounts) == 32
    for first, rows, receipt_id in accounts:
        assert [price_at[first + at] for at in range(rows)] == [priced[receipt_id]] * rows
