"""Profiles of columns: what the records of some seconds look like, in one query over few files."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from finer.kit.moments import from_microseconds
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.rules import quoted, table_of
from finer.warehouse.store.reading import LakeReader
from finer.warehouse.types import Bins, ColumnSummary, KeyTest, StepProfile

TOP_VALUES = 20
_QUANTILES = [round(0.1 * place, 1) for place in range(1, 10)]
_ARRIVED = "where received_at >= $since and received_at < $until"
_TESTS = {
    KeyTest.ABSENT: "{column} is null",
    KeyTest.BETWEEN: "{column}::double > $low and {column}::double <= $high",
    KeyTest.VALUE: "{column}::varchar = $value",
    KeyTest.OTHER: "{column} is not null and {column}::varchar not in (select unnest($values::varchar[]))",
    KeyTest.ANY: "true",
}


def profile_steps(
    reader: LakeReader,
    tenant: uuid.UUID,
    contract: str,
    columns: Sequence[str],
    bins: Sequence[Bins],
    span: tuple[datetime, datetime, int],
) -> list[StepProfile]:
    """Records by steps of arrival: `span` is from (inclusive), to (exclusive), and the length of a step in seconds.

    Of `columns` the empty values are counted, of `bins` the values in each bin. Steps without records are left out.
    Raises LakeUnavailable.
    """
    since, until, step_s = span
    chosen = [
        "epoch_us(received_at) // $step as step", "count(*) as n",
        "median(epoch_us(received_at) - epoch_us(occurred_at)) / 1e6 as delay_s",
        *(f"count(*) - count({quoted(column)}) as nulls_{place}" for place, column in enumerate(columns)),
        *(f"{_histogram(one)} as bins_{place}" for place, one in enumerate(bins)),
    ]  # fmt: skip
    statement = f"select {', '.join(chosen)} from {quoted(table_of(contract))} {_ARRIVED} group by step order by step"  # noqa: S608 - quoted names of a contract
    arguments = {"since": since, "until": until, "step": step_s * 1_000_000}
    return [
        StepProfile(
            at=from_microseconds(row["step"] * step_s * 1_000_000),
            rows=row["n"],
            delay_s=row["delay_s"],
            nulls=[row[f"nulls_{place}"] for place in range(len(columns))],
            counts=[_counts(one, row[f"bins_{place}"]) for place, one in enumerate(bins)],
        )
        for row in _rows(reader, tenant, contract, statement, arguments)
    ]


def summarise_columns(
    reader: LakeReader, tenant: uuid.UUID, contract: str, columns: dict[str, bool], span: tuple[datetime, datetime]
) -> list[ColumnSummary]:
    """What values columns have in the records that arrived in a span; `columns` says of each whether it is a number.

    Deciles of numbers and the most frequent values are approximate. Raises LakeUnavailable.
    """
    chosen = ["count(*) as n"]
    for place, (column, number) in enumerate(columns.items()):
        name = quoted(column)
        chosen += [
            f"count({name}) as filled_{place}", f"approx_count_distinct({name}) as distinct_{place}",
            f"approx_top_k({name}::varchar, {TOP_VALUES}) as top_{place}",
            f"{f'approx_quantile({name}::double, {_QUANTILES})' if number else 'null'} as deciles_{place}",
        ]  # fmt: skip
    statement = f"select {', '.join(chosen)} from {quoted(table_of(contract))} {_ARRIVED}"  # noqa: S608 - as above
    found = _rows(reader, tenant, contract, statement, {"since": span[0], "until": span[1]})
    if not found:
        return []
    row = found[0]
    return [
        ColumnSummary(
            column=column,
            rows=row["n"],
            filled=row[f"filled_{place}"],
            distinct=row[f"distinct_{place}"],
            top=tuple(row[f"top_{place}"] or ()),
            deciles=None if row[f"deciles_{place}"] is None else tuple(row[f"deciles_{place}"]),
        )
        for place, column in enumerate(columns)
    ]


def find_keys(
    reader: LakeReader,
    tenant: uuid.UUID,
    contract: str,
    column: str,
    test: KeyTest,
    arguments: dict[str, Any],
    span: tuple[datetime, datetime],
    limit: int,
) -> tuple[list[str], int]:
    """The event ids of the newest records of a span whose column passes a test, and how many there are altogether.

    Raises LakeUnavailable.
    """
    held = _TESTS[test].format(column=quoted(column))
    statement = (
        f"select event_id, count(*) over () as n from {quoted(table_of(contract))} "  # noqa: S608 - as above
        f"{_ARRIVED} and {held} order by received_at desc limit {int(limit)}"
    )
    rows = _rows(reader, tenant, contract, statement, {"since": span[0], "until": span[1], **arguments})
    return [row["event_id"] for row in rows], rows[0]["n"] if rows else 0


def _histogram(one: Bins) -> str:
    # Edges and values stand in the statement: DuckDB wants them to be constants.
    if one.edges is not None:
        edges = ", ".join(repr(float(edge)) for edge in one.edges)
        return f"histogram({quoted(one.column)}::double, [{edges}]::double[])"
    values = ", ".join("'" + value.replace("'", "''") + "'" for value in one.values)
    return f"histogram_exact({quoted(one.column)}::varchar, [{values}]::varchar[])"


def _counts(one: Bins, found: list[tuple[Any, int]] | None) -> list[int]:
    """Counts in the order of the bins, what fits none at the end."""
    known = dict(found or ())
    bins: Sequence[Any] = one.values if one.edges is None else [float(edge) for edge in one.edges]
    counts = [int(known.pop(key, 0)) for key in bins]
    return [*counts, sum(int(count) for count in known.values())]


def _rows(
    reader: LakeReader, tenant: uuid.UUID, contract: str, statement: str, arguments: dict[str, Any]
) -> list[dict[str, Any]]:
    try:
        table: pa.Table = reader.read(tenant, statement, arguments, contract=contract)
    except LakeEmpty:
        return []
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows
