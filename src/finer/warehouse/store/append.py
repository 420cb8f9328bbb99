"""Appending to a lake, exactly once.

Every append is one DuckLake commit: the new files of all tables and, in the commit's extra information, the log
offsets reached. DuckLake's own conflict retries are off. So a commit succeeds only as the very next one after the
snapshot at which the recorded offsets were read, and neither a second writer nor a commit whose answer was lost can
make rows appear twice: the attempt fails, the offsets are read again, and what they cover is dropped. Offsets without
rows, those of duplicates, are written into the newest commit that names offsets, if it names those that were read.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from finer.kit.ids import new_id
from finer.kit.late import LateModule
from finer.warehouse.errors import LakeUnavailable
from finer.warehouse.rules import (
    LABEL_SCHEMA,
    LABELS,
    MONTH,
    SORTED_BY,
    arrow_type,
    by_month,
    counting_columns,
    duckdb_type,
    positions_text,
    reached,
    repeated_texts,
    tables,
    with_month,
)
from finer.warehouse.store.access import LakeAccess, schema_name
from finer.warehouse.store.attachments import Attachments
from finer.warehouse.store.catalogue import Catalogue
from finer.warehouse.store.places import tenant_folder
from finer.warehouse.types import Label, LakeBatch, LakeTable, Position

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = LateModule("duckdb")

_ROW_GROUP_ROWS = 122_880
_COMMIT_ATTEMPTS = 20
_BESIDE_ATTEMPTS = 5
"""Attempts to commit between the commits of others; a slow one among fast ones then asks them to wait for it."""
_PAUSE_S = 0.01
Step = Callable[[str], None]


class Appended(msgspec.Struct, frozen=True):
    """What an append added, rows by table, and the rows of every table afterwards."""

    added: dict[str, int]
    totals: dict[str, int]


class Appender:
    """Writes to lakes over one DuckDB. Not safe to use from several threads."""

    def __init__(
        self, access: LakeAccess, *, capacity: int = 16, memory_mb: int = 256, before_commit: Step | None = None
    ) -> None:
        """`before_commit(stage)` is called with `files` once files are written and `commit` just before the commit."""
        self._access = access
        self.attachments = Attachments(access, capacity=capacity, memory_mb=memory_mb, create=True, conflict_retries=0)
        self._step: Step = before_commit or _nothing
        self._connection: psycopg.Connection | None = None

    def append(self, batches: Sequence[LakeBatch]) -> Appended:
        """Append what is not there yet of the batches of one tenant, in their order.

        Raises duckdb.Error, psycopg.Error or OSError when it is not known that everything is in the lake; then
        calling it again with the same batches is right.
        """
        tenant = batches[0].tenant

        def rows(recorded: Mapping[Position, int]) -> dict[str, pa.Table]:
            return tables(batches, recorded)

        return self._commit(tenant, rows, lambda recorded: positions_text(reached(batches, recorded)))

    def append_labels(self, tenant: uuid.UUID, labels: Sequence[Label]) -> Appended:
        """Append those labels that are not there. A worker may append to the same lake at the same time."""
        first: dict[tuple[object, ...], Label] = {}
        for label in labels:
            first.setdefault((label.event_id, label.verdict, label.known_at), label)
        given = pa.Table.from_pylist([msgspec.structs.asdict(label) for label in first.values()], LABEL_SCHEMA)

        def rows(_: Mapping[Position, int]) -> dict[str, pa.Table]:
            if LABELS not in self._catalogue(tenant).row_counts():
                return {LABELS: given}
            db = self.attachments.duckdb
            db.register("given", given.append_column("place", pa.array(range(len(given)), pa.int64())))
            try:
                new = db.execute(
                    f"select place from given anti join {schema_name(tenant)}.{LABELS} "  # noqa: S608 - our own names
                    "using (event_id, verdict, known_at) order by place"
                ).fetchall()
            finally:
                db.unregister("given")
            return {LABELS: given.take(pa.array([place for (place,) in new], pa.int64()))}

        return self._commit(tenant, rows, None)

    def close(self) -> None:
        """Close DuckDB and the connection to the catalogue."""
        self.attachments.close()
        self._forget_connection()

    def _commit(
        self,
        tenant: uuid.UUID,
        rows: Callable[[Mapping[Position, int]], dict[str, pa.Table]],
        extra: Callable[[Mapping[Position, int]], str] | None,
    ) -> Appended:
        for attempt in range(_COMMIT_ATTEMPTS):
            try:
                catalogue = self._catalogue(tenant)
                rows_held = catalogue.rows_shared() if attempt < _BESIDE_ATTEMPTS else catalogue.rows_alone()
                with self.attachments.use(tenant) as lake, rows_held:
                    return self._commit_once(tenant, lake, rows, extra)
            except duckdb.TransactionException:
                # Somebody else committed in between, or the answer was lost: look again at what is recorded.
                if attempt == _COMMIT_ATTEMPTS - 1:
                    raise
                time.sleep(_PAUSE_S * attempt)
            except psycopg.OperationalError:
                self._forget_connection()
                if attempt == _COMMIT_ATTEMPTS - 1:
                    raise
        raise LakeUnavailable("The lake is written to by too many at once.")

    def _commit_once(
        self,
        tenant: uuid.UUID,
        lake: str,
        rows: Callable[[Mapping[Position, int]], dict[str, pa.Table]],
        extra: Callable[[Mapping[Position, int]], str] | None,
    ) -> Appended:
        db, catalogue = self.attachments.duckdb, self._catalogue(tenant)
        db.begin()
        try:
            snapshot = db.execute(f"from ducklake_current_snapshot('{lake}')").fetchone()
            recorded = catalogue.positions()
            if snapshot is None or snapshot[0] != catalogue.head():
                raise duckdb.TransactionException("The lake moved on while its offsets were read.")
            found = {name: table for name, table in rows(recorded).items() if table.num_rows}
            if not found:
                db.rollback()
                if extra is not None:
                    # Only duplicates: DuckLake makes no snapshot of a commit without changes, and whoever trims the
                    # log or waits for the lake would wait for these offsets until the firm sends something new.
                    catalogue.move_positions(positions_text(recorded), extra(recorded))
                return Appended(added={}, totals={})
            if extra is not None:
                db.execute(f"call {lake}.set_commit_message('finer', 'append', extra_info => ?)", [extra(recorded)])
            self._add(tenant, lake, found, {table.name: table for table in catalogue.tables().values()})
            self._step("commit")
            db.commit()
        except BaseException:
            _roll_back(db)
            raise
        return Appended(added={name: table.num_rows for name, table in found.items()}, totals=catalogue.row_counts())

    def _add(
        self, tenant: uuid.UUID, lake: str, found: Mapping[str, pa.Table], existing: Mapping[str, LakeTable]
    ) -> None:
        db, place = self.attachments.duckdb, self._access.place
        for name, table in found.items():
            known = existing.get(name)
            # Tables of lakes that were made before there were months stay without them.
            apart = known is None or known.by_month
            for month, part in by_month(_fit(db, lake, name, with_month(table) if apart else table, known)):
                folder = [tenant_folder(tenant), "main", name] + ([] if month is None else [f"{MONTH}={month}"])
                place.prepare(*folder)
                file = f"{new_id().hex}.parquet"
                write_parquet(part, place.path(*folder, file), place.filesystem)
                self._step("files")
                db.execute(
                    f"call ducklake_add_data_files('{lake}', '{name}', ?, "
                    f"hive_partitioning => {str(month is not None).lower()}, allow_missing => true)",
                    [place.address(*folder, file)],
                )

    def _catalogue(self, tenant: uuid.UUID) -> Catalogue:
        if self._connection is None or self._connection.closed:
            self._connection = self._access.catalogue()
        return Catalogue(self._connection, tenant)

    def _forget_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _nothing(stage: str) -> None:
    """The step that nobody asked for."""


def write_parquet(table: pa.Table, path: str, filesystem: fs.FileSystem) -> None:
    """One Parquet file: dictionaries where texts repeat, differences for counters, zstd at its fastest level.

    Statistics are kept of every column but the 32-bit floats: nobody prunes files by those. A column must have them in
    all files or in none: DuckLake takes those of a file that follows one without them for those of the whole table, and
    queries then find nothing in the others. Whether texts repeat differs from file to file, so all of them have some.
    """
    table = table.unify_dictionaries()
    pq.write_table(
        table,
        path,
        filesystem=filesystem,
        compression="zstd",
        compression_level=1,
        row_group_size=_ROW_GROUP_ROWS,
        use_dictionary=repeated_texts(table),
        column_encoding=dict.fromkeys(counting_columns(table), "DELTA_BINARY_PACKED"),
        write_statistics=[field.name for field in table.schema if field.type != pa.float32()],
        store_schema=False,
    )


def _fit(db: duckdb.DuckDBPyConnection, lake: str, name: str, table: pa.Table, existing: LakeTable | None) -> pa.Table:
    """Make the lake's table and `table` hold the same columns, those of `table` cast to the types that the lake has.

    A column that a file lacked would be missing from its statistics, too, and DuckLake would go on believing that the
    column holds no nulls: queries for them found none, and counts of the column counted its rows.
    """
    if existing is None:
        columns = ", ".join(f'"{field.name}" {duckdb_type(field.type)}' for field in table.schema)
        db.execute(f'create table {lake}."{name}" ({columns})')
        if MONTH in table.column_names:
            db.execute(f'alter table {lake}."{name}" set partitioned by ({MONTH})')
            db.execute(f'alter table {lake}."{name}" set sorted by ({", ".join(SORTED_BY)})')
        return table
    types = {column.name: column.type for column in existing.columns} | ({MONTH: "DATE"} if existing.by_month else {})
    for index, field in enumerate(table.schema):
        wanted = types.get(field.name)
        if wanted is None:
            db.execute(f'alter table {lake}."{name}" add column "{field.name}" {duckdb_type(field.type)}')
        elif wanted != duckdb_type(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(arrow_type(wanted)))
    for lacking in [column for column in types if column not in table.column_names]:
        table = table.append_column(lacking, pa.nulls(table.num_rows, arrow_type(types[lacking])))
    return table


def _roll_back(db: duckdb.DuckDBPyConnection) -> None:
    try:
        db.rollback()
    except duckdb.Error:
        # A commit that failed has ended its transaction already.
        return
