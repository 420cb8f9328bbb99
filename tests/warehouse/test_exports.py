"""Tables as files: the rows asked for, masked, in bounded memory, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import timedelta

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finer.ingest.service import contracts
from finer.ingest.types.contracts import FirmContracts
from finer.kit.errors import InvalidInput
from finer.kit.masking import UNMASKED, DataClass, Form, Masking
from finer.kit.settings import Settings
from finer.warehouse.errors import ExportTooLarge, LakeEmpty, TableNotFound
from finer.warehouse.service import exports
from finer.warehouse.service.lake import LakeAccess, LakeWriter, snapshots
from finer.warehouse.service.shown import shown_to
from finer.warehouse.types import ExportFormat, LakeBatch, Wanted
from tests.support.formulas import NOT_RUN, RUN
from tests.warehouse.conftest import both_places
from tests.warehouse.samples import START, sample_batch

PARTIAL = Masking(dict.fromkeys(DataClass, Form.PARTIAL) | {DataClass.INTERNAL: Form.CLEAR})


def _of_people(batch: LakeBatch, names: list[str]) -> LakeBatch:
    people = pa.array([names[n % len(names)] for n in range(batch.events.num_rows)])
    return msgspec.structs.replace(batch, events=batch.events.append_column("customer_id", people))


def _export(access: LakeAccess, tenant: uuid.UUID, wanted: Wanted, masking: Masking = UNMASKED) -> tuple[int, bytes]:
    target, told = io.BytesIO(), []
    shown = shown_to(masking, FirmContracts(contracts.contracts(), {}))
    rows = exports.write_export(b"secret", access, tenant, wanted, shown, target, lambda *so_far: told.append(so_far))
    assert told[0] == (0, rows)
    assert told[-1] == (rows, rows)
    return rows, target.getvalue()


@both_places
def test_a_range_of_a_table_as_parquet_and_csv(writer: LakeWriter, access: LakeAccess, tenant: uuid.UUID) -> None:
    for first in (0, 10):
        writer.put(sample_batch(tenant, first, 10))
        assert writer.flush()
    early = snapshots(access, tenant, 1)[0].id - 1
    since, until = START + timedelta(seconds=3), START + timedelta(seconds=17)
    rows, body = _export(
        access, tenant, Wanted(table="transactions", format=ExportFormat.PARQUET, since=since, until=until)
    )
    table = pq.read_table(io.BytesIO(body))
    assert rows == 14
    assert sorted(table.column("log_offset").to_pylist()) == list(range(3, 17))
    assert "occurred_month" not in table.column_names
    rows, body = _export(access, tenant, Wanted(table="decisions", format=ExportFormat.CSV, as_of=early))
    found = list(csv.DictReader(io.StringIO(body.decode())))
    assert rows == 10 == len(found)
    assert found[0]["occurred_at"] == "2026-03-01T12:00:00.000000Z"
    assert {row["rules"] for row in found} == {"velocity", ""}
    assert found[0]["score"] == "0"


def test_what_somebody_may_not_see_is_not_in_the_file(
    writer: LakeWriter, access: LakeAccess, tenant: uuid.UUID
) -> None:
    writer.put(_of_people(sample_batch(tenant, 0, 20), ["customer-anna-1", "customer-ben-22"]))
    assert writer.flush()
    wanted = Wanted(table="transactions", format=ExportFormat.CSV)
    _, clear = _export(access, tenant, wanted)
    _, partial = _export(access, tenant, wanted, PARTIAL)
    _, nothing = _export(access, tenant, wanted, Masking({DataClass.INTERNAL: Form.CLEAR}))
    assert b"customer-anna-1" in clear
    for body in (partial, nothing):
        assert b"anna" not in body
        assert b"account-3" not in body
    tokens = {row["customer_id"] for row in csv.DictReader(io.StringIO(partial.decode()))}
    assert len(tokens) == 2
    assert {row["customer_id"] for row in csv.DictReader(io.StringIO(nothing.decode()))} == {""}
    assert len({row["amount_minor"] for row in csv.DictReader(io.StringIO(nothing.decode()))}) == 20


def test_c11_no_text_of_an_export_is_a_formula(writer: LakeWriter, access: LakeAccess, tenant: uuid.UUID) -> None:
    names = [*RUN, *NOT_RUN]
    batch = _of_people(sample_batch(tenant, 0, len(names)), names)
    writer.put(msgspec.structs.replace(batch, events=batch.events))
    assert writer.flush()
    _, body = _export(access, tenant, Wanted(table="transactions", format=ExportFormat.CSV))
    cells = [row["customer_id"] for row in csv.DictReader(io.StringIO(body.decode(), newline=""))]
    assert cells == [*(f"'{text}" for text in RUN), *NOT_RUN]
    _, body = _export(access, tenant, Wanted(table="transactions", format=ExportFormat.PARQUET))
    assert pq.read_table(io.BytesIO(body)).column("customer_id").to_pylist() == names


def test_an_export_has_limits(
    writer: LakeWriter, database_url: str, settings: Settings, access: LakeAccess, tenant: uuid.UUID
) -> None:
    with pytest.raises(LakeEmpty):
        _export(access, tenant, Wanted(table="transactions", format=ExportFormat.CSV))
    writer.put(sample_batch(tenant, 0, 20))
    assert writer.flush()
    with pytest.raises(TableNotFound, match="decisions, transactions") as strange:
        _export(access, tenant, Wanted(table='transactions"; drop', format=ExportFormat.CSV))
    assert strange.value.title == "There is no such table"
    with pytest.raises(InvalidInput, match="ends before it begins"):
        _export(access, tenant, Wanted(table="transactions", format=ExportFormat.CSV, since=START, until=START))
    small = LakeAccess(database_url, msgspec.structs.replace(settings, lake_export_rows_max=19))
    with pytest.raises(ExportTooLarge, match="20 rows"):
        _export(small, tenant, Wanted(table="transactions", format=ExportFormat.CSV))
