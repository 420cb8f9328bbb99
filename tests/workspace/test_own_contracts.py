"""What a firm's own contracts say of their fields holds in SQL, exports, catalogue and lineage as for built-in ones."""

from __future__ import annotations

import io
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from finer.identity.service.authorisation import masking_of
from finer.identity.types.access import Role
from finer.ingest.service import contracts, drafts
from finer.ingest.types.contracts import FirmContracts
from finer.lineage.service import catalogue as lineage
from finer.warehouse.service import exports
from finer.warehouse.service import lake as warehouse
from finer.warehouse.service.shown import shown_to
from finer.warehouse.types import ExportFormat, LakeBatch, Wanted
from finer.workspace.service import catalogue
from tests.warehouse.samples import START
from tests.workspace.conftest import Desk

_FIELDS = {
    "driver": "personal",
    "courier_id": "pseudonymous",
    "fee_minor": "financial",
    "depot": None,
    "cost": "confidential",
}


def _text() -> str:
    found = yaml.safe_load(drafts.FIRST_DRAFT.format(name="parcel"))
    for name, classification in _FIELDS.items():
        kind = "integer" if name in ("fee_minor", "cost") else "string"
        told = {"classification": classification} if classification else {}
        found["schema"][0]["properties"].append({"name": name, "logicalType": kind, "description": "x"} | told)
    return yaml.safe_dump(found, sort_keys=False)


@pytest.fixture(scope="module")
def known() -> FirmContracts:
    """The contracts of a firm with one of its own, which says of three fields that they are about people."""
    return FirmContracts({**contracts.contracts(), "parcel": contracts.read_contract(_text(), "parcel.yaml")}, {})


@pytest.fixture(scope="module")
def parcels(make_desk: Callable[[str], Desk]) -> Desk:
    """A firm with three parcels in its lake, and a column that no contract knows."""
    desk = make_desk("parcels")
    access = warehouse.LakeAccess(desk.firm.database.url, desk.settings)
    columns = {
        "event_id": pa.array(["p1", "p2", "p3"]),
        "occurred_at": pa.array([START] * 3, pa.timestamp("us", "UTC")),
        "driver": pa.array(["Maria Clara Santos", "Juan dela Cruz", "Maria Clara Santos"]),
        "courier_id": pa.array(["COURIER-0011", "COURIER-0022", "COURIER-0011"]),
        "fee_minor": pa.array([52_345, 61_234, 100]),
        "depot": pa.array(["Makati"] * 3),
        "cost": pa.array([1_234] * 3),
        "left_over": pa.array(["of a version that nobody remembers"] * 3),
        "received_at": pa.array([START] * 3, pa.timestamp("us", "UTC")),
    }
    writer = warehouse.LakeWriter(access.url, access.settings)
    writer.put(
        LakeBatch(
            tenant=desk.firm.tenant.id, stream="parcel", partition=0, next_offset=3,
            events=pa.RecordBatch.from_pydict(columns), offsets=pa.array([0, 1, 2]).to_numpy(),
        )
    )  # fmt: skip
    assert writer.flush()
    writer.close()
    return desk


@pytest.mark.parametrize("role", [Role.DATA_ENGINEER, Role.RISK_ANALYST, Role.MARKETING_MANAGER])
def test_sql_and_exports_show_the_same_and_no_more_than_the_contract_lets(
    parcels: Desk, known: FirmContracts, role: Role
) -> None:
    columns = ("driver", "courier_id", "fee_minor", "depot", "left_over", "cost")
    access = warehouse.LakeAccess(parcels.firm.database.url, parcels.settings)
    shown = shown_to(masking_of(parcels.actor(role)), known)
    statement = f"select {', '.join(columns)} from parcel order by event_id"
    answer = warehouse.sql(access, parcels.firm.tenant.id, statement, shown=shown, secret=b"firm").table
    asked = [list(row) for row in zip(*(answer.column(one).to_pylist() for one in columns), strict=True)]
    target = io.BytesIO()
    wanted = Wanted(table="parcel", format=ExportFormat.PARQUET)
    exports.write_export(b"firm", access, parcels.firm.tenant.id, wanted, shown, target, lambda *_: None)
    taken = pq.read_table(target).sort_by("event_id")
    assert [list(row) for row in zip(*(taken.column(one).to_pylist() for one in columns), strict=True)] == asked
    for hidden in ("Maria", "Juan", "COURIER-0011", "nobody remembers"):
        assert hidden not in repr(asked)
    assert {row[3] for row in asked} == {"Makati"}
    assert {row[5] for row in asked} == {None}, "not even a part of a secret of the firm"
    assert [row[2] for row in asked] == ([50_000, 60_000, 100] if role is Role.RISK_ANALYST else [None] * 3)
    tokens = [row[1] for row in asked]
    if role is Role.MARKETING_MANAGER:
        assert tokens == [None] * 3
    else:
        assert tokens[0] == tokens[2] != tokens[1]


def test_the_catalogue_gives_no_example_that_sql_would_hide(parcels: Desk) -> None:
    access = warehouse.LakeAccess(parcels.firm.database.url, parcels.settings)
    reader = warehouse.LakeReader(access.url, access.settings)
    with parcels.tx() as tx:
        (table,) = (one for one in catalogue.list_tables(tx, access) if one.name == "parcel")
        found = {one.name: (one.data_class, one.shown) for one in table.columns}
        assert found["left_over"] == ("sensitive", "absent"), "no contract of the firm knows this table"
        graph = lineage.lineage_of(tx, reader)
        for column in ("parcel.left_over", "transactions.account_id", "customer_profiles.email"):
            assert lineage.entry(tx, graph, reader, f"lake:{column}").example is None, column
        assert lineage.entry(tx, graph, reader, "lake:transactions.currency").example == "USD"
    reader.close()


def test_a_column_that_the_contract_gave_up_stays_as_secret_as_it_was(parcels: Desk, known: FirmContracts) -> None:
    old, new = known.current["parcel"], yaml.safe_load(_text())
    properties = new["schema"][0]["properties"]
    new["schema"][0]["properties"] = [one for one in properties if one["name"] not in ("fee_minor", "depot")]
    in_force = contracts.read_contract(yaml.safe_dump(new | {"version": "2.0.0"}, sort_keys=False), "parcel.yaml")
    firm = FirmContracts(dict(known.current) | {"parcel": in_force}, {one.header: one for one in (old, in_force)})
    access = warehouse.LakeAccess(parcels.firm.database.url, parcels.settings)
    tables = warehouse.describe(access, parcels.firm.tenant.id)
    masking = masking_of(parcels.actor(Role.DATA_ENGINEER))
    assert shown_to(masking, firm)(tables)["parcel"] == shown_to(masking, known)(tables)["parcel"]
    assert "fee_minor" in shown_to(masking, firm)(tables)["parcel"]
