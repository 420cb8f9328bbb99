"""Alerts on results: whether a condition holds of one, and what follows from that over time."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from finer.kit.columns import Columns
from finer.kit.conditions.condition import Condition, parse_condition
from finer.kit.conditions.errors import ConditionError
from finer.kit.conditions.tree import Catalogue, ColumnType
from finer.workspace.errors import CannotBeUsed
from finer.workspace.types import AlertRule, AlertTest, Watch, WatchState

ROW_COUNT = "row_count"


def catalogue_of(schema: pa.Schema, test: AlertTest) -> Catalogue:
    """The columns that a condition over this result may name."""
    if test is AlertTest.ROW_COUNT:
        return Catalogue({ROW_COUNT: ColumnType.NUMBER})
    return Catalogue({field.name: kind for field in schema if (kind := _column_type(field.type)) is not None})


def _column_type(kind: pa.DataType) -> ColumnType | None:
    if pa.types.is_boolean(kind):
        return ColumnType.BOOLEAN
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return ColumnType.NUMBER
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return ColumnType.TIMESTAMP
    return ColumnType.TEXT if pa.types.is_string(kind) or pa.types.is_large_string(kind) else None


def compiled(rule: AlertRule, schema: pa.Schema) -> Condition:
    """The condition of an alert over a result of that schema. Raises CannotBeUsed, with the `position` in it."""
    try:
        return parse_condition(rule.condition, catalogue_of(schema, rule.test))
    except ConditionError as error:
        raise CannotBeUsed(f"The alert's condition: {error}", position=getattr(error, "position", None)) from error


def holds(rule: AlertRule, table: pa.Table) -> tuple[bool, str]:
    """Whether the condition holds of a result, and a sentence that says of what. Raises CannotBeUsed."""
    if rule.test is AlertTest.ROW_COUNT:
        batch = pa.record_batch({ROW_COUNT: pa.array([table.num_rows], pa.int64())})
    else:
        batch = _batch(table if rule.test is not AlertTest.FIRST_ROW else table.slice(0, 1))
    mask = compiled(rule, batch.schema).mask(Columns(batch))
    count = int(np.count_nonzero(mask))
    match rule.test:
        case AlertTest.ROW_COUNT:
            return bool(count), f"The result has {table.num_rows:,} rows ({rule.condition})."
        case AlertTest.FIRST_ROW:
            return bool(count), f"The first row {'meets' if count else 'does not meet'}: {rule.condition}."
        case AlertTest.ALL_ROWS:
            whole = 0 < table.num_rows == count
            return whole, f"{count:,} of {table.num_rows:,} rows meet: {rule.condition}."
        case _:
            return count > 0, f"{count:,} of {table.num_rows:,} rows meet: {rule.condition}."


def _batch(table: pa.Table) -> pa.RecordBatch:
    """The columns that conditions can read, as one batch, in the types that they read."""
    columns = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        kind = _column_type(field.type)
        if kind is None or field.name in columns:
            continue
        wanted = {
            ColumnType.NUMBER: field.type if not pa.types.is_decimal(field.type) else pa.float64(),
            ColumnType.TEXT: pa.string(),
            ColumnType.BOOLEAN: pa.bool_(),
            ColumnType.TIMESTAMP: pa.timestamp("us", "UTC"),
        }[kind]
        whole = column.combine_chunks()
        columns[field.name] = whole if whole.type == wanted else whole.cast(wanted, safe=False)
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def judged(rule: AlertRule, before: Watch, held: bool, reason: str, now: datetime) -> tuple[Watch, bool, bool]:
    """Where an alert stands after a run, whether people are told of it, and whether what they were told is over.

    It fires once the condition has held for its pending period, and says so again after its cooldown. A clock that
    went back begins them anew, and takes nothing back that was told.
    """
    if not held:
        over = before.told_at is not None
        return Watch(state=WatchState.OK, reason=reason), False, over
    since = min(before.since or now, now)
    told = None if before.told_at is None else min(before.told_at, now)
    if before.state is not WatchState.FIRING and now - since < timedelta(minutes=rule.pending_minutes):
        return Watch(state=WatchState.PENDING, since=since, told_at=told, reason=reason), False, False
    again = told is None or timedelta(0) < timedelta(minutes=rule.cooldown_minutes) <= now - told
    told_at = now if again else told
    return Watch(state=WatchState.FIRING, since=since, told_at=told_at, reason=reason), again, False
