"""Conditions for the lake: a tree becomes DuckDB SQL, everything quoted, nothing of the user's text copied.

SQL text repeats an operand wherever it is used twice, which doubles its length with each level. An operand that is
needed twice is therefore bound to the parameter of a lambda first.
"""

from __future__ import annotations

import string

from finer.kit.conditions import tree as t
from finer.kit.conditions.tree import ColumnType, Node

_TYPES = {
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.TEXT: "VARCHAR",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.TIMESTAMP: "BIGINT",
}
_PATTERNS = {"prefix": "starts_with", "suffix": "suffix", "contains": "contains", "regex": "regexp_full_match"}
_BOUND = '"bound operands"'  # a column of this name would hide the parameter
_FUNCTIONS = {
    "lower": f"translate({{}}, '{string.ascii_uppercase}', '{string.ascii_lowercase}')",
    "upper": f"translate({{}}, '{string.ascii_lowercase}', '{string.ascii_uppercase}')",
    "length": "CAST(length({}) AS DOUBLE)",
    "trim": "trim({}, ' ' || chr(9) || chr(13) || chr(10))",
    "hour": "CAST(hour(make_timestamp({})) AS DOUBLE)",
    "dayofweek": "CAST(dayofweek(make_timestamp({})) AS DOUBLE)",
}
_NUMBER = (
    # Braces are doubled for format.
    f"CASE WHEN length({{0}}) <= {t.NUMBER_CHARACTERS_MAX} AND regexp_full_match({{0}}, "
    f"'{t.NUMBER_PATTERN.replace('{', '{{').replace('}', '}}')}') THEN TRY_CAST({{0}} AS DOUBLE) END"
)
"""The remaining functions are called the same in DuckDB."""


def to_duckdb(node: Node) -> str:
    """The value of the tree with NULL for null; timestamps are BIGINT microseconds since 1970 UTC."""
    if t.may_be_nan(node):
        return _bind("CASE WHEN isnan({0}) THEN NULL ELSE {0} END", node)
    return _sql(node)


def _sql(node: Node) -> str:
    match node:
        case t.Column() | t.Literal():
            return _leaf(node)
        case t.Arithmetic():
            return _arithmetic(node)
        case t.Shift():
            return f"({to_duckdb(node.moment)} + ({node.microseconds}))"
        case t.Case():
            branches = " ".join(f"WHEN {to_duckdb(when)} THEN {_sql(then)}" for when, then in node.branches)
            return f"(CASE {branches} ELSE {_sql(node.otherwise)} END)"
        case t.Call():
            return _call(node)
        case _:
            return _condition(node)


def _call(node: t.Call) -> str:
    if node.name == "number":
        return _bind(_NUMBER, node.arguments[0])
    if node.name == "concat":
        return f"({' || '.join(_sql(each) for each in node.arguments)})"
    if node.name == "substring":
        start, length = (int(each.value or 0) for each in node.arguments[1:] if isinstance(each, t.Literal))
        return f"substring({_sql(node.arguments[0])}, {start}, {length})"
    template = _FUNCTIONS.get(node.name, f"{node.name}({{}})")
    inner = to_duckdb if node.name in t.CHOICES else _sql
    return template.format(", ".join(inner(each) for each in node.arguments))


def _condition(node: Node) -> str:
    match node:
        case t.Compare():
            return f"({to_duckdb(node.left)} {node.operator} {to_duckdb(node.right)})"
        case t.Between():
            return _bind("({0} >= {1} AND {0} <= {2})", node.operand, node.low, node.high)
        case t.In():
            return f"({to_duckdb(node.operand)} IN ({', '.join(_leaf(each) for each in node.values)}))"
        case t.Like():
            # DuckDB's own LIKE, to which it also turns regexp_matches, takes exponential time for many %.
            kind, argument = t.pattern_parts(node.pattern)
            return f"{_PATTERNS[kind]}({to_duckdb(node.operand)}, {_text(argument)})"
        case t.IsNull():
            return f"({to_duckdb(node.operand)} IS NULL)"
        case t.Not():
            return f"(NOT {to_duckdb(node.operand)})"
        case t.And():
            return f"({' AND '.join(to_duckdb(part) for part in node.parts)})"
        case t.Or():
            return f"({' OR '.join(to_duckdb(part) for part in node.parts)})"
    raise AssertionError(node)


def _leaf(node: t.Column | t.Literal) -> str:
    if isinstance(node, t.Column):
        name = '"' + node.name.replace('"', '""') + '"'
        if node.type is ColumnType.NUMBER:
            return f"nullif(CAST({name} AS DOUBLE), CAST('NaN' AS DOUBLE))"
        return f"epoch_us({name})" if node.type is ColumnType.TIMESTAMP else name
    if node.value is None:
        return f"CAST(NULL AS {_TYPES[node.type]})"
    if node.type is ColumnType.NUMBER:
        # Without an exponent DuckDB would read a decimal, and round differently on the way to a double.
        digits = repr(float(node.value))
        return f"({digits if 'e' in digits else digits + 'e0'})"
    return _text(str(node.value)) if node.type is ColumnType.TEXT else f"({node.value})".upper()


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _arithmetic(node: t.Arithmetic) -> str:
    if node.operator == "%":
        return _bind("({0} - {1} * trunc({0} / {1}))", node.left, node.right)
    if node.operator == "/":
        return _bind("(CASE WHEN {1} <> 0 THEN {0} / {1} END)", node.left, node.right)
    return f"({_sql(node.left)} {node.operator} {_sql(node.right)})"


def _bind(template: str, *operands: Node) -> str:
    values = [_sql(each) if len(operands) == 1 else to_duckdb(each) for each in operands]
    if all(isinstance(each, t.Column | t.Literal) for each in operands):
        return template.format(*values)
    fields = ", ".join(f"'operand_{at}': {value}" for at, value in enumerate(values))
    body = template.format(*(f"{_BOUND}.operand_{at}" for at in range(len(values))))
    return f"list_transform([{{{fields}}}], lambda {_BOUND}: {body})[1]"
