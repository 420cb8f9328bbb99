"""Masking inside queries: the expression that a view shows in the place of a column somebody may not see.

The forms are those of `finer.kit.masking.PARTIAL`; a test compares the two value by value.
"""

from __future__ import annotations

from collections.abc import Iterable

from finer.warehouse.types import LakeColumn, LakeTable, Shown

_TAIL = "case when length({t}) > 8 then '****' || right({t}, 4) when {t} is not null then '****' end"
_TEXTS = {
    "tail": _TAIL,
    "email": (
        "case when strpos({t}, '@') > 0 then left(split_part({t}, '@', 1), 1) || '***' || "
        "substr({t}, strpos({t}, '@')) when {t} is not null then '***' end"
    ),
    "year": "left({t}, 4)",
    # 48 bits of a hash that nobody can compute without the firm's secret.
    "token": f"({_TAIL}) || '~' || left(sha256({{secret}} || {{t}}), 12)",
}
_ROUNDED = "case when {c} = 0 or not isfinite({c}::double) then {c} else {scaled} end"
_SCALED = "round({c}::double / pow(10, floor(log10(abs({c}::double))))) * pow(10, floor(log10(abs({c}::double))))"
_WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"})
_FRACTIONS = frozenset({"FLOAT", "DOUBLE"})


def expressions(tables: Iterable[LakeTable], shown: Shown, secret: bytes) -> dict[str, dict[str, str]]:
    """The SQL expression of every column that is not shown as it is, by table and column.

    `secret` makes the tokens of one firm; tokens of another secret say nothing about each other.
    """
    found = {}
    for table in tables:
        forms = shown.get(table.name, {})
        columns = {column.name: _expression(column, forms[column.name], secret) for column in table.columns
                   if column.name in forms}  # fmt: skip
        if columns:
            found[table.name] = columns
    return found


def shown_type(column: LakeColumn, form: str) -> str:
    """The SQL type of a column in that form."""
    return "VARCHAR" if form in _TEXTS and not column.type.endswith("[]") else column.type


def _expression(column: LakeColumn, form: str, secret: bytes) -> str:
    name = f'"{column.name}"'
    if form == "same":
        return name
    if form in _TEXTS and not column.type.endswith("[]"):
        return _TEXTS[form].format(t=name if column.type == "VARCHAR" else f"{name}::varchar", secret=_blob(secret))
    if form == "rounded" and column.type in _WHOLE | _FRACTIONS:
        return f"({_ROUNDED.format(c=name, scaled=_SCALED.format(c=name))})::{column.type}"
    return f"null::{column.type}"


def _blob(secret: bytes) -> str:
    return f"'{secret.hex()}'"
