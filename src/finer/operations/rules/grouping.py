"""Sums of a batch of records by what they are, where they are from and what they are about."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import pyarrow as pa

from finer.kit.columns import Columns
from finer.kit.hashing import combine_hashes
from finer.operations.types.sums import Array, Grain, Groups, Measured

_MINUTE_US = 60_000_000
_HALF = np.int64(32)
_LOW = np.int64(0xFFFFFFFF)

MEASURED: dict[str, Measured] = {
    "activity": Measured(kind="kind", region="country", channel="channel", product="product_id"),
    "order": Measured(
        kind="type", region="country", channel="channel", product="product_id", currency="currency",
        amount="amount_minor", quantity="quantity", unit_cost="unit_cost_minor",
    ),
    "transaction": Measured(
        kind="type", status="status", region="merchant_country", channel="channel", product="mcc",
        currency="currency", amount="amount_minor",
    ),
}  # fmt: skip
"""The contracts whose records are summed up, and by what. The product of a payment is the category of the merchant."""

_EACH = ("kind", "status", "currency")
_OF_GRAIN = {Grain.PLACE: ("region", "channel"), Grain.PRODUCT: ("product",)}


def group(columns: Columns, measured: Measured, fresh: Array) -> Groups | None:
    """The sums of the records for which `fresh`, shape (rows,), holds; None without any.

    A text that is missing counts as empty, as does a column that an older version of the contract did not have.
    Amounts are added exactly, whatever their size.
    """
    rows = np.arange(columns.rows) if fresh.all() else np.flatnonzero(fresh)
    if len(rows) == 0:
        return None
    minutes = columns.values("occurred_at")[rows] // _MINUTE_US
    by_grain = [_grain(columns, measured, grain, rows, minutes) for grain in Grain]
    return Groups(
        **{name: [value for found in by_grain for value in getattr(found, name)] for name in Groups.__struct_fields__}
    )


def _grain(columns: Columns, measured: Measured, grain: Grain, rows: Array, minutes: Array) -> Groups:
    apart = {name: column for name in (*_EACH, *_OF_GRAIN[grain]) if (column := getattr(measured, name)) in columns}
    first, place = _apart(columns, list(apart.values()), rows, minutes)
    count = len(first)
    texts = {name: _texts(columns, column, rows[first]) for name, column in apart.items()}
    empty = [""] * count
    costed, costed_amounts, costs = _costs(columns, measured, rows, place, count)
    return Groups(
        minutes=minutes[first].tolist(),
        grains=[grain.value] * count,
        kinds=texts.get("kind", empty),
        statuses=texts.get("status", empty),
        currencies=texts.get("currency", empty),
        regions=texts.get("region", empty),
        channels=texts.get("channel", empty),
        products=texts.get("product", empty),
        records=np.bincount(place, minlength=count).tolist(),
        quantities=_sums(columns, measured.quantity, rows, place, count),
        amounts=_sums(columns, measured.amount, rows, place, count),
        costed=costed,
        costed_amounts=costed_amounts,
        costs=costs,
    )


def _apart(columns: Columns, names: Sequence[str], rows: Array, minutes: Array) -> tuple[Array, Array]:
    """The first row of each group, and for each row the number of its group."""
    if len(rows) == 1:
        return np.zeros(1, np.int64), np.zeros(1, np.int64)
    columns.hash_together(names)
    keys = reduce(combine_hashes, (columns.hashes(name)[rows] for name in names), minutes.astype(np.uint64))
    # Arrow numbers what it meets in the order in which it comes, several times as fast as sorting would.
    place = np.asarray(pa.array(keys).dictionary_encode().indices, np.int64)
    first = np.empty(int(place.max()) + 1, np.int64)
    first[place[::-1]] = np.arange(len(place) - 1, -1, -1)
    return first, place


def _texts(columns: Columns, name: str, rows: Array) -> list[str]:
    return [value or "" for value in columns.strings(name).take(pa.array(rows)).to_pylist()]


def _costs(
    columns: Columns, measured: Measured, rows: Array, place: Array, count: int
) -> tuple[list[int], list[int], list[int]]:
    """Of the records whose cost is known: how many, what they are worth, and what they cost."""
    name = measured.unit_cost
    known = None if name is None or name not in columns else columns.valid(name)
    if name is None or name not in columns or (known is not None and not known[rows].any()):
        return [0] * count, [0] * count, [0] * count
    if known is not None:
        rows, place = rows[known[rows]], place[known[rows]]
    # Units times cost can take more than 64 bits, so these are numbers of Python.
    costs = np.zeros(count, object)
    np.add.at(costs, place, columns.values(measured.quantity or "")[rows].astype(object) * columns.values(name)[rows])
    return (
        np.bincount(place, minlength=count).tolist(),
        _sums(columns, measured.amount, rows, place, count),
        costs.tolist(),
    )


def _sums(columns: Columns, name: str | None, rows: Array, place: Array, count: int) -> list[int]:
    if name is None or name not in columns:
        return [0] * count
    values, known = columns.values(name)[rows], columns.valid(name)
    if known is not None:
        values = np.where(known[rows], values, 0)
    # Two halves, each of which a float holds exactly for any batch: 64 bits could overflow, and one float would round.
    low = np.bincount(place, weights=values & _LOW, minlength=count)
    high = np.bincount(place, weights=values >> _HALF, minlength=count)
    return [(int(upper) << 32) + int(lower) for upper, lower in zip(high.tolist(), low.tolist(), strict=True)]
