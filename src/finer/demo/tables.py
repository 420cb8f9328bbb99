"""`Table`: named NumPy columns of equal length, the form in which the world keeps its events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from finer.demo.chance import Array


class Table:
    """Columns of one length. Rows are never Python objects until they are written out."""

    def __init__(self, columns: Mapping[str, Array]) -> None:
        self.columns = dict(columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def __setitem__(self, name: str, values: Array) -> None:
        self.columns[name] = values

    def take(self, rows: Array | slice) -> Table:
        """The chosen rows: indices, a boolean mask, or a slice."""
        return Table({name: values[rows] for name, values in self.columns.items()})

    def in_time_order(self) -> Table:
        """The rows by `occurred_us`; equal times keep their order."""
        return self.take(np.argsort(self["occurred_us"], kind="stable"))


def stack(tables: Iterable[Table]) -> Table:
    """The rows of several tables with the same columns, one after the other."""
    found = list(tables)
    return Table({name: np.concatenate([table[name] for table in found]) for name in found[0].columns})


def number_rows(table: Table, day: int, quirks: Array) -> Table:
    """Give the rows of one day, in time order, their lasting names: the day and a number within it.

    `quirks` holds uniform numbers, shape (n,): a few rows are followed by a spoilt copy of themselves, and a few are
    sent twice; see finer.demo.records.
    """
    table["day"] = np.full(len(table), day, np.int64)
    table["number"] = np.arange(len(table), dtype=np.int64)
    table["quirk"] = quirks[: len(table)]
    return table
