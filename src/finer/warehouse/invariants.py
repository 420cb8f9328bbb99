"""What must always be true of a lake; each function returns sentences, empty when all is well."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from finer.warehouse.rules import DECISIONS, LABELS, table_of
from finer.warehouse.store.reading import LakeReader
from finer.warehouse.types import WrongStatistics


def no_offset_twice(reader: LakeReader, tenant: uuid.UUID) -> list[str]:
    """No log record is in its table more than once, whatever happened to the worker in between."""
    names = [table.name for table in reader.tables(tenant) if table.name != LABELS]
    return [
        f"Table {name} holds {repeated} log records of partition {partition} more than once."
        for name in names
        for partition, repeated in reader.repeated_offsets(tenant, name).items()
    ]


def one_decision_per_transaction(reader: LakeReader, tenant: uuid.UUID) -> list[str]:
    """Every transaction in the lake has its decision, and every decision its transaction."""
    transactions = table_of("transaction")
    if not {transactions, DECISIONS} <= {table.name for table in reader.tables(tenant)}:
        return []
    undecided, unknown = reader.unmatched(tenant, transactions, DECISIONS)
    found = []
    if undecided:
        found.append(f"{undecided} transactions in the lake have no decision.")
    if unknown:
        found.append(f"{unknown} decisions in the lake have no transaction.")
    return found


def nothing_beyond_recorded(reader: LakeReader, tenant: uuid.UUID) -> list[str]:
    """The offsets recorded in the commits cover every record: a restart appends nothing twice."""
    streams = {table_of(stream) for stream, _ in reader.positions(tenant)}
    names = streams & {table.name for table in reader.tables(tenant)}
    held = {(name, at): last for name in names for at, last in reader.last_offsets(tenant, name).items()}
    # Read after what they have to cover: records that come in between are in both.
    recorded = {(table_of(stream), partition): at for (stream, partition), at in reader.positions(tenant).items()}
    return [
        f"Table {name} holds offset {last} of partition {partition}, and its commits record only up to {at}."
        for (name, partition), last in sorted(held.items())
        if last >= (at := recorded.get((name, partition), 0))
    ]


def statistics_hold(reader: LakeReader, tenant: uuid.UUID) -> list[str]:
    """What the catalogue says of a column is true of every file; otherwise queries silently find too little."""
    return [_of_statistics(one) for one in reader.wrong_statistics(tenant)]


def _of_statistics(wrong: WrongStatistics) -> str:
    faults = []
    if wrong.files_with_nulls:
        faults.append(f"it is said to hold no nulls, which is wrong of {wrong.files_with_nulls} of its files")
    if wrong.files_without_bounds:
        faults.append(f"bounds are told of it, and {wrong.files_without_bounds} of its files tell none")
    if wrong.narrow:
        faults.append("some values lie outside of its bounds")
    return (
        f"The catalogue is wrong of {wrong.table}.{wrong.column}, so that queries may find too little: "
        f"{'; '.join(faults)}. `finer job run compact_lake` mends it."
    )


def rows_equal_log(reader: LakeReader, tenant: uuid.UUID, expected: Mapping[str, int]) -> list[str]:
    """The lake holds as many records of each contract as were accepted and are no duplicates.

    `expected` says how many by contract; the caller asks ingest, and sees to it that the lake has caught up.
    """
    rows = {table.name: table.rows for table in reader.tables(tenant)}
    return [
        f"The lake holds {rows.get(table_of(contract), 0)} records of {contract}, and {count} were accepted."
        for contract, count in sorted(expected.items())
        if rows.get(table_of(contract), 0) != count
    ]
