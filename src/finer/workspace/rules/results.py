"""Results: rows as JSON shows them, and files of them that no spreadsheet runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from finer.kit.arrow_values import values_of
from finer.kit.spreadsheets import MARK, csv_text
from finer.workspace.types import ResultColumn

PART_ROWS = 10_000
_SAFE_INTEGER = 2**53
_ROW_BYTES = 1024


def columns_of(schema: pa.Schema) -> tuple[ResultColumn, ...]:
    """The columns of a result."""
    return tuple(ResultColumn(field.name, kind_of(field.type)) for field in schema)


def kind_of(kind: pa.DataType) -> str:
    """What a column holds, for people and charts."""
    types = pa.types
    if types.is_boolean(kind):
        return "boolean"
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return "number"
    if types.is_date(kind):
        return "date"
    if types.is_timestamp(kind):
        return "timestamp"
    return "text" if types.is_string(kind) or types.is_large_string(kind) else "other"


def rows_of(table: pa.Table) -> list[list[Any]]:
    """The rows as JSON has them: moments in ISO 8601, numbers that JavaScript would round as text."""
    columns = [[_plain(value) for value in values_of(column)] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in range(table.num_rows)]


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | str():
            return value
        case int() | float() | Decimal():
            return _number(value)
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return value.hex()
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)


def _number(value: float | Decimal) -> Any:
    if isinstance(value, int):
        return value if -_SAFE_INTEGER <= value <= _SAFE_INTEGER else str(value)
    if not math.isfinite(value):
        return None
    return value if isinstance(value, float) else float(value) if abs(value) < _SAFE_INTEGER else str(value)


def counted_rows(table: pa.Table) -> int:
    """How many rows a table counts for where much takes two people: one, or one for each KiB of a longer one.

    A whole column gathered into one list or text is as much as its rows were.
    """
    rows, size = int(table.num_rows), int(table.nbytes)
    return max(rows, size // _ROW_BYTES)


def as_csv(table: pa.Table) -> bytes:
    """A CSV file (RFC 4180, UTF-8 with its mark), none of whose cells a spreadsheet would run. Numbers stay numbers."""
    text = [MARK, csv_text([table.column_names])]
    for batch in table.to_batches(max_chunksize=PART_ROWS):
        columns = [[_cell(value) for value in values_of(column)] for column in batch.columns]
        text.append(csv_text(zip(*columns, strict=True)))
    return "".join(text).encode()


def _cell(value: Any) -> Any:
    # A number stands as it is: JSON would have to round it.
    return value if isinstance(value, int | float | Decimal) else _plain(value)


def as_parquet(table: pa.Table) -> bytes:
    """A Parquet file. Columns of one name are told apart by a number, which Parquet needs.

    What Parquet has no type for (intervals, unions, seconds far away) stands in it as text.
    """
    table = table.rename_columns(_unique(table.column_names))
    try:
        return _parquet(table)
    except pa.ArrowException:
        return _parquet(pa.table([_kept(column) for column in table.columns], names=table.column_names))


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    found: bytes = sink.getvalue().to_pybytes()
    return found


def _kept(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    try:
        _parquet(pa.table({"a": column}))
    except pa.ArrowException:
        return pa.array([None if value is None else str(_plain(value)) for value in values_of(column)], pa.string())
    return column


def as_arrow(table: pa.Table) -> bytes:
    """An Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    found: bytes = sink.getvalue().to_pybytes()
    return found


def _unique(names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return found


def parts_of(table: pa.Table) -> list[tuple[int, bytes]]:
    """A result as pieces to keep: the number of rows of each and its Arrow IPC stream. There is always one."""
    parts = []
    for first in range(0, max(table.num_rows, 1), PART_ROWS):
        piece = table.slice(first, PART_ROWS)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
            writer.write_table(piece)
        parts.append((piece.num_rows, sink.getvalue().to_pybytes()))
    return parts


def joined(parts: Sequence[bytes]) -> pa.Table:
    """The inverse of `parts_of`."""
    tables = []
    for part in parts:
        with pa.ipc.open_stream(pa.py_buffer(part)) as reader:
            tables.append(reader.read_all())
    return pa.concat_tables(tables)
