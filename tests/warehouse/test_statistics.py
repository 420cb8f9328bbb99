"""Statistics of columns that the files contradict, as earlier versions left them: found, told, and mended."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import UTC, datetime, timedelta

import msgspec
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finer.kit.clock import FixedClock
from finer.kit.settings import Settings
from finer.warehouse.service import lake as service
from finer.warehouse.store.attachments import Attachments
from tests.warehouse.conftest import both_places
from tests.warehouse.samples import START, order_batch, sample_batch

MENDS = "`finer job run compact_lake` mends it."


class Lake:
    """A firm's lake, and what is asked of it."""

    def __init__(
        self, access: service.LakeAccess, writer: service.LakeWriter, reader: service.LakeReader, tenant: uuid.UUID
    ) -> None:
        self.access, self.writer, self.reader, self.tenant = access, writer, reader, tenant

    def put(self, first: int, rows: int, *, extra: str | None = "late", merchant: str | None = None) -> None:
        """Write payments as Finer does."""
        batch = sample_batch(self.tenant, first, rows, extra=extra)
        if merchant is not None:
            at = batch.events.schema.get_field_index("merchant_name")
            named = batch.events.set_column(at, "merchant_name", pa.array([merchant] * rows))
            batch = msgspec.structs.replace(batch, events=named)
        self.writer.put(batch)
        assert self.writer.flush()

    def add(self, first: int, rows: int, *, without: str = "", silent_of: str = "", month: int = 3) -> None:
        """Add a file to the payments as an earlier version did: without a column, or without statistics of one.

        Files of one month are merged before anything is mended; one that is alone in its month stays as it is.
        """
        batch = sample_batch(self.tenant, first, rows, extra="late").events
        table = pa.Table.from_batches([batch]).drop_columns(["awaited", *filter(None, [without])])
        table = table.append_column("log_partition", pa.array([0] * rows, pa.int32()))
        table = table.append_column("log_offset", pa.array(range(first, first + rows), pa.int64()))
        at = pa.array([START.replace(month=month)] * rows, pa.timestamp("us", "UTC"))
        table = table.set_column(table.schema.get_field_index("occurred_at"), "occurred_at", at)
        place, folder = self.access.place, (self.tenant.hex, "main", "transactions", f"occurred_month=2026-0{month}-01")
        place.prepare(*folder)
        file = f"{uuid.uuid4().hex}.parquet"
        kept = [name for name in table.column_names if name != silent_of]
        pq.write_table(table, place.path(*folder, file), filesystem=place.filesystem, write_statistics=kept)
        attachments = Attachments(self.access, capacity=1, memory_mb=256, create=True)
        with attachments.use(self.tenant) as lake:
            attachments.duckdb.execute(
                f"call ducklake_add_data_files('{lake}', 'transactions', ?, hive_partitioning => true, "
                "allow_missing => true)",
                [place.address(*folder, file)],
            )
        attachments.close()

    def claim(self, column: str, low: str, high: str | None) -> None:
        """Let the catalogue tell bounds of a column of the payments; without `high` the upper one stays."""
        with self.access.catalogue() as connection:
            schema = psycopg.sql.Identifier(service.schema_name(self.tenant))
            connection.execute(
                psycopg.sql.SQL(
                    "update {s}.ducklake_table_column_stats n set min_value = %s, max_value = coalesce(%s, max_value) "
                    "from {s}.ducklake_column c join {s}.ducklake_table t using (table_id) "
                    "where t.table_name = 'transactions' and c.column_name = %s and n.table_id = c.table_id "
                    "and n.column_id = c.column_id"
                ).format(s=schema),
                (low, high, column),
            )

    def offsets(self, condition: str) -> list[int]:
        query = f"select log_offset from transactions where {condition} order by 1"
        found: list[int] = self.reader.read(self.tenant, query).column(0).to_pylist()
        return found

    def count(self, column: str) -> int:
        found: int = (
            self.reader.read(self.tenant, f"select count({column}) as n from transactions").column(0)[0].as_py()
        )
        return found

    def broken(self) -> list[str]:
        return service.broken_invariants(self.reader, self.tenant)

    def mended(self) -> int:
        return service.compact(self.access, self.tenant).columns_mended


