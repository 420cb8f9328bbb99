"""Conditions for batches and backtests: a tree becomes a Polars expression.

Three habits of Polars are worked around. It copies an expression wherever it is used twice, which doubles its size with
each level: an operand that is needed twice is bound to a field of a struct first. It divides by a single value through
its reciprocal, which can be wrong in the last digit: a constant divisor is spread over a field of a struct as well. And
not all its functions spread the result of constants over the rows: what names no column is computed beforehand.
"""

from __future__ import annotations

import operator as op
import string
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import polars as pl

from finer.kit.conditions import tree as t
from finer.kit.conditions.to_numpy import constant
from finer.kit.conditions.tree import ColumnType, Node

_TYPES: dict[ColumnType, Any] = {
    ColumnType.NUMBER: pl.Float64,
    ColumnType.TEXT: pl.String,
    ColumnType.BOOLEAN: pl.Boolean,
    ColumnType.TIMESTAMP: pl.Int64,
}
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "=": op.eq, "<>": op.ne, "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge, "+": op.add, "-": op.sub, "*": op.mul,
}  # fmt: skip
_HOUR_US, _DAY_US = 3_600_000_000, 86_400_000_000
_THURSDAY = 4  # 1970-01-01
_FUNCTIONS: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "abs": lambda x: x.abs(),
    "round": lambda x: x.round(0, mode="half_away_from_zero"),
    "floor": lambda x: x.floor(),
    "ceil": lambda x: x.ceil(),
    "length": lambda x: x.str.len_chars().cast(pl.Float64),
    "lower": lambda x: x.str.replace_many(list(string.ascii_uppercase), list(string.ascii_lowercase)),
    "upper": lambda x: x.str.replace_many(list(string.ascii_lowercase), list(string.ascii_uppercase)),
    "trim": lambda x: x.str.strip_chars(t.BLANKS),
    "hour": lambda x: (x // _HOUR_US % 24).cast(pl.Float64),
    "dayofweek": lambda x: ((x // _DAY_US + _THURSDAY) % 7).cast(pl.Float64),
}


def to_polars(node: Node) -> pl.Expr:
    """The value of the tree with null for null; timestamps are integer microseconds since 1970 UTC."""
    found = _expression(node)
    # Unlike fill_nan, replace is one step that names its operand once.
    return found.replace(float("nan"), None) if t.may_be_nan(node) else found


def _expression(node: Node) -> pl.Expr:
    if not any(isinstance(each, t.Column) for each in t.walk(node)):
        return pl.lit(constant(node), dtype=_TYPES[node.type])
    match node:
        case t.Column():
            return _column(node)
        case t.Arithmetic():
            return _arithmetic(node)
        case t.Shift():
            return to_polars(node.moment) + node.microseconds
        case t.Case():
            return _case(node)
        case t.Call():
            return _call(node)
        case _:
            return _condition(node)


def _condition(node: Node) -> pl.Expr:
    match node:
        case t.Compare():
            compared: pl.Expr = _OPERATORS[node.operator](to_polars(node.left), to_polars(node.right))
            return compared
        case t.Between():
            return _bind(lambda x, low, high: (x >= low) & (x <= high), node.operand, node.low, node.high)
        case t.In():
            return to_polars(node.operand).is_in(pl.Series([each.value for each in node.values]).implode())
        case t.Like():
            return _pattern(to_polars(node.operand), *t.pattern_parts(node.pattern))
        case t.IsNull():
            return to_polars(node.operand).is_null()
        case t.Not():
            return ~to_polars(node.operand)
        case t.And():
            return _joined(op.and_, [to_polars(part) for part in node.parts])
        case t.Or():
            return _joined(op.or_, [to_polars(part) for part in node.parts])
    raise AssertionError(node)


def _column(node: t.Column) -> pl.Expr:
    column = pl.col(node.name)
    if node.type is ColumnType.TIMESTAMP:
        return column.dt.epoch("us")
    column = column.cast(_TYPES[node.type])
    return column.fill_nan(None) if node.type is ColumnType.NUMBER else column


def _arithmetic(node: t.Arithmetic) -> pl.Expr:
    if node.operator == "%":
        return _bind(lambda a, b: a - b * (a / b).truncate(), node.left, node.right)
    if node.operator == "/":
        return _bind(lambda a, b: a / b.replace(0.0, None), node.left, node.right)
    found: pl.Expr = _OPERATORS[node.operator](_expression(node.left), _expression(node.right))
    return found


def _case(node: t.Case) -> pl.Expr:
    (when, then), *rest = node.branches
    chain: Any = pl.when(to_polars(when)).then(_expression(then))
    for when, then in rest:
        chain = chain.when(to_polars(when)).then(_expression(then))
    found: pl.Expr = chain.otherwise(_expression(node.otherwise))
    return found


def _call(node: t.Call) -> pl.Expr:
    if node.name in _FUNCTIONS:
        return _FUNCTIONS[node.name](_expression(node.arguments[0]))
    if node.name == "number":
        return _bind(_number, node.arguments[0])
    if node.name in t.TEXT_FUNCTIONS:
        return _text_call(node)
    if node.name == "coalesce":
        return _bind(pl.coalesce, *node.arguments)
    first, *rest = [to_polars(each) for each in node.arguments]
    match node.name:
        case "least":
            return pl.min_horizontal(first, *rest)
        case "greatest":
            return pl.max_horizontal(first, *rest)
    return first.str.starts_with(rest[0])


def _text_call(node: t.Call) -> pl.Expr:
    if node.name == "concat":
        return pl.concat_str(*(_expression(each) for each in node.arguments), ignore_nulls=False)
    text = _expression(node.arguments[0])
    one, two = (each.value for each in node.arguments[1:] if isinstance(each, t.Literal))
    if node.name == "replace":
        return text.str.replace_all(str(one), str(two), literal=True)
    return text.str.slice(int(one or 0) - 1, int(two or 0))


def _number(text: pl.Expr) -> pl.Expr:
    fits = text.str.contains(rf"\A(?:{t.NUMBER_PATTERN})\z") & (text.str.len_chars() <= t.NUMBER_CHARACTERS_MAX)
    return pl.when(fits).then(text).otherwise(None).cast(pl.Float64, strict=False)


def _pattern(text: pl.Expr, kind: str, argument: str) -> pl.Expr:
    if kind == "prefix":
        return text.str.starts_with(pl.lit(argument))
    if kind == "suffix":
        return text.str.ends_with(pl.lit(argument))
    return text.str.contains(argument, literal=kind == "contains")


def _bind(function: Callable[..., pl.Expr], *operands: Node) -> pl.Expr:
    expressions = [to_polars(each) for each in operands]
    names = [f"operand_{at}" for at in range(len(expressions))]
    bound = pl.struct(*(each.alias(name) for name, each in zip(names, expressions, strict=True)))
    result = function(*(pl.field(name) for name in names)).alias("result")
    return bound.struct.with_fields(result).struct.field("result")


def _joined(join: Callable[[Any, Any], Any], parts: Sequence[pl.Expr]) -> pl.Expr:
    """A balanced tree, because Polars recurses into an expression."""
    if len(parts) <= 2:
        return reduce(join, parts)
    half = len(parts) // 2
    found: pl.Expr = join(_joined(join, parts[:half]), _joined(join, parts[half:]))
    return found
