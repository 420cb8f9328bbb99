"""Values of Arrow columns as Python's, also where Python has none: the years of DuckDB end at infinity."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

_FARTHEST = {2**31 - 1: "infinity", -(2**31 - 1): "-infinity", 2**63 - 1: "infinity", -(2**63 - 1): "-infinity"}


def values_of(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """As `to_pylist`, with a text for every day and moment outside of the years 1 to 9999."""
    try:
        return list(column.to_pylist())
    except (OverflowError, ValueError):
        return [_value(one) for one in column]


def _value(one: Any) -> Any:
    if isinstance(one, pa.StructScalar):
        return {name: _value(inner) for name, inner in one.items()} if one.is_valid else None
    if isinstance(one, pa.ListScalar) and not isinstance(one, pa.MapScalar):
        return [_value(inner) for inner in one.values] if one.is_valid else None
    try:
        return one.as_py()
    except (OverflowError, ValueError):
        number = getattr(one, "value", None)
        if not isinstance(number, int):
            return f"a {one.type} outside of the years 1 to 9999"
        unit = "days" if pa.types.is_date(one.type) else getattr(one.type, "unit", "")
        return _FARTHEST.get(number, f"{number} {unit} after 1970")
