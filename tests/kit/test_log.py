"""The event log keeps order and offsets, wakes readers, and lets only one worker move a position."""

from __future__ import annotations

import uuid

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finer.kit.actors import SYSTEM
from finer.kit.db import API, WORKER, Database, connect
from finer.kit.errors import Conflict
from finer.kit.log import LogReader, LogRow, PostgresLog, decode, decode_columns, encode


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
