"""The public classes: a checked expression or condition, and what can be made of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

from finer.kit.columns import Columns
from finer.kit.conditions import to_text
from finer.kit.conditions.check import check, check_boolean
from finer.kit.conditions.parse import parse
from finer.kit.conditions.to_duckdb import to_duckdb
from finer.kit.conditions.to_numpy import Mode, Program
from finer.kit.conditions.tree import Catalogue, Column, ColumnType, InList, Node, walk, with_lists

if TYPE_CHECKING:
    import polars as pl

Array = np.ndarray[Any, np.dtype[Any]]
_MODES: dict[ColumnType, Mode] = {ColumnType.TEXT: "hash", ColumnType.BOOLEAN: "true"}


class Expression:
    """A checked scalar expression: `text` as written, its `tree` and `type`, the `columns` and `lists` it names."""

    def __init__(self, text: str, tree: Node) -> None:
        """Use parse_expression; `tree` must be a checked one."""
        self.text = text
        self.tree = tree
        self.type: ColumnType = tree.type
        self.columns = frozenset(node.name for node in walk(tree) if isinstance(node, Column))
        self.lists = frozenset(node.name for node in walk(tree) if isinstance(node, InList))
        self._program = Program(tree, _MODES.get(self.type, "value"))

    @cached_property
    def _false(self) -> Program:
        return Program(self.tree, "false")

    @cached_property
    def _strings(self) -> Program:
        return Program(self.tree, "arrow")

    @property
    def canonical(self) -> str:
        """The text of the tree in one fixed spelling: equal for texts that differ in spacing or case of words only."""
        return to_text.to_text(self.tree)

    def values(self, columns: Columns) -> tuple[Array, Array | None]:
        """The values of every row, shape (rows,), and which rows have one (None: all).

        float64 for numbers, bool for booleans, int64 microseconds since 1970 UTC for timestamps, and for texts the
        uint64 hashes of finer.kit.hashing. The arrays may be those of `columns`: do not write into them. Raises
        KeyError when a column is absent.
        """
        found = self._program.run(columns)
        if self.type is ColumnType.TEXT:
            valid = found != 0
        elif self.type is ColumnType.BOOLEAN:
            valid = found | self._false.run(columns)
        else:
            valid = ~np.isnan(found)
        if self.type is ColumnType.TIMESTAMP:
            found = found.view(np.int64)
        return found, None if valid.all() else valid

    def strings(self, columns: Columns) -> pa.Array:
        """The texts of every row as Arrow strings; for expressions of type text."""
        return self._strings.run(columns)

    def with_lists(self, members: Mapping[str, Collection[str]]) -> Self:
        """The same with the members of its lists written into it: what Polars and DuckDB need, the stream does not.

        Raises KeyError for a list that is not among them.
        """
        return type(self)(self.text, with_lists(self.tree, members))

    def polars(self) -> pl.Expr:
        """The same as a Polars expression: Float64, String, Boolean, or Int64 microseconds since 1970 UTC."""
        # Polars takes a tenth of a second to load, and the stream does not need it.
        from finer.kit.conditions.to_polars import to_polars  # noqa: PLC0415

        return to_polars(self.tree)

    def duckdb(self) -> str:
        """The same as DuckDB SQL: DOUBLE, VARCHAR, BOOLEAN, or BIGINT microseconds since 1970 UTC."""
        return to_duckdb(self.tree)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"


class Condition(Expression):
    """A checked expression that holds or does not hold; where it is null, it does not hold."""

    def mask(self, columns: Columns) -> Array:
        """The rows where it holds, a new bool array of shape (rows,).

        Raises KeyError when a column is absent that had to be looked at: a conjunction ends where no row is left.
        """
        found: Array = self._program.run(columns)
        return found

    def values(self, columns: Columns) -> tuple[Array, Array | None]:
        """The mask; a condition has a value in every row."""
        return self.mask(columns), None

    def polars(self) -> pl.Expr:
        """The same as a Polars Boolean expression without nulls."""
        return super().polars().fill_null(False)

    def duckdb(self) -> str:
        """The same as a DuckDB BOOLEAN expression without NULL."""
        return f"coalesce({super().duckdb()}, FALSE)"


def parse_expression(text: str, catalogue: Catalogue) -> Expression:
    """A scalar expression of any type. Raises ConditionError."""
    return Expression(text, check(parse(text), text, catalogue))


def parse_condition(text: str, catalogue: Catalogue) -> Condition:
    """An expression that is true or false. Raises ConditionError."""
    return Condition(text, check_boolean(parse(text), text, catalogue))


def plain_language(condition: Expression, catalogue: Catalogue | None = None) -> str:
    """A short reading in English, with the catalogue's descriptions in place of column names if it is given."""
    return to_text.plain_language(condition.tree, catalogue.descriptions if catalogue else {})
