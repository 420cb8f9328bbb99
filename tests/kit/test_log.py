"""The event log keeps order and offsets, wakes readers, and lets only one worker move a position."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.kit.actors import SYSTEM
from finer.kit.db import API, WORKER, Database, connect
from finer.kit.errors import Conflict
from finer.kit.live import receive
from finer.kit.log import CHANNEL, LogReader, LogRow, PostgresLog, decode, decode_columns, encode
from finer.kit.write_pipeline import Durable, WritePipeline


@pytest.fixture
def pipeline(database_url: str) -> Iterator[WritePipeline]:
    writer = WritePipeline(database_url, API, name="finer-test")
    yield writer
    writer.close()


def _batch(*names: str) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"event_id": list(names)})


def _mine(stream: str, rows: list[LogRow]) -> list[LogRow]:
    return [row for row in rows if row.stream == stream]


def test_offsets_have_no_gaps_and_rows_come_back_in_order(
    database: Database, database_url: str, tenant: uuid.UUID
) -> None:
    stream = f"stream-{tenant}"
    for names in (("a", "b"), ("c",), ("d", "e", "f")):
        with database.transaction(tenant, SYSTEM) as tx:
            PostgresLog.append(tx.connection, stream, 0, tenant, "x/1", _batch(*names))
    with connect(database_url, WORKER) as reader:
        log = LogReader(reader)
        rows = _mine(stream, log.read({}, 10))
        assert [(row.base_offset, row.count) for row in rows] == [(0, 2), (2, 1), (3, 3)]
        assert [decode(row.payload).column(0).to_pylist() for row in rows] == [["a", "b"], ["c"], ["d", "e", "f"]]
        assert rows[0].tenant == tenant
        assert PostgresLog.heads(reader)[stream, 0] == 6
        assert [row.base_offset for row in _mine(stream, log.read({(stream, 0): 2}, 1))] == [2]


def test_a_rolled_back_append_leaves_no_gap(database: Database, database_url: str, tenant: uuid.UUID) -> None:
    stream = f"stream-{tenant}"

    def append_and_go_away() -> None:
        with database.transaction(tenant, SYSTEM) as tx:
            PostgresLog.append(tx.connection, stream, 0, tenant, "x/1", _batch("a"))
            raise RuntimeError("the sender went away")

    with pytest.raises(RuntimeError, match="went away"):
        append_and_go_away()
    with database.transaction(tenant, SYSTEM) as tx:
        assert PostgresLog.append(tx.connection, stream, 0, tenant, "x/1", _batch("b")) == 0


def test_only_one_worker_moves_a_position(worker_database: Database, tenant: uuid.UUID) -> None:
    position = (f"stream-{tenant}", 0)
    with worker_database.transaction(tenant, SYSTEM) as tx:
        PostgresLog.advance(tx, "pipeline", position, 0, 10)
    with pytest.raises(Conflict, match="Another worker"), worker_database.transaction(tenant, SYSTEM) as tx:
        PostgresLog.advance(tx, "pipeline", position, 5, 20)


def test_the_api_role_cannot_read_the_log(database_url: str, tenant: uuid.UUID) -> None:
    import psycopg

    with connect(database_url, API) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("select * from kit_log")


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=4), st.sets(st.sampled_from("abcd")))
def test_wanted_columns_are_those_of_the_whole_rows(sizes: list[int], wanted: set[str]) -> None:
    batches = [
        pa.RecordBatch.from_pydict(
            {"a": pa.array([f"text {n % 7}" for n in range(size)], pa.string()),
             "b": pa.array([n if n % 3 else None for n in range(size)], pa.int64()),
             "c": pa.array([None] * size, pa.string())}
        )
        for size in sizes
    ]  # fmt: skip
    found = decode_columns([encode(batch) for batch in batches], wanted)
    whole = pa.concat_batches(batches).to_pydict()
    assert found.to_pydict() == {name: values for name, values in whole.items() if name in wanted}
    assert found.num_rows == sum(sizes)


def test_a_row_that_an_earlier_version_wrote_is_read_as_well() -> None:
    batch = _batch("a", "b")
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    earlier = sink.getvalue().to_pybytes()
    assert decode(earlier).equals(batch)
    assert decode_columns([earlier, encode(batch)], {"event_id"}).column(0).to_pylist() == ["a", "b", "a", "b"]


def _append_ahead(pipeline: WritePipeline, tenant: uuid.UUID, stream: str, *batches: pa.RecordBatch) -> None:
    for batch in batches:
        with pipeline.transaction(tenant, SYSTEM, Durable.LAST) as tx:
            row = PostgresLog.append_parameters(stream, 0, tenant, "x/1.0.0", batch, tell=True)
            tx.write(f"select {PostgresLog.APPEND}", row)


def test_a_small_row_comes_with_its_notification_when_nothing_else_is_to_be_read(
    pipeline: WritePipeline, database_url: str, tenant: uuid.UUID
) -> None:
    stream = f"stream-{tenant}"
    position = (stream, 0)
    with connect(database_url, WORKER, to_hear=True) as reader:
        reader.execute(f"listen {CHANNEL}")
        _append_ahead(pipeline, tenant, stream, _batch("a"), _batch("b", "c"), _batch("d"))
        log = LogReader(reader)
        told = [payload for _, payload in receive(reader, 20.0) if stream in payload]
        while len(told) < 3:
            told += [payload for _, payload in receive(reader, 20.0) if stream in payload]
        rows = _mine(stream, log.read({}, 10))
        assert [decode(row.payload).num_rows for row in rows] == [1, 2, 1]
        assert log.told(told, {}) == rows
        # What was read already is left out, and the rest goes on behind it.
        assert log.told(told, {position: 1}) == rows[1:]
        assert log.told(told, {position: 4}) == []
        # Something stands before what was told of, or between: all has to be read.
        assert log.told(told[1:], {}) == []
        assert log.told([told[0], told[2]], {}) == []
        # Whoever notifies without a row, as for one that was released from quarantine, says only that there is one.
        assert log.told([told[0], stream], {}) == []


def test_a_large_row_is_only_told_of(pipeline: WritePipeline, database_url: str, tenant: uuid.UUID) -> None:
    stream = f"stream-{tenant}"
    noise = pa.RecordBatch.from_pydict({"noise": [random.Random(seed).randbytes(60) for seed in range(100)]})
    with connect(database_url, WORKER, to_hear=True) as reader:
        reader.execute(f"listen {CHANNEL}")
        _append_ahead(pipeline, tenant, stream, noise)
        log = LogReader(reader)
        told: list[str] = []
        while stream not in told:
            told += [payload for _, payload in receive(reader, 20.0)]
        assert log.told([stream], {}) == []
        (row,) = _mine(stream, log.read({}, 10))
        assert decode(row.payload).equals(noise)
