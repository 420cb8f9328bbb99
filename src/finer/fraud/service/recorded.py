"""Payments as they were decided, out of the lake: their fields and the values used, as rules and models read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from finer.fraud.rules.evaluate import BASE_COLUMNS, Array, add_derived
from finer.fraud.service.rule_sets import feature_types, read
from finer.fraud.service.verdicts import ActiveModel, CompiledRules, pinned_model
from finer.fraud.store import lake
from finer.kit.columns import Columns
from finer.kit.conditions.tree import ColumnType
from finer.kit.tx import Tx


class Decided(NamedTuple):
    """Payments that were decided by one rule set and one model: `rows` are their places in the batch that was given.

    `rules` or `model` are None where they are gone, `problem` says so; `model_hash` is what the decision named.
    """

    rows: Array
    batch: pa.RecordBatch
    rule_set: str
    model_hash: str | None
    rules: CompiledRules | None
    model: ActiveModel | None

    def columns(self, zone: ZoneInfo) -> Columns:
        """The payments as columns."""
        found = Columns(self.batch)
        restore(found, feature_types(), zone)
        return found


def recorded_query() -> str:
    """SQL over the lake: the payments `$events` (ids) with what was decided, between `$since` and `$until`."""
    return lake.recorded_query(feature_types())


def restore(columns: Columns, names: Iterable[str], zone: ZoneInfo) -> None:
    """Add what `derive` and the windows add on live payments, from what the lake keeps of it; `names` are windows."""
    for name in names:
        column = columns.arrow(lake.column_name(name))
        if feature_types()[name] is ColumnType.TEXT:
            columns.add_hashes(name, np.asarray(column.fill_null(0).to_numpy(zero_copy_only=False), np.uint64))
        else:
            known = None if column.null_count == 0 else np.asarray(column.is_valid())
            columns.add(name, np.asarray(column.to_numpy(zero_copy_only=False), np.float64), known)
    usd = columns.arrow("kept_usd_minor")
    known = None if usd.null_count == 0 else np.asarray(usd.is_valid())
    cents = np.asarray(usd.fill_null(0).to_numpy(zero_copy_only=False), np.float64).astype(np.int64)
    add_derived(columns, cents, known, zone)


def by_deciders(tx: Tx, batch: pa.RecordBatch) -> Iterator[Decided]:
    """The payments of a batch of `recorded_query`, apart by what decided them; each rule set and model is read once."""
    whole = _completed(batch)
    sets = batch.column("kept_rule_pack").to_pylist()
    models = batch.column("kept_model").to_pylist()
    loaded: dict[Any, CompiledRules | None] = {}
    scorers: dict[Any, ActiveModel | None] = {None: None}
    for rule_set, model in sorted(set(zip(sets, models, strict=True)), key=str):
        rows = np.array(
            [place for place, one in enumerate(zip(sets, models, strict=True)) if one == (rule_set, model)], np.int64
        )
        if rule_set not in loaded:
            loaded[rule_set] = read(tx, rule_set)
        if model not in scorers:
            scorers[model] = pinned_model(tx, model, None)
        part = whole.take(pa.array(rows))
        yield Decided(rows, part, rule_set, model, loaded[rule_set], scorers[model])


def _completed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """With every field that a rule can name: a lake that never held one says it is not known."""
    for name, kind in BASE_COLUMNS.items():
        if kind is ColumnType.TEXT and name not in batch.schema.names:
            batch = batch.append_column(name, pa.nulls(batch.num_rows, pa.string()))
    return batch
