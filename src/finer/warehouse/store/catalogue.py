"""What the DuckLake catalogue of a tenant says, read from its PostgreSQL tables (DuckLake specification 1.0)."""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from finer.kit.db import unchanging_view
from finer.warehouse.rules import read_positions, type_in_catalogue
from finer.warehouse.store.access import schema_name
from finer.warehouse.types import LakeColumn, LakeTable, Position, TableFiles

_EXISTS = "select to_regclass(%s) is not null"
_HEAD = "select max(snapshot_id) from {s}.ducklake_snapshot"
_POSITIONS = (
    "select commit_extra_info from {s}.ducklake_snapshot_changes where commit_extra_info is not null "
    "order by snapshot_id desc limit 1"
)
_COLUMNS = (
    "select t.table_id, t.table_name, coalesce(n.record_count, 0), c.column_name, c.column_type, e.column_type "
    "from {s}.ducklake_table t join {s}.ducklake_column c using (table_id) "
    "left join {s}.ducklake_column e on e.table_id = c.table_id and e.parent_column = c.column_id "
    "and e.end_snapshot is null left join {s}.ducklake_table_stats n on n.table_id = t.table_id "
    "where t.end_snapshot is null and c.end_snapshot is null and c.parent_column is null "
    "order by t.table_name, c.column_order"
)
_FILES = (
    "select f.table_id, s.path, t.path, f.path, f.path_is_relative, d.path, d.path_is_relative "
    "from {s}.ducklake_data_file f join {s}.ducklake_table t using (table_id) "
    "join {s}.ducklake_schema s on s.schema_id = t.schema_id and s.end_snapshot is null "
    "left join {s}.ducklake_delete_file d on d.data_file_id = f.data_file_id and d.end_snapshot is null "
    "where f.end_snapshot is null and t.end_snapshot is null order by f.data_file_id"
)
_SIZES = (
    "select count(*) from {s}.ducklake_data_file f join {s}.ducklake_table t using (table_id) "
    "where f.end_snapshot is null and t.end_snapshot is null and (%(table)s::text is null or t.table_name = %(table)s) "
    "and f.file_size_bytes >= %(low)s and f.file_size_bytes < %(high)s"
)
_DUE = "select count(*) from {s}.ducklake_files_scheduled_for_deletion where schedule_start < %s"
# The newest commit with positions is kept however old it is: without it nobody would know what is in the lake.
_OLD_SNAPSHOTS = (
    "select snapshot_id from {s}.ducklake_snapshot where snapshot_time < %s "
    "and snapshot_id < (select max(snapshot_id) from {s}.ducklake_snapshot) and snapshot_id is distinct from "
    "(select max(snapshot_id) from {s}.ducklake_snapshot_changes where commit_extra_info is not null) "
    "order by snapshot_id limit %s"
)
# What was appended up to a commit holds for the commits after it that appended nothing.
_CARRY_POSITIONS = (
    "update {s}.ducklake_snapshot_changes as newest set commit_extra_info = known.commit_extra_info from "
    "(select snapshot_id, commit_extra_info from {s}.ducklake_snapshot_changes where commit_extra_info is not null "
    "order by snapshot_id desc limit 1) as known where newest.snapshot_id > known.snapshot_id "
    "and newest.snapshot_id = (select max(snapshot_id) from {s}.ducklake_snapshot)"
)
_UPKEEP_LOCK = 7_316_773  # advisory lock, with the tenant


class Catalogue:
    """One tenant's catalogue, over a connection as finer_lake that the caller owns."""

    def __init__(self, connection: psycopg.Connection, tenant: uuid.UUID) -> None:
        self._connection = connection
        self._schema = schema_name(tenant)

    def exists(self) -> bool:
        """Whether the tenant has a lake."""
        rows = self._connection.execute(_EXISTS, (f"{self._schema}.ducklake_data_file",)).fetchall()
        return bool(rows[0][0])

    def create_schema(self) -> None:
        """Make the schema for a catalogue; nothing happens when there is one."""
        self._connection.execute(self._sql("create schema if not exists {s}"))

    def head(self) -> int:
        """The newest snapshot of the lake."""
        return int(self._rows(_HEAD)[0][0])

    def positions(self) -> dict[Position, int]:
        """The next offset of every log position, as recorded by the newest commit of a writer."""
        rows = self._rows(_POSITIONS)
        return read_positions(rows[0][0]) if rows else {}

    def tables(self) -> dict[int, LakeTable]:
        """The tables by their number in the catalogue."""
        found: dict[int, tuple[str, int, list[LakeColumn]]] = {}
        for number, table, rows, column, kind, element in self._rows(_COLUMNS):
            columns = found.setdefault(number, (table, int(rows), []))[2]
            columns.append(LakeColumn(name=column, type=type_in_catalogue(kind, element)))
        return {
            number: LakeTable(name=table, rows=rows, columns=tuple(columns))
            for number, (table, rows, columns) in found.items()
        }

    def row_counts(self) -> dict[str, int]:
        """The number of rows of every table."""
        return {table.name: table.rows for table in self.tables().values()}

    def files(self, folder: Path) -> list[TableFiles]:
        """Every table with the files that hold it now; `folder` is the tenant's data folder."""
        with unchanging_view(self._connection):
            tables, rows = self.tables(), self._rows(_FILES)
        files: dict[int, list[str]] = {number: [] for number in tables}
        deletes: dict[int, dict[str, str]] = {number: {} for number in tables}
        for number, schema_path, table_path, path, relative, delete_path, delete_relative in rows:
            base = folder / schema_path / table_path
            full = str(base / path) if relative else path
            files[number].append(full)
            if delete_path is not None:
                deletes[number][full] = str(base / delete_path) if delete_relative else delete_path
        return [
            TableFiles(table=table, files=tuple(files[number]), deletes=deletes[number])
            for number, table in tables.items()
        ]

    def count_files(self, table: str | None, low: int, high: int) -> int:
        """Files of a table (None: of all) of at least `low` and less than `high` bytes."""
        return int(self._rows(_SIZES, {"table": table, "low": low, "high": high})[0][0])

    def old_snapshots(self, before: datetime, limit: int) -> list[int]:
        """Snapshots from before a moment that nobody needs, oldest first."""
        return [int(row[0]) for row in self._rows(_OLD_SNAPSHOTS, (before, limit))]

    def work_alone(self) -> None:
        """Wait until nobody else merges or rewrites files of this lake; holds as long as the connection is open."""
        self._connection.execute("select pg_advisory_lock(%s, hashtext(%s))", (_UPKEEP_LOCK, self._schema))

    def carry_positions(self) -> None:
        """Let the newest commit say how far the lake has come, so that no older one has to be kept for that."""
        self._connection.execute(self._sql(_CARRY_POSITIONS))

    def due_deletions(self, before: datetime) -> int:
        """Files that were replaced before a moment and are still there."""
        return int(self._rows(_DUE, (before,))[0][0])

    def _sql(self, text: str) -> sql.Composed:
        return sql.SQL(text).format(s=sql.Identifier(self._schema))

    def _rows(self, text: str, arguments: Any = None) -> list[tuple[Any, ...]]:
        return self._connection.execute(self._sql(text), arguments).fetchall()
