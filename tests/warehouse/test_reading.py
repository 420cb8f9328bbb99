"""The timeline of an account, and upkeep that changes no row."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psycopg
import pytest
from pyarrow import fs
from structlog.testing import capture_logs

from finer.kit.clock import FixedClock
from finer.kit.db import LAKE, connect, server_answers
from finer.kit.documents import Money
from finer.kit.settings import Settings
from finer.warehouse.errors import LakeEmpty, LakeUnavailable
from finer.warehouse.service import lake as service
from finer.warehouse.store.access import unavailable
from finer.warehouse.store.append import Appender
from tests.warehouse.conftest import both_places
from tests.warehouse.samples import LABEL, START, sample_batch

LATER = datetime.now(UTC) + timedelta(days=400)


@both_places
def test_timeline_is_what_the_account_did_around_a_moment(
    writer: service.LakeWriter, reader: service.LakeReader, tenant: uuid.UUID
) -> None:
    assert reader.account_timeline(tenant, "account-3", START, "event-3") == []
    for first in range(0, 400, 50):
        writer.put(sample_batch(tenant, first, 50))
        assert writer.flush()
    at = START + timedelta(seconds=220)
    found = reader.account_timeline(tenant, "account-3", at, "event-220", limit=8)
    assert [row.event_id for row in found] == [
        "event-234", "event-227",
        "event-220", "event-213", "event-206", "event-199", "event-192", "event-185",
    ]  # fmt: skip
    assert [row.event_id for row in found if row.this] == ["event-220"]
    assert [row.event_id for row in found if row.action == "block"] == ["event-220"]
    assert found[2].amount == Money(22005, "USD", "220.05 USD")
    assert found[2].occurred_at == at
    assert reader.account_timeline(tenant, "account-unknown", at, "event-220") == []


def test_what_is_not_there_is_told(
    writer: service.LakeWriter, reader: service.LakeReader, access: service.LakeAccess, tenant: uuid.UUID
) -> None:
    with pytest.raises(LakeEmpty):
        reader.read(tenant, "select 1")
    assert reader.tables(tenant) == []
    assert service.describe(access, tenant) == []
    assert writer.offsets(tenant) == {}
    writer.put(sample_batch(tenant, 0, 1))
    assert writer.flush()
    with pytest.raises(LakeEmpty, match="orders"):
        reader.read(tenant, "select * from orders")
    # A table that no contract has is a mistake in the query, and no table that will come.
    with pytest.raises(LookupError, match="transactoins"):
        reader.read(tenant, "select * from transactoins")
    with pytest.raises(LookupError, match="transactoins"):
        list(reader.stream(tenant, "select * from transactoins", {}))
    assert reader.newest(tenant, "parcel_scan") == []
    assert reader.count(tenant, "parcel_scan", START, START) == 0
    with pytest.raises(LakeUnavailable):
        reader.read(tenant, "select no_such_function(1)")
    assert [(table.name, table.rows) for table in service.describe(access, tenant)] == [
        ("decisions", 1),
        ("transactions", 1),
    ]


def test_a_catalogue_that_has_lost_a_table_of_its_own_is_no_empty_lake(
    writer: service.LakeWriter, reader: service.LakeReader, access: service.LakeAccess, tenant: uuid.UUID
) -> None:
    writer.put(sample_batch(tenant, 0, 1))
    assert writer.flush()
    for lost in ("data_file", "column"):
        with connect(access.url, LAKE) as connection:
            connection.execute(f"drop table {service.schema_name(tenant)}.ducklake_{lost}")
        with pytest.raises(LakeUnavailable):
            reader.newest(tenant, "transaction")


def test_i08_an_error_of_the_lake_names_no_file_machine_or_account(
    writer: service.LakeWriter, reader: service.LakeReader, access: service.LakeAccess, tenant: uuid.UUID
) -> None:
    writer.put(sample_batch(tenant, 0, 10))
    assert writer.flush()
    found = access.place.filesystem.get_file_info(fs.FileSelector(access.address(tenant), recursive=True))
    for file in found:
        if file.is_file:
            access.place.filesystem.delete_file(file.path)
    with capture_logs() as logged, pytest.raises(LakeUnavailable) as told:
        reader.read(tenant, "select * from transactions")
    assert access.address(tenant) not in told.value.detail
    assert "parquet" not in told.value.detail
    assert ".parquet" in logged[0]["error"]
    secret = (
        "IO Error: Unable to connect at \"postgresql://finer_lake:hush%21@db.internal/finer?x=1\": password='hu sh'"
    )
    with capture_logs() as logged:
        error = unavailable("The lake cannot be read.", RuntimeError(secret))
    assert "hu" not in str(logged)
    assert "db.internal" not in error.detail


@pytest.mark.parametrize("place", ["gs://bucket/lake", "s3://", "https://bucket/lake"])
def test_a_place_that_cannot_be_is_refused_clearly(database_url: str, place: str) -> None:
    access = service.LakeAccess(database_url, Settings(lake=place))
    with pytest.raises(LakeUnavailable, match="FINER_LAKE"):
        access.place.path()


def test_who_reads_the_lake_of_a_database_that_stands_still_is_told_and_reads_it_when_it_is_back(
    writer: service.LakeWriter, reader: service.LakeReader, access: service.LakeAccess, tenant: uuid.UUID
) -> None:
    query = "select count(*) as n from transactions"
    writer.put(sample_batch(tenant, 0, 10))
    assert writer.flush()
    writer.close()
    waiting = "select 1 from pg_locks where not granted and relation = %s::regclass"
    catalogue = f"{service.schema_name(tenant)}.ducklake_snapshot"
    with (
        closing(psycopg.connect(access.url)) as hold,
        closing(psycopg.connect(access.url, autocommit=True)) as watch,
        ThreadPoolExecutor(1) as pool,
    ):
        hold.execute(f"lock table {catalogue} in access exclusive mode")
        asked = pool.submit(reader.read, tenant, query)
        while not watch.execute(waiting, (catalogue,)).fetchone():
            assert not asked.done()
        with closing(connect(access.url, LAKE)):
            server_answers(False)
            with pytest.raises(LakeUnavailable):
                asked.result(30)
            server_answers(True)
    assert reader.read(tenant, query).to_pylist() == [{"n": 10}]


@both_places
def test_upkeep_while_writing_changes_no_row(
    writer: service.LakeWriter,
    reader: service.LakeReader,
    access: service.LakeAccess,
    database_url: str,
    settings: Settings,
    tenant: uuid.UUID,
) -> None:
    forgetful = service.LakeAccess(database_url, msgspec.structs.replace(settings, lake_snapshots_keep_days=0))
    for first in range(0, 200, 10):
        writer.put(sample_batch(tenant, first, 10, extra="late" if first >= 100 else None))
        assert writer.flush()
    stop = threading.Event()
    written = 200

    def write() -> None:
        nonlocal written
        while not stop.is_set():
            writer.put(sample_batch(tenant, written, 10))
            written += 10
            writer.flush()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        done = [service.compact(forgetful, tenant) for _ in range(3)]
    finally:
        stop.set()
        thread.join()
    assert done[0].files_before >= 40
    assert done[0].files_after < done[0].files_before
    assert done[0].snapshots_expired > 0
    assert service.compact(access, tenant, clock=FixedClock(LATER)).files_deleted >= 40
    assert service.broken_invariants(reader, tenant, {"transaction": written}) == []
    assert writer.offsets(tenant) == {("transaction", 0): written}
    query = "select count(*) as n, sum(amount_minor)::bigint as amount, count(late) as late from transactions"
    expected = [{"n": written, "amount": sum(n * 100 + 5 for n in range(written)), "late": 100}]
    assert reader.read(tenant, query).to_pylist() == expected
    assert service.sql(access, tenant, query).table.to_pylist() == expected


@both_places
def test_offsets_survive_the_end_of_their_snapshot(
    writer: service.LakeWriter, access: service.LakeAccess, reader: service.LakeReader, tenant: uuid.UUID
) -> None:
    writer.put(sample_batch(tenant, 0, 10))
    assert writer.flush()
    service.append_labels(access, tenant, [LABEL])
    for _ in range(2):
        service.compact(access, tenant, clock=FixedClock(LATER))
    assert writer.offsets(tenant) == {("transaction", 0): 10}
    writer.put(sample_batch(tenant, 0, 12))
    assert writer.flush()
    assert reader.read(tenant, "select count(*) as n from transactions").to_pylist() == [{"n": 12}]


@both_places
def test_files_of_dead_attempts_are_deleted_a_day_later(
    writer: service.LakeWriter, access: service.LakeAccess, tenant: uuid.UUID
) -> None:
    writer.put(sample_batch(tenant, 0, 10))
    assert writer.flush()
    place = access.place
    orphan = place.path(tenant.hex, "main", "transactions", "orphan.parquet")
    with place.filesystem.open_output_stream(orphan) as file:
        file.write(b"PAR1")

    def there() -> bool:
        found: bool = place.filesystem.get_file_info(orphan).type is fs.FileType.File
        return found

    service.compact(access, tenant)
    assert there()
    service.compact(access, tenant, clock=FixedClock(LATER))
    assert not there()
    assert service.sql(access, tenant, "select count(*) as n from transactions").table.to_pylist() == [{"n": 10}]


@both_places
def test_deleted_rows_stay_deleted_in_the_sandbox(
    writer: service.LakeWriter, access: service.LakeAccess, tenant: uuid.UUID
) -> None:
    for first in (0, 10):
        writer.put(sample_batch(tenant, first, 10))
        assert writer.flush()
    appender = Appender(access, capacity=1)
    with appender.attachments.use(tenant) as lake:
        appender.attachments.duckdb.execute(f"delete from {lake}.transactions where log_offset in (3, 5)")
    appender.close()
    found = service.sql(access, tenant, "select log_offset from transactions order by 1").table.column(0).to_pylist()
    assert found == [n for n in range(20) if n not in (3, 5)]


def test_the_role_of_the_lake_reads_no_table_of_the_application(
    writer: service.LakeWriter, database_url: str, tenant: uuid.UUID
) -> None:
    writer.put(sample_batch(tenant, 0, 1))
    assert writer.flush()
    with connect(database_url, LAKE) as connection:
        for table in ("warehouse_freshness", "kit_log"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select * from {table}")
        owner = connection.execute(
            "select nspowner::regrole::text from pg_namespace where nspname = %s", (f"lake_{tenant.hex}",)
        ).fetchone()
        assert owner == ("finer_lake",)


def test_a_lake_can_be_moved(
    writer: service.LakeWriter, access: service.LakeAccess, database_url: str, tmp_path: Path, tenant: uuid.UUID
) -> None:
    writer.put(sample_batch(tenant, 0, 10))
    assert writer.flush()
    moved = Settings(data_dir=str(tmp_path), lake=str(tmp_path / "elsewhere"))
    Path(access.place.root).rename(tmp_path / "elsewhere")
    reader = service.LakeReader(database_url, moved)
    assert reader.read(tenant, "select count(*) as n from transactions").to_pylist() == [{"n": 10}]
    reader.close()
