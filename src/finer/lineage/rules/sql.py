"""Which columns of which tables a query reads, by a SQL parser."""

from __future__ import annotations

from collections.abc import Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import traverse_scope


def columns_read(statement: str, tables: Mapping[str, Mapping[str, str]]) -> list[tuple[str, str]]:
    """The (table, column) pairs that a statement reads, in order; `tables` are types by table and column.

    A statement that cannot be read has none: it is shown as it is, without lineage.
    """
    try:
        tree = sqlglot.parse_one(statement, dialect="duckdb")
        tree = qualify(
            tree,
            dialect="duckdb",
            schema={table: dict(columns) for table, columns in tables.items()},
            validate_qualify_columns=False,
            quote_identifiers=False,
            identify=False,
        )
        found: dict[tuple[str, str], None] = {}
        for scope in traverse_scope(tree):
            for column in scope.columns:
                source = scope.sources.get(column.table)
                if isinstance(source, exp.Table) and column.name in tables.get(source.name, {}):
                    found[source.name, column.name] = None
    except (SqlglotError, RecursionError):
        return []
    return list(found)
