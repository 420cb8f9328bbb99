"""`Columns`: one batch of records as the hot path reads it. Arrow in, NumPy views out, each computed once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from finer.kit.hash_set import HashSet
from finer.kit.hashing import hash_columns, hash_strings

Array = np.ndarray[Any, np.dtype[Any]]
_FEW = 4  # up to so many rows, picking each value costs less than taking rows of all columns


class Columns:
    """The named columns of `rows` records.

    A column comes from an Arrow record batch or is added as a NumPy array. `values` gives numbers (timestamps and
    dates as int64 microseconds since 1970 UTC, booleans as bool), `hashes` gives texts as stable 64-bit hashes,
    `valid` says which rows have a value at all (None: every row has).
    """

    def __init__(self, batch: pa.RecordBatch) -> None:
        self.batch = batch
        self.rows: int = batch.num_rows
        self._arrow: dict[str, pa.Array] = dict(zip(batch.schema.names, batch.columns, strict=True))
        self._values: dict[str, Array] = {}
        self._valid: dict[str, Array | None] = {}
        self._hashes: dict[str, Array] = {}
        self.lists: Mapping[str, HashSet] = {}
        """The lists that a condition can ask by `in_list`, by name."""

    def names(self) -> list[str]:
        """Every column, those of the batch first."""
        return [*self._arrow, *(name for name in self._values if name not in self._arrow)]

    def __contains__(self, name: str) -> bool:
        return name in self._arrow or name in self._values

    def add(self, name: str, values: Array, valid: Array | None = None) -> None:
        """Add or replace a computed numeric or boolean column; `valid` is a boolean array or None for no nulls."""
        self._arrow.pop(name, None)
        self._hashes.pop(name, None)
        self._values[name] = values
        self._valid[name] = valid

    def add_hashes(self, name: str, hashes: Array) -> None:
        """Add a computed text column of which only the hashes are known; 0 is null."""
        self._hashes[name] = hashes
        self._valid[name] = None if hashes.all() else hashes != 0
        self._values[name] = hashes

    def values(self, name: str) -> Array:
        """The numbers of a column, shape (rows,); where `valid` is false the number means nothing."""
        found = self._values.get(name)
        if found is None:
            found = self._values[name] = _numbers(self._arrow[name])
        return found

    def valid(self, name: str) -> Array | None:
        """Which rows have a value, shape (rows,), bool; None when all have."""
        if name not in self._valid:
            array = self._arrow[name]
            self._valid[name] = np.asarray(array.is_valid()) if array.null_count else None
        return self._valid[name]

    def hashes(self, name: str) -> Array:
        """Stable hashes of a text column, shape (rows,), uint64; null is 0."""
        found = self._hashes.get(name)
        if found is None:
            found = self._hashes[name] = hash_strings(self._arrow[name])
        return found

    def hash_together(self, names: Iterable[str]) -> None:
        """Hash those of the text columns that have no hashes yet, all in one call; any other name is left alone."""
        wanted = [
            (name, self._arrow[name])
            for name in dict.fromkeys(names)
            if name not in self._hashes and name in self._arrow and pa.types.is_string(self._arrow[name].type)
        ]
        self._hashes.update(
            zip((name for name, _ in wanted), hash_columns([array for _, array in wanted]), strict=True)
        )

    def holds_texts(self, name: str) -> bool:
        """Whether a column is of texts, or of hashes of texts."""
        computed = self._values.get(name)
        return _is_text(self._arrow[name].type) if computed is None else computed.dtype == np.uint64

    def strings(self, name: str) -> pa.Array:
        """A text column as Arrow, for what hashes cannot do (patterns, order)."""
        return self._arrow[name]

    def arrow(self, name: str) -> pa.Array:
        """Any column as Arrow."""
        array = self._arrow.get(name)
        if array is None:
            valid = self._valid.get(name)
            array = pa.array(self._values[name], mask=None if valid is None else ~valid)
        return array

    def pick(self, rows: Array, names: Iterable[str]) -> dict[str, list[Any]]:
        """Plain Python values of a few rows, for alerts and answers."""
        wanted = list(names)
        stored = [name for name in wanted if name in self._arrow]
        if len(rows) <= _FEW:
            places = rows.tolist()
            found = {name: [self._arrow[name][place].as_py() for place in places] for name in stored}
        else:
            # One take for all columns: each costs as much for one row as for a thousand.
            taken = self.batch.select(stored).take(pa.array(rows))
            found = dict(zip(stored, (column.to_pylist() for column in taken.columns), strict=True))
        return {name: found[name] if name in found else self._picked(name, rows) for name in wanted}

    def _picked(self, name: str, rows: Array) -> list[Any]:
        values, valid = self._values[name], self._valid.get(name)
        if self.rows > 1 or len(rows) != 1:
            values = values[rows]
            valid = None if valid is None else valid[rows]
        picked: list[Any] = values.tolist()
        if valid is None:
            return picked
        return [value if known else None for value, known in zip(picked, valid.tolist(), strict=True)]


def _is_text(kind: pa.DataType) -> bool:
    return any(
        of(kind)
        for of in (
            pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary,
            pa.types.is_large_binary,
        )
    )  # fmt: skip


def _numbers(array: pa.Array) -> Array:
    kind = array.type
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind) or pa.types.is_duration(kind):
        if pa.types.is_timestamp(kind) and kind.unit != "us":
            array = array.cast(pa.timestamp("us", tz=kind.tz))
        array = array.view(pa.int64())
    elif pa.types.is_date(kind):
        array = array.cast(pa.timestamp("us")).view(pa.int64())
    elif pa.types.is_boolean(kind):
        return np.asarray(array.fill_null(False) if array.null_count else array)
    if array.null_count:
        array = array.fill_null(0)
    return np.asarray(array.to_numpy(zero_copy_only=False))
