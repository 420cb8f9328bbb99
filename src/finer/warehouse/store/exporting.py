"""Writing a table of a lake, or a part of it, to one file: a batch of rows at a time, in bounded memory."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from finer.kit.late import LateModule
from finer.kit.spreadsheets import FORMULA
from finer.warehouse.errors import TableNotFound
from finer.warehouse.store.access import LakeAccess, unavailable
from finer.warehouse.store.attachments import Attachments
from finer.warehouse.store.catalogue import Catalogue
from finer.warehouse.store.history import resolve
from finer.warehouse.types import ExportFormat, LakeColumn, LakeTable, Wanted

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = LateModule("duckdb")

_BATCH_ROWS = 50_000
_MEMORY_MB = 512
_OCCURRED = "occurred_at"
_MOMENT = "TIMESTAMP WITH TIME ZONE"
Progress = Callable[[int, int], None]
"""Told the rows that are written and their whole number; what it raises ends the export."""


def export_table(
    access: LakeAccess,
    tenant: uuid.UUID,
    wanted: Wanted,
    shown: Callable[[LakeTable], Mapping[str, str]],
    target: Any,
    progress: Progress,
) -> int:
    """Write the rows to the binary file `target`, and return how many there were.

    `shown` gives the SQL expressions of the columns that are not shown as they are. Raises LakeEmpty, SnapshotGone,
    LakeUnavailable, OSError, or what `progress` raises; then what is in the file is worth nothing.
    """

    def write(_table: LakeTable, total: int, reader: pa.RecordBatchReader) -> int:
        progress(0, total)
        with _writer(wanted.format, target, reader.schema) as writer:
            return _write(reader, writer, total, progress)

    with open_tables(access, tenant, wanted.as_of) as read:
        return read(wanted, shown, write)


Use = Callable[[LakeTable, int, pa.RecordBatchReader], int]
"""Takes the rows of a table, how many there are, and gives back how many it used."""
Read = Callable[[Wanted, Callable[[LakeTable], Mapping[str, str]], Use], int]


@contextmanager
def open_tables(access: LakeAccess, tenant: uuid.UUID, as_of: datetime | int | None) -> Iterator[Read]:
    """Reads tables of one state of the lake, whatever is committed or merged meanwhile.

    Raises LakeEmpty, SnapshotGone or LakeUnavailable, here and while it is read.
    """
    with access.catalogue() as connection:
        catalogue = Catalogue(connection, tenant)
        asked = resolve(catalogue, as_of)
        snapshot = catalogue.head() if asked is None else asked
        tables = {table.name: table for table in catalogue.tables(snapshot).values()}
    attachments = Attachments(access, capacity=1, memory_mb=_MEMORY_MB)

    def read(wanted: Wanted, shown: Callable[[LakeTable], Mapping[str, str]], use: Use) -> int:
        table = tables.get(wanted.table)
        if table is None:
            raise TableNotFound(
                f"There is no table {wanted.table!r} in the lake. There are: {', '.join(sorted(tables))}."
            )
        try:
            with attachments.use(tenant) as lake:
                source, arguments = _source(lake, table, wanted, snapshot)
                counted = attachments.duckdb.execute(f"select count(*) {source}", arguments).fetchone()
                columns = _columns(table, shown(table), wanted.format)
                answer = attachments.duckdb.execute(f"select {columns} {source}", arguments)
                return use(table, int(counted[0]) if counted is not None else 0, answer.to_arrow_reader(_BATCH_ROWS))
        except (duckdb.Error, pa.ArrowException) as error:
            raise unavailable("The table could not be read.", error) from error

    try:
        yield read
    finally:
        attachments.close()


def count_rows(access: LakeAccess, tenant: uuid.UUID, table: LakeTable, snapshot: int | None, wanted: Wanted) -> int:
    """How many rows an export would have. Raises LakeEmpty or LakeUnavailable."""
    if wanted.since is None and wanted.until is None:
        return table.rows
    attachments = Attachments(access, capacity=1, memory_mb=_MEMORY_MB)
    try:
        with attachments.use(tenant) as lake:
            source, arguments = _source(lake, table, wanted, snapshot)
            counted = attachments.duckdb.execute(f"select count(*) {source}", arguments).fetchone()
            return int(counted[0]) if counted is not None else 0
    except duckdb.Error as error:
        raise unavailable("The table could not be read.", error) from error
    finally:
        attachments.close()


def _write(reader: pa.RecordBatchReader, writer: Any, total: int, progress: Progress) -> int:
    rows = 0
    for batch in reader:
        writer.write_batch(batch)
        rows += batch.num_rows
        progress(rows, total)
    return rows


def _source(lake: str, table: LakeTable, wanted: Wanted, snapshot: int | None) -> tuple[str, dict[str, Any]]:
    conditions, arguments = [], {}
    for name, value, sign in (("since", wanted.since, ">="), ("until", wanted.until, "<")):
        if value is not None:
            conditions.append(f"{_OCCURRED} {sign} ${name}")
            arguments[name] = value
    where = f" where {' and '.join(conditions)}" if conditions else ""
    state = "" if snapshot is None else f" at (version => {snapshot})"
    return f'from {lake}."{table.name}"{state}{where}', arguments


def _columns(table: LakeTable, shown: Mapping[str, str], form: ExportFormat) -> str:
    values = [(column, shown.get(column.name, f'"{column.name}"')) for column in table.columns]
    if form is ExportFormat.CSV:
        values = [(column, _cell(column, value, as_it_is=column.name not in shown)) for column, value in values]
    return ", ".join(f'{value} as "{column.name}"' for column, value in values)


def _cell(column: LakeColumn, value: str, *, as_it_is: bool) -> str:
    """A value as a cell of a CSV file: times as ISO 8601, lists joined, and no text that a spreadsheet would run."""
    if column.type == _MOMENT and as_it_is:
        return f"strftime({value} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
    if column.type.endswith("[]"):
        value = f"array_to_string({value}, ';')"
    elif column.type != "VARCHAR" and as_it_is:
        return value
    text = f"({value})::varchar"
    return f"case when regexp_matches({text}, '{FORMULA}') then '''' || {text} else {text} end"


@contextmanager
def _writer(form: ExportFormat, target: Any, schema: pa.Schema) -> Iterator[Any]:
    writer: Any
    if form is ExportFormat.CSV:
        writer = pc.CSVWriter(target, schema, write_options=pc.WriteOptions(quoting_style="needed"))
    else:
        writer = pq.ParquetWriter(target, schema, compression="zstd", compression_level=3)
    try:
        yield writer
    finally:
        writer.close()
