"""What is in a database, table by table, so that a test can tell that nothing was changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString, cast

import psycopg
from psycopg import sql

_TABLES: LiteralString = """
    select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
"""


def fingerprint(url: str, *, without_columns: Sequence[str] = ()) -> dict[str, tuple[int, int]]:
    """Rows of each table (their number, and the sum of the hashes of their contents), by schema and name.

    Columns named in `without_columns` do not count.
    """
    found = {}
    with psycopg.connect(url) as connection:
        for schema, table in connection.execute(_TABLES).fetchall():
            query = sql.SQL(
                "select count(*), coalesce(sum(hashtextextended((to_jsonb(t) - %s::text[])::text, 0)), 0) from {} t"
            ).format(sql.Identifier(schema, table))
            row = connection.execute(query, [list(without_columns)]).fetchone()
            found[f"{schema}.{table}"] = cast("tuple[int, int]", row)
    return found


def changed(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> set[str]:
    """Tables whose rows are not the same."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
