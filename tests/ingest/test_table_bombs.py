"""Parquet and Arrow bodies that say in a few bytes what does not fit in memory."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finer.ingest.errors import UnreadableBody
from finer.ingest.service import contracts, parsing
from finer.ingest.types.records import Body
from finer.kit.errors import TooLarge
from tests.ingest.records import GOOD, lines

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROWS, LONG = 4_000, 100_000  # 400 MB when written out


def _repeated(kind: str) -> pa.Array:
    """One long text, ROWS times, in little space."""
    text = "x" * LONG
    if kind == "dictionary":
        return pa.DictionaryArray.from_arrays(pa.array([0] * ROWS, pa.int32()), pa.array([text]))
    if kind == "view":
        views = b"".join([LONG.to_bytes(4, "little") + b"xxxx" + bytes(8)] * ROWS)
        return pa.Array.from_buffers(pa.string_view(), ROWS, [None, pa.py_buffer(views), pa.py_buffer(text.encode())])
    codes = pa.DictionaryArray.from_arrays(pa.array([0] * ROWS, pa.int32()), pa.array([text]))
    return pa.StructArray.from_arrays([codes], ["inner"])


def _body(kind: str, column: str, values: pa.Array) -> bytes:
    table = pa.table(
        {name: pa.array([value] * ROWS) for name, value in GOOD.items() if name not in ("event_id", column)}
        | {"event_id": pa.array([f"e{i}" for i in range(ROWS)]), column: values}
    )
    sink = io.BytesIO()
    if kind == "parquet":
        pq.write_table(table, sink, compression="zstd")
    else:
        with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
            writer.write_table(table)
    return sink.getvalue()


@pytest.mark.parametrize(("kind", "values"), [("parquet", "dictionary"), ("arrow", "dictionary"), ("arrow", "view")])
@pytest.mark.parametrize("column", ["merchant_name", "unknown"])
def test_a_body_that_repeats_a_long_text_is_too_large_and_its_neighbour_is_taken(
    kind: str, values: str, column: str
) -> None:
    data = _body(kind, column, _repeated(values))
    assert len(data) < 2_000_000
    before = pa.total_allocated_bytes()
    group = parsing.parse_group(
        contracts.contract("transaction"), [Body(data=data, format=kind), Body(data=lines(3), format="ndjson")], NOW
    )
    assert isinstance(group.bodies[0].error, TooLarge)
    assert group.bodies[1].accepted == group.batch.num_rows == 3
    assert pa.total_allocated_bytes() - before < 100 << 20


def test_long_texts_inside_a_nested_column_are_not_written_out() -> None:
    data = _body("arrow", "unknown", _repeated("struct"))
    parsed = parsing.parse_body(contracts.contract("transaction"), Body(data=data, format="arrow"), NOW)
    assert parsed.batch.num_rows == ROWS
    bad = _body("arrow", "amount", _repeated("struct"))
    parsed = parsing.parse_body(contracts.contract("transaction"), Body(data=bad, format="arrow"), NOW)
    assert len(parsed.refused) == ROWS
    assert max(record.raw_bytes for record in parsed.refused) < 1_000


def test_a_parquet_body_that_unpacks_to_too_much_is_refused_by_its_footer() -> None:
    data = _body("parquet", "unknown", pa.array([bytes([i % 251]) * LONG for i in range(ROWS)]))
    with pytest.raises(TooLarge):
        parsing.parse_body(contracts.contract("transaction"), Body(data=data, format="parquet"), NOW)


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_a_file_that_repeats_a_long_text_is_taken_in_by_small_groups(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"long.{suffix}"
    path.write_bytes(_body(suffix, "merchant_name", _repeated("dictionary")))
    rows = 0
    for group in parsing.read_file(path, contracts.contract("transaction")):
        (result,) = group.parsed.bodies
        assert result.received <= 1_000
        assert {error.rule for record in result.refused for error in record.errors} == {"max_length"}
        rows += result.received
    assert rows == ROWS


def test_an_empty_parquet_table_and_broken_bytes_are_told(tmp_path: Path) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({name: pa.array([], pa.string()) for name in GOOD}), sink)
    parsed = parsing.parse_body(contracts.contract("transaction"), Body(data=sink.getvalue(), format="parquet"), NOW)
    assert parsed.received == 0
    with pytest.raises(UnreadableBody):
        parsing.parse_body(contracts.contract("transaction"), Body(data=b"PAR1 no", format="parquet"), NOW)