@pytest.fixture
def lake(access: service.LakeAccess, writer: service.LakeWriter, reader: service.LakeReader, tenant: uuid.UUID) -> Lake:
    return Lake(access, writer, reader, tenant)


@pytest.mark.parametrize("month", [3, 4])
def test_a_column_that_a_file_lacks_is_found_with_its_nulls_after_mending(lake: Lake, month: int) -> None:
    lake.put(0, 5)
    lake.add(5, 5, without="late", month=month)
    # As it was for firms: the records are there, and nobody finds them.
    assert (lake.offsets("late is null"), lake.count("late")) == ([], 10)
    [said] = [one for one in lake.broken() if "transactions.late" in one]
    assert said == (
        "The catalogue is wrong of transactions.late, so that queries may find too little: it is said to hold no "
        f"nulls, which is wrong of 1 of its files. {MENDS}"
    )
    assert lake.mended() == 1
    assert (lake.offsets("late is null"), lake.count("late")) == ([5, 6, 7, 8, 9], 5)
    assert not [one for one in lake.broken() if "catalogue" in one]
    # A writer that knew the statistics of before goes on from those of now.
    lake.put(10, 5)
    assert (lake.offsets("late is null"), lake.count("late")) == ([5, 6, 7, 8, 9], 10)
    assert lake.offsets("late = 'late-12'") == [12]
    assert lake.mended() == 0


def test_a_column_that_every_file_lacks_is_found_with_its_nulls_after_mending(lake: Lake) -> None:
    lake.put(0, 5)
    lake.add(5, 5, without="late", month=4)
    attachments = Attachments(lake.access, capacity=1, memory_mb=256, create=True)
    with attachments.use(lake.tenant) as name:
        attachments.duckdb.execute(f"delete from {name}.main.transactions where log_offset < 5")
    attachments.close()
    # The file with the column goes once it is in no snapshot, with what it said, and what the table says stays.
    lake.writer.put(order_batch(lake.tenant, 0, 3))
    assert lake.writer.flush()
    later = FixedClock(datetime.now(UTC) + timedelta(days=400))
    service.compact(lake.access, lake.tenant, clock=later)
    assert lake.mended() == 0
    assert lake.offsets("late is null") == [5, 6, 7, 8, 9]
    assert lake.count("late") == 0


@both_places
@pytest.mark.parametrize("month", [3, 4])
def test_values_of_a_file_without_statistics_are_found_after_mending(lake: Lake, month: int) -> None:
    lake.put(0, 5)
    lake.add(5, 5, silent_of="merchant_name", month=month)
    lake.put(10, 1, merchant="Zoo")
    # DuckLake took the bounds of the last file for those of the table.
    assert lake.offsets("merchant_name = 'Shop 1'") == []
    [said] = [one for one in lake.broken() if "merchant_name" in one]
    assert "bounds are told of it, and 1 of its files tell none; some values lie outside of its bounds. " in said
    assert lake.mended() >= 1
    assert lake.offsets("merchant_name = 'Shop 1'") == [1, 4, 7]
    assert lake.offsets("merchant_name is null") == [0, 3, 6, 9]
    assert lake.offsets("merchant_name = 'Zoo'") == [10]
    assert not [one for one in lake.broken() if "catalogue" in one]
    lake.put(11, 5)
    assert lake.offsets("merchant_name = 'Shop 1'") == [1, 4, 7, 13]
    assert lake.mended() == 0


