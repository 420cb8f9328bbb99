"""What the catalogue says of the values of a table's columns, held to what it says of the table's files.

DuckLake leaves out what cannot match: with wrong statistics of a table, queries find too little and counts are wrong,
without an error. It adds the statistics of each new file to those of its table, and goes wrong where a file has none of
a column: because it lacks the column, or because its writer kept none (texts of more than 4 kB have none, and the files
of some earlier versions of Finer lack columns). To say too much of a table is always right: nulls that are not
there, values that nobody has. Everything is summed by PostgreSQL, and files are read one after the other, so that a
lake of any size takes the same memory.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from finer.kit.late import LateModule
from finer.warehouse.rules import quoted
from finer.warehouse.store.access import LakeAccess, schema_name, unavailable
from finer.warehouse.types import WrongStatistics

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = LateModule("duckdb")

_ATTEMPTS = 20
_FILES_AT_ONCE = 100

# By column that the table says something of: how many files hold nulls or say nothing of them, how many have values
# and no bounds, and the bounds of all others. Values are texts in the catalogue and compared as what they are;
# one that is none of its type is taken for unknown, since an error would end upkeep.
_HELD = """
with typed as (
  select t.table_id, t.table_name, c.column_id, c.column_name, n.contains_null, n.min_value, n.max_value,
    case when c.column_type ~ '^(u?int[0-9]+|decimal.*)$' then 'numeric'
      when c.column_type in ('float32', 'float64') then 'double precision'
      when c.column_type = 'date' then 'date'
      when c.column_type = 'timestamptz' then 'timestamptz'
      when c.column_type in ('varchar', 'boolean') then 'text' end as kind
  from {s}.ducklake_table t
  join {s}.ducklake_column c on c.table_id = t.table_id and c.end_snapshot is null and c.parent_column is null
  join {s}.ducklake_table_column_stats n on n.table_id = t.table_id and n.column_id = c.column_id
  where t.end_snapshot is null
), kinds as (
  select table_id, table_name, column_id, column_name, contains_null, kind,
    case when pg_input_is_valid(min_value, kind) then min_value end as min_value,
    case when pg_input_is_valid(max_value, kind) then max_value end as max_value from typed
), stated as (
  select k.table_id, k.column_id, k.kind, s.null_count, s.value_count,
    case when pg_input_is_valid(s.min_value, k.kind) then s.min_value end as low,
    case when pg_input_is_valid(s.max_value, k.kind) then s.max_value end as high
  from kinds k join {s}.ducklake_file_column_stats s using (table_id, column_id) where k.kind is not null
), held as (
  select table_id, column_id, count(*) as files,
    count(*) filter (where null_count is null or null_count > 0) as with_nulls,
    count(*) filter (where (low is null or high is null) and coalesce(value_count, 1) > 0) as unbounded,
    coalesce(min(case kind when 'text' then low end collate "C"),
      min(case kind when 'numeric' then low::numeric end)::text,
      min(case kind when 'double precision' then low::float8 end)::text,
      min(case kind when 'date' then low::date end)::text,
      (min(case kind when 'timestamptz' then low::timestamptz end) at time zone 'UTC')::text || '+00') as low,
    coalesce(max(case kind when 'text' then high end collate "C"),
      max(case kind when 'numeric' then high::numeric end)::text,
      max(case kind when 'double precision' then high::float8 end)::text,
      max(case kind when 'date' then high::date end)::text,
      (max(case kind when 'timestamptz' then high::timestamptz end) at time zone 'UTC')::text || '+00') as high
  from stated group by table_id, column_id
), counted as (
  select table_id, count(*) as files from {s}.ducklake_data_file group by table_id
), wrong as (
  select k.table_id, k.column_id, k.table_name, k.column_name, h.low, h.high, coalesce(h.unbounded, 0) as unbounded,
    case when k.contains_null is false then coalesce(h.with_nulls - h.files, 0) + f.files else 0 end as with_nulls,
    case when k.min_value is null and k.max_value is null then 0 else coalesce(h.unbounded, 0) end as unfounded,
    case k.kind
      when 'text' then h.low < k.min_value collate "C" or h.high > k.max_value collate "C"
      when 'numeric' then h.low::numeric < k.min_value::numeric or h.high::numeric > k.max_value::numeric
      when 'double precision' then h.low::float8 < k.min_value::float8 or h.high::float8 > k.max_value::float8
      when 'date' then h.low::date < k.min_value::date or h.high::date > k.max_value::date
      when 'timestamptz' then h.low::timestamptz < k.min_value::timestamptz
        or h.high::timestamptz > k.max_value::timestamptz end is true as narrow
  from kinds k left join held h using (table_id, column_id) join counted f using (table_id)
  where k.kind is not null
)
"""
_WRONG = (
    _HELD + "select table_name, column_name, with_nulls, unfounded, narrow from wrong "  # noqa: S608 - constants only
    "where with_nulls > 0 or unfounded > 0 or narrow order by table_name, column_name"
)
# Files that have values of such a column and say nothing of them, with the names that they give to the columns.
_SILENT = (
    _HELD + "select f.data_file_id, f.table_id, p.path, t.path, f.path, f.path_is_relative, array_agg(s.column_id), "
    "array_agg(coalesce(m.source_name, w.column_name)) "
    "from wrong w join {s}.ducklake_file_column_stats s using (table_id, column_id) "
    "join {s}.ducklake_data_file f using (data_file_id) join {s}.ducklake_table t on t.table_id = w.table_id "
    "join {s}.ducklake_schema p on p.schema_id = t.schema_id left join {s}.ducklake_name_mapping m "
    "on m.mapping_id = f.mapping_id and m.target_field_id = s.column_id and m.parent_column is null "
    "where w.unfounded > 0 and coalesce(s.value_count, 1) > 0 and (s.min_value is null or s.max_value is null) "
    "and f.data_file_id > %s group by f.data_file_id, f.table_id, p.path, t.path, f.path, f.path_is_relative "
    "order by f.data_file_id limit %s"
)
_SPEAK = (
    "update {s}.ducklake_file_column_stats set value_count = %s, null_count = %s, min_value = %s, max_value = %s "
    "where data_file_id = %s and table_id = %s and column_id = %s"
)
# What is said is put right in a commit of its own, as DuckLake makes them, and in one statement: statistics are kept in
# memory until the number of the next file changes, and whoever writes at the same moment wants the same number of
# snapshot, fails, and looks again.
_RIGHT = (
    _HELD + ", righted as (update {s}.ducklake_table_column_stats n "  # noqa: S608 - constants only
    "set contains_null = n.contains_null or w.with_nulls > 0, "
    "min_value = case when w.unbounded = 0 then w.low end, max_value = case when w.unbounded = 0 then w.high end "
    "from wrong w where w.table_id = n.table_id and w.column_id = n.column_id "
    "and (w.with_nulls > 0 or w.unfounded > 0 or w.narrow) returning n.column_id), "
    "committed as (insert into {s}.ducklake_snapshot "
    "(snapshot_id, snapshot_time, schema_version, next_catalog_id, next_file_id) "
    "select snapshot_id + 1, now(), schema_version, next_catalog_id, next_file_id + 1 from {s}.ducklake_snapshot "
    "where exists (select from righted) order by snapshot_id desc limit 1 returning snapshot_id) "
    "insert into {s}.ducklake_snapshot_changes (snapshot_id, changes_made, author, commit_message) "
    "select snapshot_id, '', 'finer', 'mend statistics' from committed"
)


# How PostgreSQL writes days and fractions as texts is a setting of a server; the lake reads them in this way.
_AS_THE_LAKE = "set datestyle = 'ISO, YMD'; set extra_float_digits = 1"


def wrong_statistics(connection: psycopg.Connection, tenant: uuid.UUID) -> list[WrongStatistics]:
    """The columns of which the catalogue of a tenant, which has a lake, says what its files contradict."""
    connection.execute(_AS_THE_LAKE)
    return [WrongStatistics(*row) for row in connection.execute(_sql(_WRONG, tenant)).fetchall()]


def mend_statistics(access: LakeAccess, connection: psycopg.Connection, tenant: uuid.UUID, memory_mb: int) -> int:
    """Let the catalogue say of each column what its files say; returns how many columns it was wrong of.

    The caller sees to it that nobody else merges files. A writer may append meanwhile. Raises LakeUnavailable.
    """
    wrong = wrong_statistics(connection, tenant)
    if not wrong:
        return 0
    if any(one.files_without_bounds for one in wrong):
        _ask_silent_files(access, connection, tenant, memory_mb)
    for attempt in range(_ATTEMPTS):
        try:
            connection.execute(_sql(_RIGHT, tenant))
            break
        except psycopg.errors.UniqueViolation as error:
            # Somebody else committed in between: what was summed may lack a file.
            if attempt == _ATTEMPTS - 1:
                raise unavailable("The lake is written to by too many at once.", error) from error
    return len(wrong)


def _ask_silent_files(access: LakeAccess, connection: psycopg.Connection, tenant: uuid.UUID, memory_mb: int) -> None:
    """Read the columns that files say nothing of, and let the catalogue say it."""
    db = access.open(memory_mb=memory_mb, threads=1)
    try:
        for file, table, address, columns, names in _silent_files(access, connection, tenant):
            asked = ", ".join(
                f"count({name}), count(*) - count({name}), min({name})::varchar, max({name})::varchar"
                for name in map(quoted, names)
            )
            found = db.execute(f"select {asked} from read_parquet(?)", [address]).fetchone() or ()  # noqa: S608 - quoted
            for at, column in enumerate(columns):
                connection.execute(_sql(_SPEAK, tenant), (*found[4 * at : 4 * at + 4], file, table, column))
    except duckdb.Error as error:
        raise unavailable("The lake cannot be read.", error) from error
    finally:
        db.close()


def _silent_files(
    access: LakeAccess, connection: psycopg.Connection, tenant: uuid.UUID
) -> Iterator[tuple[int, int, str, list[int], list[str]]]:
    folder, after = access.address(tenant), -1
    while rows := connection.execute(_sql(_SILENT, tenant), (after, _FILES_AT_ONCE)).fetchall():
        for file, table, schema_path, table_path, path, relative, columns, names in rows:
            yield file, table, f"{folder}/{schema_path}{table_path}{path}" if relative else path, columns, names
            after = file


def _sql(text: str, tenant: uuid.UUID) -> sql.Composed:
    return sql.SQL(text).format(s=sql.Identifier(schema_name(tenant)))
