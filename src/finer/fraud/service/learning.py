"""What the fraud desk's models learn from and are watched by: decided payments of the lake, with what is known of them.

A model reads the values that were used at the time of the decision, as the lake keeps them, so what it learns from is
what it will see. Import this only where something is trained; see finer.scoring.service.training.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from finer.fraud.errors import NothingToLearnFrom
from finer.fraud.rules.price import FRAUD, LABELS
from finer.fraud.service.rule_sets import feature_types
from finer.fraud.store import lake
from finer.kit.conditions.tree import ColumnType
from finer.kit.moments import microseconds
from finer.scoring.service.learning import History, Live
from finer.scoring.service.training import Ratio, Table

Array = np.ndarray[Any, np.dtype[Any]]
ROWS_MAX = 3_000_000
"""Some 500 MB while it is learnt from. More payments than these teach little more."""
GROUPS = ("channel", "merchant_country", "type")
"""Fields by which a model's card says whether it treats people alike."""
RATIOS = (
    Ratio("amount_to_mean_30d", "amount_usd_minor", "account.mean_30d"),
    Ratio("amount_to_sum_24h", "amount_usd_minor", "account.sum_24h"),
    Ratio("count_1h_to_24h", "account.count_1h", "account.count_24h"),
)
_DAY_US = timedelta(days=1) // timedelta(microseconds=1)


def windows_read() -> list[str]:
    """The windows that a model reads: all that are numbers."""
    return [name for name, kind in feature_types().items() if kind is ColumnType.NUMBER]


def columns_read() -> list[str]:
    """The columns that a model reads, in order."""
    return ["amount_usd_minor", "local_hour", *windows_read()]


def training_query(zone: str, *, labelled: bool, profile: Collection[str] = ()) -> str:
    """The SQL of a period's payments as `gather` takes them; `labelled` says whether the lake has any label yet.

    `profile` are the fields that the lake has of customers. Where age or gender is among them, the card of a model says
    how it treats people by it; no model reads either.
    """
    people = [name for name, field in lake.PROFILE_FIELDS.items() if field in profile]
    return lake.training_query(windows_read(), GROUPS, zone, labelled=labelled, people=people)


def scored_query(zone: str, *, labelled: bool, beside: bool) -> str:
    """The SQL of a period's scored payments as `live` and `seen` take them; `beside` those with a challenger."""
    return lake.scored_query(windows_read(), zone, labelled=labelled, beside=beside)


def watched_query(zone: str, *, challenged: bool) -> str:
    """The SQL of a sample of `$rows` of a period's payments as `seen` takes them, whichever model has scored them."""
    return lake.watched_query(windows_read(), zone, challenged=challenged)


def gather(batches: Iterable[pa.RecordBatch], delay_days: int) -> History:
    """Payments to learn from. Raises NothingToLearnFrom when there are none, or more than ROWS_MAX."""
    table = _table(batches)
    times = _ints(table, "at")
    labels = _labels(table)
    known = table.column("known_at").combine_chunks()
    known_at = np.asarray(known.fill_null(0).to_numpy(zero_copy_only=False), np.int64)
    # A payment that nobody reported counts as genuine once the delay of labels has passed.
    known_at = np.where(np.asarray(known.is_valid()), known_at, times + delay_days * _DAY_US)
    names = columns_read()
    matrix = _matrix(table, names)
    # What is the same for all payments, such as frauds that became known where no label came in time, teaches nothing.
    needed = {name for ratio in RATIOS for name in (ratio.numerator, ratio.denominator)}
    taught = [place for place, name in enumerate(names) if name in needed or _varies(matrix[place])]
    return History(
        table=Table([names[place] for place in taught], list(RATIOS), matrix[taught], labels == FRAUD),
        times=times,
        known_at=known_at,
        entities=_codes(table, "account_id"),
        days=_ints(table, "day"),
        groups={name: _texts(table, name) for name in (*GROUPS, *lake.PEOPLE) if name in table.column_names},
    )


def live(batches: Iterable[pa.RecordBatch], ripe_before: datetime) -> Live:
    """Payments that champion and challenger have both scored; those before a moment count as genuine if unreported."""
    table = _table(batches)
    return Live(
        champion=_floats(table, "score"),
        challenger=_floats(table, "challenger_score"),
        labels=_labels(table),
        ripe=_ints(table, "at") < microseconds(ripe_before),
        entities=_codes(table, "account_id"),
        days=_ints(table, "day"),
    )


def seen(batches: Iterable[pa.RecordBatch], columns: list[str]) -> tuple[Array, Array, Array]:
    """What a model reads of payments, float64 (columns, rows), its scores (NaN for none), the labels (see `Live`)."""
    table = _table(batches)
    return _matrix(table, columns), _floats(table, "score"), _labels(table)


def _table(batches: Iterable[pa.RecordBatch]) -> pa.Table:
    parts: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        parts.append(batch)
        rows += batch.num_rows
        if rows > ROWS_MAX:
            raise NothingToLearnFrom(
                f"The period holds more than {ROWS_MAX:,} payments. Choose fewer days: what a model learns from a few "
                "million payments hardly grows with more."
            )
    if rows == 0:
        raise NothingToLearnFrom("The lake holds no decided payment of the period. Choose another, or wait for some.")
    return pa.Table.from_batches(parts)


def _matrix(table: pa.Table, names: list[str]) -> Array:
    found = np.empty((len(names), table.num_rows))
    for place, name in enumerate(names):
        found[place] = _floats(table, name)
    return found


def _varies(values: Array) -> bool:
    known = values[~np.isnan(values)]
    return 0 < len(known) < len(values) or bool(len(known) and known.min() < known.max())


def _floats(table: pa.Table, name: str) -> Array:
    return np.asarray(table.column(name).to_numpy(), np.float64)


def _ints(table: pa.Table, name: str) -> Array:
    return np.asarray(table.column(name).to_numpy(), np.int64)


def _codes(table: pa.Table, name: str) -> Array:
    encoded = table.column(name).combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False), np.int64)


def _texts(table: pa.Table, name: str) -> Array:
    return np.asarray(table.column(name).to_numpy().astype(str))


def _labels(table: pa.Table) -> Array:
    encoded = table.column("label").combine_chunks().dictionary_encode()
    meaning = np.array([LABELS.get(str(value), 0) for value in encoded.dictionary.to_pylist()] + [0], np.int8)
    codes = np.asarray(encoded.indices.fill_null(len(meaning) - 1).to_numpy(zero_copy_only=False))
    known: Array = meaning[codes]
    return known
