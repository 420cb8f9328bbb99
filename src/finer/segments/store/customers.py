"""The SQL of customers over the lake: how many conditions hold for, and who they are, by everybody's newest record."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from finer.kit.conditions.condition import Condition
from finer.kit.conditions.tree import ColumnType
from finer.warehouse.service.lake import PARTED

TABLE = "customer_profiles"
PLACE = "the place"
"""No field of a contract has a blank in its name."""
_TYPES = {
    ColumnType.NUMBER: "double",
    ColumnType.TEXT: "varchar",
    ColumnType.BOOLEAN: "boolean",
    ColumnType.TIMESTAMP: "timestamptz",
}
_AGE = (
    "year($today) - year(date_of_birth) - "
    "(month($today) * 100 + day($today) < month(date_of_birth) * 100 + day(date_of_birth))::integer"
)
_NEWEST = """
select {columns} from (
  select *, row_number() over (
    partition by customer_id order by occurred_at desc, log_partition desc, log_offset desc) as "its turn"
    from {table} where customer_id is not null and not starts_with(customer_id, '{parted}')
) where "its turn" = 1
"""
Query = tuple[str, dict[str, Any]]


def sizes(
    conditions: Sequence[Condition], known: Mapping[str, ColumnType], held: Collection[str], ours: Collection[str],
    today: date,
) -> Query:  # fmt: skip
    """One row: `customers`, and `c0`, `c1` and so on, for how many each condition holds.

    `known` are the columns that conditions can name, `held` those that the lake's table has by now, and `ours` those
    that are computed here. A column that no record had yet is null.
    """
    named = sorted({name for one in conditions for name in one.columns})
    counts = "".join(f", count(*) filter ({one.duckdb()}) as c{i}" for i, one in enumerate(conditions))
    newest, arguments = _newest([_column(name, known, held, ours) for name in named] or ["1 as one"], today)
    return f"select count(*) as customers{counts} from ({newest})", arguments  # noqa: S608 - names of the contract


def members(
    condition: Condition, known: Mapping[str, ColumnType], held: Collection[str], ours: Collection[str], today: date,
    shown: Mapping[str, str], secret: str, after: str | None, limit: int,
) -> Query:  # fmt: skip
    """Rows of PLACE and the columns of `shown`, each by the SQL that shows it, in the order of PLACE.

    That is a hash that nobody can compute without the firm's `secret`: pages follow one another without saying who is
    on them, and no order tells of a value that is not shown.
    """
    made = [name for name in sorted(condition.columns) if name in ours or name not in held]
    # A column of an earlier version of the contract may have the name of one that is computed.
    hidden = [f'"{name}"' for name in made if name in held]
    every = f"* exclude ({', '.join(hidden)})" if hidden else "*"
    newest, arguments = _newest([every, *(_column(name, known, held, ours) for name in made)], today)
    columns = ", ".join(f'{shows} as "{name}"' for name, shows in shown.items())
    arguments |= {"secret": secret, "limit": limit} | ({} if after is None else {"after": after})
    place = f"sha256($secret || '#' || customer_id) as \"{PLACE}\""
    page = f"select *, {place} from ({newest}) where {condition.duckdb()}"  # noqa: S608 - names of the contract
    further = "" if after is None else f'where "{PLACE}" > $after'
    return f'select "{PLACE}", {columns} from ({page}) {further} order by "{PLACE}" limit $limit', arguments  # noqa: S608 - the same


def _newest(columns: Sequence[str], today: date) -> Query:
    text = _NEWEST.format(columns=", ".join(columns), table=TABLE, parted=PARTED)
    return text, {"today": today} if "$today" in text else {}


def _column(
    name: str, known: Mapping[str, ColumnType], held: Collection[str], ours: Collection[str]
) -> str:  # fmt: skip
    quoted = '"' + name.replace('"', '""') + '"'
    if name in ours:
        reads = {"today": "$today", "age": _AGE if "date_of_birth" in held else "null::integer"}[name]
        return f"{reads} as {quoted}"
    return quoted if name in held else f"null::{_TYPES[known[name]]} as {quoted}"
