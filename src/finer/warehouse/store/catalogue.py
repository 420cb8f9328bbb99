"""What the DuckLake catalogue of a tenant says, read from its PostgreSQL tables (DuckLake specification 1.0)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from finer.kit.db import unchanging_view
from finer.kit.lock_keys import LockKey
from finer.warehouse.errors import LakeBusy
from finer.warehouse.rules import MONTH, read_changes, read_positions, type_in_catalogue
from finer.warehouse.store.access import schema_name
from finer.warehouse.types import LakeColumn, LakeTable, Position, Snapshot, TableFiles, TableState

_EXISTS = (
    "select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace "
    "where n.nspname = %s and starts_with(c.relname, 'ducklake_'))"
)
_HEAD = "select max(snapshot_id) from {s}.ducklake_snapshot"
_POSITIONS = (
    "select commit_extra_info from {s}.ducklake_snapshot_changes where commit_extra_info is not null "
    "order by snapshot_id desc limit 1"
)
_COLUMNS = (
    "select t.table_id, t.table_name, coalesce(n.record_count, 0), c.column_name, c.column_type, e.column_type "
    "from {s}.ducklake_table t join {s}.ducklake_column c using (table_id) "
    "left join {s}.ducklake_column e on e.table_id = c.table_id and e.parent_column = c.column_id "
    "and {e_seen} left join {s}.ducklake_table_stats n on n.table_id = t.table_id "
    "where {t_seen} and {c_seen} and c.parent_column is null order by t.table_name, c.column_order"
)
_FILES = (
    "select f.table_id, s.path, t.path, f.path, f.path_is_relative, f.partial_max > %(at)s, "
    "d.path, d.path_is_relative "
    "from {s}.ducklake_data_file f join {s}.ducklake_table t using (table_id) "
    "join {s}.ducklake_schema s on s.schema_id = t.schema_id and {s_seen} "
    "left join {s}.ducklake_delete_file d on d.data_file_id = f.data_file_id and {d_seen} "
    "where {f_seen} and {t_seen} order by f.data_file_id"
)
# Files are merged within a partition only.
_LARGEST_GROUP = (
    "select coalesce(max(n), 0) from (select count(*) as n from {s}.ducklake_data_file f "
    "join {s}.ducklake_table t using (table_id) left join {s}.ducklake_file_partition_value v "
    "on v.data_file_id = f.data_file_id and v.partition_key_index = 0 where f.end_snapshot is null "
    "and t.end_snapshot is null and t.table_name = %s "
    "and f.file_size_bytes >= %s and f.file_size_bytes < %s group by v.partition_value) as parts"
)
_FILE_COUNT = (
    "select count(*) from {s}.ducklake_data_file f join {s}.ducklake_table t using (table_id) "
    "where f.end_snapshot is null and t.end_snapshot is null"
)
_EVERY_FILE = (
    "select s.path, t.path, f.path, f.path_is_relative from (select table_id, path, path_is_relative "
    "from {s}.ducklake_data_file union all select table_id, path, path_is_relative from {s}.ducklake_delete_file) f "
    "join {s}.ducklake_table t using (table_id) join {s}.ducklake_schema s on s.schema_id = t.schema_id"
)
_STORAGE = (
    "select t.table_name, count(f.data_file_id), coalesce(sum(f.file_size_bytes), 0), "
    "count(distinct v.partition_value) from {s}.ducklake_table t "
    "left join {s}.ducklake_data_file f on f.table_id = t.table_id and f.end_snapshot is null "
    "left join {s}.ducklake_file_partition_value v on v.data_file_id = f.data_file_id and v.partition_key_index = 0 "
    "where t.end_snapshot is null group by t.table_name order by t.table_name"
)
_SNAPSHOT_AT = "select snapshot_id from {s}.ducklake_snapshot where snapshot_time <= %s order by 1 desc limit 1"
_HAS_SNAPSHOT = "select 1 from {s}.ducklake_snapshot where snapshot_id = %s"
_OLDEST = "select snapshot_time from {s}.ducklake_snapshot order by snapshot_id limit 1"
_SNAPSHOTS = (
    "select s.snapshot_id, s.snapshot_time, c.changes_made from {s}.ducklake_snapshot s "
    "left join {s}.ducklake_snapshot_changes c using (snapshot_id) "
    "where %(before)s::bigint is null or s.snapshot_id < %(before)s order by s.snapshot_id desc limit %(limit)s"
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
_MOVE_POSITIONS = (
    "update {s}.ducklake_snapshot_changes set commit_extra_info = %(reached)s where snapshot_id = "
    "(select max(snapshot_id) from {s}.ducklake_snapshot_changes where commit_extra_info is not null) "
    "and commit_extra_info = %(recorded)s"
)
_PATIENCE_S = 60.0
_NEWEST = 2**62  # as good as "now": no snapshot has so high a number
_SEEN = "{t}.begin_snapshot <= %(at)s and ({t}.end_snapshot is null or {t}.end_snapshot > %(at)s)"


class Catalogue:
    """One tenant's catalogue, over a connection as finer_lake that the caller owns."""

    def __init__(self, connection: psycopg.Connection, tenant: uuid.UUID) -> None:
        self._connection = connection
        self._schema = schema_name(tenant)

    def exists(self) -> bool:
        """Whether the tenant has a lake."""
        rows = self._connection.execute(_EXISTS, (self._schema,)).fetchall()
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

    def tables(self, snapshot: int | None = None) -> dict[int, LakeTable]:
        """The tables by their number in the catalogue, now or at a snapshot; `rows` are those of now in any case."""
        found: dict[int, tuple[str, int, list[LakeColumn]]] = {}
        for number, table, rows, column, kind, element in self._rows(_COLUMNS, _at(snapshot)):
            columns = found.setdefault(number, (table, int(rows), []))[2]
            columns.append(LakeColumn(name=column, type=type_in_catalogue(kind, element)))
        return {
            # Nobody asks for the column of the partitions: the files' own ranges of occurred_at find the same ones.
            number: LakeTable(
                name=table,
                rows=rows,
                columns=tuple(column for column in columns if column.name != MONTH),
                by_month=any(column.name == MONTH for column in columns),
            )
            for number, (table, rows, columns) in found.items()
        }

    def row_counts(self) -> dict[str, int]:
        """The number of rows of every table."""
        return {table.name: table.rows for table in self.tables().values()}

    def files(self, folder: str, snapshot: int | None = None) -> list[TableFiles]:
        """Every table with the files that hold it, now or at a snapshot; `folder` is where the tenant's files are."""
        with unchanging_view(self._connection):
            tables, rows = self.tables(snapshot), self._rows(_FILES, _at(snapshot))
        found = {number: TableFiles(table=table, files=[], snapshot=snapshot) for number, table in tables.items()}
        for number, schema_path, table_path, path, relative, newer, delete_path, delete_relative in rows:
            base = f"{folder}/{schema_path}{table_path}"
            full = base + path if relative else path
            table = found[number]
            table.files.append(full)
            if newer:
                table.partial.add(full)
            if delete_path is not None:
                table.deletes[full] = base + delete_path if delete_relative else delete_path
        return list(found.values())

    def every_file(self, folder: str) -> list[str]:
        """All files that any state of the lake needs."""
        return [
            f"{folder}/{schema}{table}{path}" if relative else path
            for schema, table, path, relative in self._rows(_EVERY_FILE)
        ]

    def storage(self) -> list[TableState]:
        """How every table is stored, by name."""
        tables = {table.name: table for table in self.tables().values()}
        return [
            TableState(
                name=name,
                rows=tables[name].rows,
                columns=len(tables[name].columns),
                files=int(files),
                bytes=int(size),
                months=int(months),
            )
            for name, files, size, months in self._rows(_STORAGE)
        ]

    def largest_group(self, table: str, low: int, high: int) -> int:
        """The most files of at least `low` and less than `high` bytes that a partition of a table has."""
        return int(self._rows(_LARGEST_GROUP, (table, low, high))[0][0])

    def snapshot_at(self, moment: datetime) -> int | None:
        """The snapshot that was the newest at a moment; None when the lake does not remember that far back."""
        rows = self._rows(_SNAPSHOT_AT, (moment,))
        return int(rows[0][0]) if rows else None

    def time(self) -> datetime:
        """What time it is, by the clock of the database."""
        moment: datetime = self._rows("select now()")[0][0]
        return moment

    def has_snapshot(self, snapshot: int) -> bool:
        """Whether the lake still remembers a snapshot."""
        return bool(self._rows(_HAS_SNAPSHOT, (snapshot,)))

    def oldest(self) -> datetime | None:
        """The moment of the oldest snapshot from which on every moment can be seen again."""
        rows = self._rows(_OLDEST)
        return rows[0][0] if rows else None

    def snapshots(self, limit: int, before: int | None) -> list[Snapshot]:
        """Snapshots with a number below `before` (None: all), the newest first."""
        names = {number: table.name for number, table in self.tables().items()}
        return [
            Snapshot(id=int(number), at=at, changes=tuple(read_changes(changes or "", names)))
            for number, at, changes in self._rows(_SNAPSHOTS, {"before": before, "limit": limit})
        ]

    def count_files(self) -> int:
        """The files of all tables."""
        return int(self._rows(_FILE_COUNT)[0][0])

    def old_snapshots(self, before: datetime, limit: int) -> list[int]:
        """Snapshots from before a moment that nobody needs, oldest first."""
        return [int(row[0]) for row in self._rows(_OLD_SNAPSHOTS, (before, limit))]

    def work_alone(self) -> None:
        """Wait until nobody else merges or rewrites files of this lake; holds as long as the connection is open.

        Raises LakeBusy when that takes over a minute, as do `rows_alone` and `rows_shared`.
        """
        self._take(sql.Identifier("pg_advisory_lock"), LockKey.LAKE_UPKEEP)

    @contextmanager
    def rows_alone(self) -> Iterator[None]:
        """Let nobody add rows to this lake in the block."""
        with self._rows_held("pg_advisory_lock", "pg_advisory_unlock"):
            yield

    @contextmanager
    def rows_shared(self) -> Iterator[None]:
        """Let others add rows in the block, too, and nobody change them."""
        with self._rows_held("pg_advisory_lock_shared", "pg_advisory_unlock_shared"):
            yield

    @contextmanager
    def _rows_held(self, take: str, leave: str) -> Iterator[None]:
        self._take(sql.Identifier(take), LockKey.LAKE_ROWS)
        try:
            yield
        finally:
            # A connection that broke meanwhile holds nothing any more.
            if not self._connection.broken and not self._connection.closed:
                self._call(sql.Identifier(leave), LockKey.LAKE_ROWS)

    def _take(self, function: sql.Identifier, lock: LockKey) -> None:
        # Files of a large lake are rewritten for longer than the server lets a request wait for a lock.
        patience_ms = sql.Literal(int(_PATIENCE_S * 1_000))
        self._connection.execute(sql.SQL("set lock_timeout = {}").format(patience_ms))
        try:
            self._call(function, lock)
        except psycopg.errors.LockNotAvailable as error:
            raise LakeBusy("Somebody else merges or changes files of the lake. Try again in a minute.") from error

    def _call(self, function: sql.Identifier, lock: LockKey) -> None:
        self._connection.execute(sql.SQL("select {}(%s, hashtext(%s))").format(function), (lock.value, self._schema))

    def carry_positions(self) -> None:
        """Let the newest commit say how far the lake has come, so that no older one has to be kept for that."""
        self._connection.execute(self._sql(_CARRY_POSITIONS))

    def move_positions(self, recorded: str, reached: str) -> None:
        """Say that the lake has come further where nothing had to be added; not when somebody else has said so."""
        if reached != recorded:
            self._connection.execute(self._sql(_MOVE_POSITIONS), {"recorded": recorded, "reached": reached})

    def due_deletions(self, before: datetime) -> int:
        """Files that were replaced before a moment and are still there."""
        return int(self._rows(_DUE, (before,))[0][0])

    def _sql(self, text: str) -> sql.Composed:
        seen = {f"{one}_seen": sql.SQL(_SEEN).format(t=sql.Identifier(one)) for one in "cdefst"}
        return sql.SQL(text).format(s=sql.Identifier(self._schema), **seen)

    def _rows(self, text: str, arguments: Any = None) -> list[tuple[Any, ...]]:
        return self._connection.execute(self._sql(text), arguments).fetchall()


def _at(snapshot: int | None) -> dict[str, int]:
    return {"at": _NEWEST if snapshot is None else snapshot}
