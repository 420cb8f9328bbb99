"""Months, merging within them, and the lake as it was."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime, timedelta

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finer.kit.errors import MomentToCome
from finer.kit.settings import Settings
from finer.warehouse.errors import LakeEmpty, SnapshotGone
from finer.warehouse.service import lake as service
from finer.warehouse.store.append import Appender
from finer.warehouse.store.catalogue import Catalogue
from finer.warehouse.store.copies import copies_folder
from finer.warehouse.types import LakeBatch
from tests.warehouse.conftest import both_places
from tests.warehouse.samples import LABEL, sample_batch

COUNT = "select count(*)::int as n, max(log_offset)::int as last from transactions"


def _moved(batch: LakeBatch, months: dict[int, datetime]) -> LakeBatch:
    """The batch with some rows at other times."""
    times = batch.events.column("occurred_at").to_pylist()
    for row, moment in months.items():
        times[row] = moment
    index = batch.events.schema.get_field_index("occurred_at")
    events = batch.events.set_column(index, "occurred_at", pa.array(times, pa.timestamp("us", "UTC")))
    return msgspec.structs.replace(batch, events=events)


def _files(access: service.LakeAccess, tenant: uuid.UUID, table: str = "transactions") -> list[str]:
    with access.catalogue() as connection:
        found = Catalogue(connection, tenant).files(access.address(tenant))
    return next(one.files for one in found if one.table.name == table)


@both_places
def test_records_of_each_month_are_in_files_of_their_own(
    writer: service.LakeWriter, reader: service.LakeReader, access: service.LakeAccess, tenant: uuid.UUID
) -> None:
    end_of_march = datetime(2026, 3, 31, 23, 59, 59, 999_999, UTC)
    april, long_ago = datetime(2026, 4, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)
    for first in (0, 10, 20):
        writer.put(_moved(sample_batch(tenant, first, 10), {1: end_of_march, 2: april, 3: long_ago}))
        assert writer.flush()
    months = sorted({path.split("occurred_month=")[1].split("/")[0] for path in _files(access, tenant)})
    assert months == ["1970-01-01", "2026-03-01", "2026-04-01"]
    assert len(_files(access, tenant)) == 9
    service.compact(access, tenant)
    files = _files(access, tenant)
    assert len(files) == 3
    assert service.broken_invariants(reader, tenant, {"transaction": 30}) == []
    place = access.place
    for path in files:
        rows = pq.read_table(path.removeprefix(place.prefix), filesystem=place.filesystem, partitioning=None)
        times = rows.column("occurred_at").to_pylist()
        assert times == sorted(times)
        assert {date(at.year, at.month, 1).isoformat() for at in times} == {path.split("month=")[1].split("/")[0]}
    found = reader.read(tenant, "select count(*)::int as n from transactions where occurred_at >= $at", {"at": april})
    assert found.to_pylist() == [{"n": 3}]
    assert service.compact(access, tenant).files_before == 0  # nothing is worth opening the lake for


def test_labels_have_no_months(writer: service.LakeWriter, access: service.LakeAccess, tenant: uuid.UUID) -> None:
    service.append_labels(access, tenant, [LABEL])
    (table,) = service.describe(access, tenant)
    assert not table.by_month


@both_places
def test_the_lake_can_be_asked_as_it_was(
    writer: service.LakeWriter, reader: service.LakeReader, access: service.LakeAccess, tenant: uuid.UUID
) -> None:
    with pytest.raises(LakeEmpty):
        service.sql(access, tenant, COUNT, as_of=1)
    known: list[tuple[int, int]] = []
    for first in range(0, 40, 10):
        writer.put(sample_batch(tenant, first, 10, extra="late" if first >= 20 else None))
        assert writer.flush()
        known.append((service.snapshots(access, tenant, 1, None)[0].id, first + 10))

    def check() -> None:
        for snapshot, rows in known[1::2]:
            found = service.sql(access, tenant, COUNT, as_of=snapshot).table.to_pylist()
            assert found == [{"n": rows, "last": rows - 1}]

    check()
    service.compact(access, tenant)
    assert any("merge" in change for one in service.snapshots(access, tenant, 5, None) for change in one.changes)
    check()  # the merged files tell by each row since when it is there
    listed = {one.id: one for one in service.snapshots(access, tenant, 100, None)}
    first, rows = known[1]
    assert "append to transactions" in listed[first].changes
    assert service.sql(access, tenant, COUNT, as_of=listed[first].at).table.column("n").to_pylist() == [rows]
    just_before = listed[first].at - timedelta(microseconds=1)
    assert service.sql(access, tenant, COUNT, as_of=just_before).table.column("n").to_pylist() == [known[0][1]]
    columns = service.sql(access, tenant, "describe transactions", as_of=first).table.column("column_name").to_pylist()
    assert "late" not in columns
    assert service.snapshots(access, tenant, 100, first)[0].id < first


def test_rows_deleted_later_are_there_as_of_before(
    writer: service.LakeWriter, access: service.LakeAccess, tenant: uuid.UUID
) -> None:
    for first in (0, 10):
        writer.put(sample_batch(tenant, first, 10))
        assert writer.flush()
    before = service.snapshots(access, tenant, 1, None)[0].id
    appender = Appender(access, capacity=1)
    with appender.attachments.use(tenant) as lake:
        appender.attachments.duckdb.execute(f"delete from {lake}.transactions where log_offset in (3, 15)")
    appender.close()
    after = service.snapshots(access, tenant, 1, None)[0]
    assert after.changes == ("delete from transactions",)
    counts = [service.sql(access, tenant, COUNT, as_of=at).table.column("n")[0].as_py() for at in (before, after.id)]
    assert counts == [20, 18]


def test_what_is_not_remembered_is_told(
    writer: service.LakeWriter, access: service.LakeAccess, database_url: str, settings: Settings, tenant: uuid.UUID
) -> None:
    writer.put(sample_batch(tenant, 0, 10))
    assert writer.flush()
    first = service.snapshots(access, tenant, 1, None)[0]
    writer.put(sample_batch(tenant, 10, 10))
    assert writer.flush()
    for asked in (10**9, first.at - timedelta(days=1), datetime(1970, 1, 1, tzinfo=UTC)):
        with pytest.raises(SnapshotGone, match="remembers back to"):
            service.sql(access, tenant, COUNT, as_of=asked)
    to_come = datetime.now(UTC) + timedelta(minutes=2)
    with pytest.raises(MomentToCome, match=f"as of {re.escape(to_come.isoformat())} yet"):
        service.sql(access, tenant, COUNT, as_of=to_come)
    forgetful = service.LakeAccess(database_url, msgspec.structs.replace(settings, lake_snapshots_keep_days=0))
    service.compact(forgetful, tenant)
    with pytest.raises(SnapshotGone):
        service.sql(access, tenant, COUNT, as_of=first.id)
    with pytest.raises(SnapshotGone):
        service.sql(access, tenant, COUNT, as_of=first.at)


@both_places
def test_i02_erased_people_do_not_come_back_by_time_travel(
    writer: service.LakeWriter, access: service.LakeAccess, settings: Settings, tenant: uuid.UUID
) -> None:
    query = "select count(*)::int as n from transactions where customer_id = 'anna'"

    def batch(first: int) -> LakeBatch:
        found = sample_batch(tenant, first, 10)
        people = pa.array(["anna" if n % 2 else "ben" for n in range(10)])
        return msgspec.structs.replace(found, events=found.events.append_column("customer_id", people))

    for first in (0, 10, 20):
        writer.put(batch(first))
        assert writer.flush()
    service.compact(access, tenant)  # some of the rows are in a merged file
    writer.put(batch(30))
    assert writer.flush()
    known = [one.id for one in service.snapshots(access, tenant, 100, None)]
    assert service.sql(access, tenant, query, as_of=known[0]).table.to_pylist() == [{"n": 20}]
    copies = copies_folder(settings, tenant)
    assert any(copies.rglob("*.parquet")) != access.place.local
    wanted = {"transaction": {"customer_id": "pseudonym"}}
    assert service.part_customer(access, tenant, "anna", "salt", wanted) == ({"transactions": 20}, {})
    assert not any(copies.rglob("*.parquet"))
    for snapshot in known:
        with pytest.raises(SnapshotGone):
            service.sql(access, tenant, query, as_of=snapshot)
    for one in service.snapshots(access, tenant, 100, None):
        assert service.sql(access, tenant, query, as_of=one.id).table.to_pylist() == [{"n": 0}]
    # Neither the files that are left nor the copies of this machine know the name.
    held = pa.concat_tables(
        [
            pq.read_table(path.removeprefix(access.place.prefix), filesystem=access.place.filesystem, partitioning=None)
            for path in _files(access, tenant)
        ],
        promote_options="default",
    )
    assert "anna" not in held.column("customer_id").to_pylist()
    assert held.num_rows == 40
    writer.put(batch(40))
    assert writer.flush()
    assert service.sql(access, tenant, query).table.to_pylist() == [{"n": 5}]