def test_texts_that_are_too_long_for_statistics_hide_nothing_after_mending(lake: Lake) -> None:
    lake.put(0, 5)
    lake.put(5, 1, merchant="x" * 5_000)
    lake.put(6, 1, merchant="Zoo")
    assert lake.mended() == 1
    assert lake.offsets("merchant_name = 'Shop 1'") == [1, 4]
    assert lake.offsets("length(merchant_name) = 5000") == [5]
    assert lake.offsets("merchant_name > 'Zoo'") == [5]
    assert not [one for one in lake.broken() if "catalogue" in one]


@pytest.mark.parametrize(
    ("column", "low", "high", "condition", "wanted"),
    [
        ("amount_minor", "905", "1005", "amount_minor = 205", [2]),  # compared as numbers, of which 905 is the smaller
        ("amount_minor", "5", "50", "amount_minor > 300", [3, 4, 5, 6, 7, 8, 9, 10, 11]),
        ("occurred_at", "2026-03-01 12:00:09+00", "2026-03-01 12:00:11+00", "second(occurred_at) = 4", [4]),
        ("account_id", "account-5", "account-6", "account_id = 'account-0'", [0, 7]),
        ("awaited_by", "true", "true", "not awaited_by", [0]),
    ],
)
def test_bounds_that_leave_values_out_are_found_whatever_they_are_of(
    lake: Lake, settings: Settings, column: str, low: str, high: str, condition: str, wanted: list[int]
) -> None:
    flags = pa.array([False] + [True] * 11)
    batch = sample_batch(lake.tenant, 0, 12)
    lake.writer.put(msgspec.structs.replace(batch, events=batch.events.append_column("awaited_by", flags)))
    lake.writer.put(order_batch(lake.tenant, 0, 3))
    assert lake.writer.flush()
    assert (lake.mended(), lake.broken()) == (0, [])
    lake.claim(column, low, high)
    [said] = lake.broken()
    assert f"The catalogue is wrong of transactions.{column}, " in said
    assert lake.mended() == 1
    assert lake.broken() == []
    fresh = service.LakeReader(lake.access.url, settings, memory_mb=256, threads=1)
    found = fresh.read(lake.tenant, f"select log_offset from transactions where {condition} order by 1")
    assert found.column(0).to_pylist() == wanted
    fresh.close()


def test_what_is_no_value_of_a_column_ends_no_upkeep(lake: Lake) -> None:
    lake.put(0, 5)
    lake.claim("amount_minor", "few", "many")
    lake.claim("occurred_at", "-infinity+00", "2026-02-30")
    assert (lake.broken(), lake.mended()) == ([], 0)


def test_bounds_are_written_as_the_lake_reads_them_however_the_database_shows_days(lake: Lake) -> None:
    lake.put(0, 12)
    lake.claim("occurred_at", "2026-03-01 12:00:09+00", None)
    # As an operator may have set it for the whole of a server of their own.
    german = dataclasses.replace(lake.access, url=f"{lake.access.url}&options=-c%20datestyle%3DSQL,DMY")
    assert service.compact(german, lake.tenant).columns_mended > 0
    lake.put(12, 1)
    assert lake.offsets("second(occurred_at) = 4") == [4]
    assert lake.offsets("occurred_at < '2026-03-01 12:00:05+00'") == [0, 1, 2, 3, 4]
    with german.catalogue() as connection:
        assert connection.execute("show datestyle").fetchone() == ("SQL, DMY",)
    assert lake.broken() == []


def test_a_lake_that_grows_while_it_is_mended_loses_nothing(lake: Lake) -> None:
    lake.put(0, 5)
    for first in range(5, 45, 10):
        lake.add(first, 5, without="late")
        lake.writer.put(sample_batch(lake.tenant, first + 5, 5, extra="late"))
        lake.mended()
    assert lake.writer.flush()
    lake.mended()
    lacking = [first + at for first in range(5, 45, 10) for at in range(5)]
    assert lake.offsets("late is null") == lacking
    assert lake.count("late") == 45 - len(lacking)
    assert not [one for one in lake.broken() if "catalogue" in one]
