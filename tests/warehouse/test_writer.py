"""Everything that is put is in the lake exactly once, whatever happens in between."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import structlog
from pyarrow.fs import LocalFileSystem

from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.kit.db import Database
from finer.kit.settings import Settings
from finer.warehouse.service import lake as service
from finer.warehouse.store import catalogue
from finer.warehouse.store.append import Appender, write_parquet
from finer.warehouse.types import Label
from tests.warehouse.conftest import both_places
from tests.warehouse.samples import LABEL, START, order_batch, sample_batch


def _offsets(reader: service.LakeReader, tenant: uuid.UUID, table: str = "transactions") -> list[int]:
    found: list[int] = reader.read(tenant, f"select log_offset from {table} order by 1").column(0).to_pylist()
    return found


@both_places
def test_records_and_decisions_are_stored_as_they_were(
    writer: service.LakeWriter, reader: service.LakeReader, tenant: uuid.UUID
) -> None:
    writer.put(sample_batch(tenant, 0, 20))
    assert writer.flush()
    event = reader.read(tenant, "select * from transactions where log_offset = 10").to_pylist()[0]
    assert "awaited" not in event
    assert (event["event_id"], event["amount_minor"], event["log_partition"]) == ("event-10", 1005, 0)
    decision = reader.read(tenant, "select * from decisions where log_offset = 10").to_pylist()[0]
    assert decision == {
        "event_id": "event-10",
        "occurred_at": event["occurred_at"],
        "log_partition": 0,
        "log_offset": 10,
        "action": "block",
        "rules": ["velocity"],
        "score": pytest.approx(0.01),
        "account_count_10s": 0.0,
        "account_sum_24h": 10 * 0.1,
        "account_mean_30d": pytest.approx(10 / 3, rel=1e-7),
        "account_previous_country": 11,
        "feature_set": "fraud/1",
        "rule_pack": "default/1",
        "model": None,
        "occurred_month": date(2026, 3, 1),
    }
    none = reader.read(
        tenant, "select rules, account_mean_30d, account_previous_country from decisions where log_offset = 1"
    )
    assert none.to_pylist() == [{"rules": [], "account_mean_30d": None, "account_previous_country": None}]
    types = {column.name: column.type for table in reader.tables(tenant) for column in table.columns}
    assert (types["account_count_10s"], types["account_sum_24h"]) == ("FLOAT", "DOUBLE")


@both_places
def test_texts_that_repeat_and_amounts_are_found_in_every_file(
    writer: service.LakeWriter, reader: service.LakeReader, tenant: uuid.UUID
) -> None:
    # In a file of one row no text repeats.
    for first, rows in ((0, 1), (1, 28), (29, 30), (59, 1)):
        writer.put(sample_batch(tenant, first, rows))
        assert writer.flush()
    for condition, wanted in (
        ("merchant_name is null", [n for n in range(60) if n % 3 == 0]),
        ("merchant_name = 'Shop 1'", [n for n in range(60) if n % 3 == 1]),
        ("merchant_name = 'Shop 2'", [n for n in range(60) if n % 3 == 2]),
        ("currency <> 'USD'", []),
        ("currency = 'USD'", list(range(60))),
    ):
        found = reader.read(tenant, f"select log_offset from transactions where {condition} order by 1")
        assert found.column(0).to_pylist() == wanted
    bounds = {"low": 29 * 0.1, "high": 31 * 0.1}
    query = "select log_offset from decisions where account_sum_24h between $low and $high order by 1"
    assert reader.read(tenant, query, bounds).column(0).to_pylist() == [29, 30, 31]


@pytest.mark.parametrize("files", [(True, False), (True, False, True), (False, True, False)])
def test_rows_that_lack_a_column_of_the_table_have_nulls_in_it(
    files: tuple[bool, ...], writer: service.LakeWriter, reader: service.LakeReader, tenant: uuid.UUID
) -> None:
    for number, there in enumerate(files):
        writer.put(sample_batch(tenant, number * 5, 5, extra="late" if there else None))
        assert writer.flush()
    lacking = [number for number in range(5 * len(files)) if not files[number // 5]]
    found = reader.read(tenant, "select log_offset from transactions where late is null order by 1")
    assert found.column(0).to_pylist() == lacking
    counted = reader.read(tenant, "select count(late)::int as there, count(*)::int as whole from transactions")
    assert counted.to_pylist() == [{"there": 5 * len(files) - len(lacking), "whole": 5 * len(files)}]


def test_records_wait_without_an_error_while_others_change_rows(
    access: service.LakeAccess,
    writer: service.LakeWriter,
    reader: service.LakeReader,
    tenant: uuid.UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(catalogue, "_PATIENCE_S", 0.1)
    with access.catalogue() as erasing, structlog.testing.capture_logs() as said:
        with catalogue.Catalogue(erasing, tenant).rows_alone():
            writer.put(sample_batch(tenant, 0, 20))
            assert not writer.flush(1)
            while writer.problem is None:
                assert not writer.flush(0.1)
            assert "Somebody else" in str(writer.problem)
        assert writer.flush()
    assert _offsets(reader, tenant) == list(range(20))
    assert {one["log_level"] for one in said} == {"info"}


@both_places
def test_duplicates_are_left_out_and_replayed_rows_dropped(
    writer: service.LakeWriter, reader: service.LakeReader, tenant: uuid.UUID
) -> None:
    writer.put(sample_batch(tenant, 0, 10, keep=[n != 4 for n in range(10)]))
    writer.put(order_batch(tenant, 0, 5))
    assert writer.flush()
    assert writer.offsets(tenant) == {("transaction", 0): 10, ("order", 0): 5}
    # The worker starts again and cuts its batches elsewhere.
    writer.put(sample_batch(tenant, 0, 7))
    writer.put(sample_batch(tenant, 7, 8))
    writer.put(order_batch(tenant, 0, 5))
    assert writer.flush()
    assert _offsets(reader, tenant) == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
    assert _offsets(reader, tenant, "decisions") == _offsets(reader, tenant)
    assert _offsets(reader, tenant, "orders") == [0, 1, 2, 3, 4]
    assert service.broken_invariants(reader, tenant, {"transaction": 14, "order": 5}) == []
    assert service.broken_invariants(reader, tenant, {"transaction": 15}) == [
        "The lake holds 14 records of transaction, and 15 were accepted."
    ]
    # Nothing of the last batch is new: the lake has come to its end all the same.
    writer.put(sample_batch(tenant, 15, 5, keep=[False] * 5))
    assert writer.flush()
    assert writer.offsets(tenant) == {("transaction", 0): 20, ("order", 0): 5}
    assert service.broken_invariants(reader, tenant, {"transaction": 14, "order": 5}) == []


def _write_and_die(url: str, settings: Settings, tenant: uuid.UUID, stage: str, at: int) -> None:
    seen = 0

    def die(reached: str) -> None:
        nonlocal seen
        seen += reached == stage
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)

    writer = service.LakeWriter(url, settings, before_commit=die)
    for first in range(0, 100, 10):
        writer.put(sample_batch(tenant, first, 10))
        writer.flush()
    if stage == "end":
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(("stage", "at"), [("files", 1), ("files", 4), ("commit", 3), ("end", 1)])
def test_a_killed_writer_loses_and_doubles_nothing(
    database_url: str, settings: Settings, reader: service.LakeReader, tenant: uuid.UUID, stage: str, at: int
) -> None:
    child = multiprocessing.get_context("spawn").Process(
        target=_write_and_die, args=(database_url, settings, tenant, stage, at)
    )
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    writer = service.LakeWriter(database_url, settings)
    try:
        for first in range(0, 100, 25):
            writer.put(sample_batch(tenant, first, 25))
        assert writer.flush()
    finally:
        writer.close()
    assert _offsets(reader, tenant) == list(range(100))
    assert service.broken_invariants(reader, tenant, {"transaction": 100}) == []


def test_lost_connections_lose_and_double_nothing(
    database_url: str, settings: Settings, reader: service.LakeReader, tenant: uuid.UUID
) -> None:
    failures = iter(["files", "commit", "commit", "files"])
    wanted = next(failures)

    def cut(reached: str) -> None:
        nonlocal wanted
        if reached == wanted:
            wanted = next(failures, "")
            with psycopg.connect(database_url, autocommit=True) as connection:
                connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() "
                    "and query like %s",
                    (f"%lake_{tenant.hex}%",),
                )

    writer = service.LakeWriter(database_url, settings, before_commit=cut)
    try:
        for first in range(0, 60, 20):
            writer.put(sample_batch(tenant, first, 20))
            assert writer.flush()
    finally:
        writer.close()
    assert wanted == ""
    assert _offsets(reader, tenant) == list(range(60))
    assert service.broken_invariants(reader, tenant, {"transaction": 60}) == []


def test_an_unforeseen_failure_does_not_end_the_writer(
    database_url: str, settings: Settings, reader: service.LakeReader, tenant: uuid.UUID
) -> None:
    failures = iter([ValueError("nobody thought of this"), KeyError("nor of that")])

    def fail(stage: str) -> None:
        if (failure := next(failures, None)) is not None:
            raise failure

    writer = service.LakeWriter(database_url, settings, before_commit=fail)
    try:
        writer.put(sample_batch(tenant, 0, 20))
        assert writer.flush()
        assert writer.problem is None
    finally:
        writer.close()
    assert _offsets(reader, tenant) == list(range(20))


def test_a_commit_whose_answer_was_lost_is_not_repeated(
    database_url: str, settings: Settings, reader: service.LakeReader, tenant: uuid.UUID
) -> None:
    other = service.LakeWriter(database_url, settings)
    done = False

    def overtake(reached: str) -> None:
        # As if an earlier attempt of this very writer had reached the database after all.
        nonlocal done
        if reached == "commit" and not done:
            done = True
            other.put(sample_batch(tenant, 0, 30))
            assert other.flush()

    writer = service.LakeWriter(database_url, settings, before_commit=overtake)
    try:
        writer.put(sample_batch(tenant, 0, 40))
        assert writer.flush()
    finally:
        writer.close()
        other.close()
    assert done
    assert _offsets(reader, tenant) == list(range(40))


def test_writers_of_two_partitions_share_a_lake(
    database_url: str, settings: Settings, reader: service.LakeReader, tenant: uuid.UUID
) -> None:
    writers = [service.LakeWriter(database_url, settings) for _ in range(2)]
    for first in range(0, 50, 10):
        for partition, writer in enumerate(writers):
            writer.put(msgspec.structs.replace(sample_batch(tenant, first, 10), partition=partition))
    for writer in writers:
        assert writer.flush()
        writer.close()
    assert reader.positions(tenant) == {("transaction", 0): 50, ("transaction", 1): 50}
    assert service.broken_invariants(reader, tenant, {"transaction": 100}) == []


@both_places
def test_tables_grow_with_their_contract(
    writer: service.LakeWriter, reader: service.LakeReader, access: service.LakeAccess, tenant: uuid.UUID
) -> None:
    writer.put(sample_batch(tenant, 0, 5))
    assert writer.flush()
    writer.put(sample_batch(tenant, 5, 5, extra="loyalty_tier"))
    writer.put(sample_batch(tenant, 10, 5))
    assert writer.flush()
    query = "select log_offset, loyalty_tier from transactions where log_offset in (4, 6, 11) order by 1"
    expected = [(4, None), (6, "loyalty_tier-6"), (11, None)]
    assert [tuple(row.values()) for row in reader.read(tenant, query).to_pylist()] == expected
    assert [tuple(row.values()) for row in service.sql(access, tenant, query).table.to_pylist()] == expected


def test_labels_are_added_beside_the_writer(
    writer: service.LakeWriter, reader: service.LakeReader, access: service.LakeAccess, tenant: uuid.UUID
) -> None:
    writer.put(sample_batch(tenant, 0, 1))
    assert writer.flush()
    stop = threading.Event()
    written = 1

    def write() -> None:
        nonlocal written
        while not stop.is_set():
            writer.put(sample_batch(tenant, written, 5))
            written += 5
            writer.flush()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(2):
            label = Label(f"event-{number}", START, "dismissed", datetime(2026, 3, 2, tzinfo=UTC), "ana")
            service.append_labels(access, tenant, [label])
            service.append_labels(access, tenant, [label])
    finally:
        stop.set()
        thread.join()
    labels = reader.read(tenant, "select event_id, verdict, source from labels order by 1").to_pylist()
    assert labels == [{"event_id": f"event-{n}", "verdict": "dismissed", "source": "ana"} for n in range(2)]
    assert _offsets(reader, tenant) == list(range(written))


def test_a_label_is_added_however_often_the_writer_comes_first(
    writer: service.LakeWriter,
    reader: service.LakeReader,
    access: service.LakeAccess,
    tenant: uuid.UUID,
) -> None:
    writer.put(sample_batch(tenant, 0, 1))
    assert writer.flush()
    written, first = 1, 0

    def come_first(stage: str) -> None:
        nonlocal written, first
        if stage == "commit":
            writer.put(sample_batch(tenant, written, 5))
            written += 5
            first += writer.flush(2)

    appender = Appender(access, capacity=1, before_commit=come_first)
    try:
        label = Label("event-0", START, "dismissed", datetime(2026, 3, 2, tzinfo=UTC), "ana")
        assert appender.append_labels(tenant, [label]).added == {"labels": 1}
    finally:
        appender.close()
    assert first > 1
    assert writer.flush()
    assert _offsets(reader, tenant) == list(range(written))


def test_many_labels_are_one_commit_and_each_is_there_once(
    reader: service.LakeReader, access: service.LakeAccess, settings: Settings, tenant: uuid.UUID
) -> None:
    def label(number: int, verdict: str = "dismissed", source: str = "ana") -> Label:
        return Label(f"event-{number}", START, verdict, datetime(2026, 3, 2, tzinfo=UTC), source)

    service.append_labels(access, tenant, [label(0), label(1), label(0, source="ben"), label(0, "confirmed_fraud")])
    service.append_labels(access, tenant, [label(number) for number in range(50)])
    assert len(list((settings.data_path / "lake").rglob("*.parquet"))) == 2
    found = reader.read(tenant, "select event_id, verdict, source from labels").to_pylist()
    expected = {(f"event-{n}", "dismissed", "ana") for n in range(50)} | {("event-0", "confirmed_fraud", "ana")}
    assert len(found) == len(expected)
    assert {tuple(row.values()) for row in found} == expected


@both_places
def test_a_label_can_be_the_first_thing_in_a_lake(
    reader: service.LakeReader, access: service.LakeAccess, tenant: uuid.UUID
) -> None:
    service.append_labels(access, tenant, [LABEL])
    assert reader.read(tenant, "select count(*) as n from labels").to_pylist() == [{"n": 1}]
    assert reader.positions(tenant) == {}
    assert service.broken_invariants(reader, tenant) == []


def test_a_full_backlog_makes_the_caller_wait(database_url: str, settings: Settings, tenant: uuid.UUID) -> None:
    held = threading.Event()
    reached = threading.Event()

    def hold(stage: str) -> None:
        reached.set()
        held.wait(20)

    small = Settings(data_dir=settings.data_dir, lake_flush_s=0.05, lake_backlog_events_max=1000)
    writer = service.LakeWriter(database_url, small, before_commit=hold)

    def put_all() -> None:
        for first in range(0, 2000, 400):
            writer.put(sample_batch(tenant, first, 400))

    more = threading.Thread(target=put_all)
    more.start()
    assert reached.wait(20)
    more.join(0.3)
    assert more.is_alive()
    assert writer.backlog <= 1000
    held.set()
    more.join(20)
    assert writer.flush()
    assert writer.backlog == 0
    writer.close()


def test_a_batch_larger_than_the_backlog_may_be_is_taken_alone(
    database_url: str, settings: Settings, tenant: uuid.UUID
) -> None:
    small = Settings(data_dir=settings.data_dir, lake_flush_s=0.05, lake_backlog_events_max=1000)
    writer = service.LakeWriter(database_url, small)
    put = threading.Thread(target=writer.put, args=(sample_batch(tenant, 0, 1500),))
    put.start()
    put.join(20)
    waits = put.is_alive()
    writer.close()  # whoever waits for room waits no longer
    assert not waits


def test_freshness_says_what_is_queryable(
    database: Database, database_url: str, settings: Settings, tenant: uuid.UUID
) -> None:
    clock = FixedClock(datetime(2026, 3, 1, 12, 1, tzinfo=UTC))
    writer = service.LakeWriter(database_url, settings, clock=clock)
    writer.put(sample_batch(tenant, 0, 30))
    writer.put(order_batch(tenant, 0, 5))
    assert writer.flush()
    writer.put(sample_batch(tenant, 30, 15))
    assert writer.flush()
    writer.close()
    with database.transaction(tenant, SYSTEM) as tx:
        found = {one.table: one for one in service.freshness(tx)}
    assert {name: one.rows for name, one in found.items()} == {"decisions": 45, "orders": 5, "transactions": 45}
    newest = found["transactions"].newest
    assert newest is not None
    assert (newest - START).total_seconds() == 44
    assert found["transactions"].delay_s == 30
    with database.transaction(uuid.uuid4(), SYSTEM) as tx:
        assert service.freshness(tx) == []


def test_freshness_is_told_by_our_clock_whatever_producers_say(
    database: Database, database_url: str, settings: Settings, tenant: uuid.UUID
) -> None:
    writer = service.LakeWriter(database_url, settings)
    batch = sample_batch(tenant, 0, 10)
    ahead = pa.array([START + timedelta(hours=20)] * 10, pa.timestamp("us", "UTC"))
    place = batch.events.schema.get_field_index("occurred_at")
    writer.put(msgspec.structs.replace(batch, events=batch.events.set_column(place, "occurred_at", ahead)))
    assert writer.flush()
    writer.close()
    with database.transaction(tenant, SYSTEM) as tx:
        found = {one.table: one.newest for one in service.freshness(tx)}
    assert found["transactions"] == START + timedelta(seconds=9)


def test_more_tenants_than_stay_attached(writer: service.LakeWriter, reader: service.LakeReader) -> None:
    tenants = [uuid.uuid4() for _ in range(5)]
    for first in (0, 10):
        for tenant in tenants:
            writer.put(sample_batch(tenant, first, 10))
        assert writer.flush()
    for tenant in tenants + tenants:
        assert _offsets(reader, tenant) == list(range(20))


def test_files_are_stored_as_spark_reads_them(tmp_path: Path) -> None:
    columns = {
        "occurred_at": pa.array([datetime(2026, 3, 1, tzinfo=UTC)] * 3, pa.timestamp("us", "UTC")),
        "amount": pa.array([1.5, 2.5, None]),
        "score": pa.array([0.5, None, 0.25], pa.float32()),
        "amount_minor": pa.array([150, 250, None], pa.int64()),
        "currency": pa.array(["USD", "USD", "EUR"]).dictionary_encode(),
        "event_id": pa.array(["a", "b", "c"]),
    }
    file = tmp_path / "some.parquet"
    write_parquet(pa.table(columns), str(file), LocalFileSystem())
    group = pq.ParquetFile(file).metadata.row_group(0)
    stored = {encoding for at in range(group.num_columns) for encoding in group.column(at).encodings}
    # What the vectorised reader of Spark 3.3 knows; anything else ends a query with an error.
    assert stored <= {"PLAIN", "RLE", "RLE_DICTIONARY", "PLAIN_DICTIONARY", "DELTA_BINARY_PACKED"}
