"""Many rows in one statement: by the driver's own way, each is a statement that both sides take up by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.kit.tx import Tx

Row = Mapping[str, Any]
"""Values by column; all rows of a set have the same columns, and what stands as JSON in the table is given as it is."""


def insert_all(tx: Tx, table: sa.Table, rows: Sequence[Row], *, or_nothing: bool = False) -> None:
    """Insert rows. With `or_nothing`, one whose key is there already is left as it is."""
    if not rows:
        return
    names = _names(table, rows)
    tx.connection.exec_driver_sql(
        f"insert into {table.name} ({names}) select {names} "  # noqa: S608 - names of our own tables
        f"from jsonb_populate_recordset(null::{table.name}, %s::jsonb)"
        f"{' on conflict do nothing' if or_nothing else ''}",
        (_text(rows),),
    )


def update_all(tx: Tx, table: sa.Table, rows: Sequence[Row], *, counting: str) -> None:
    """Change the rows of the transaction's tenant by their `id`; the column `counting` grows by one in each."""
    if not rows:
        return
    values = ", ".join(f'"{name}" = n."{name}"' for name in rows[0] if name != "id")
    tx.connection.exec_driver_sql(
        f"update {table.name} as t set {counting} = t.{counting} + 1, {values} "  # noqa: S608 - names of our own tables
        f"from jsonb_populate_recordset(null::{table.name}, %s::jsonb) as n where t.tenant_id = %s and t.id = n.id",
        (_text(rows), tx.tenant),
    )


def _names(table: sa.Table, rows: Sequence[Row]) -> str:
    return ", ".join(f'"{table.c[name].name}"' for name in rows[0])


def _text(rows: Sequence[Row]) -> str:
    # The server reads bytes from a text in hexadecimal; the encoder would write them in base64.
    plain = [
        {name: "\\x" + value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
        for row in rows
    ]
    return msgspec.json.encode(plain).decode()
