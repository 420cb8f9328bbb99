"""How a dashboard is narrowed down: read from the address, and applied to rows that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from finer.dashboards.errors import CannotBeUsed
from finer.dashboards.types import Filters
from finer.workspace.types import ResultColumn

FILTERS_MAX = 6
_NAME_MAX = 64
_VALUE_MAX = 200


def read_filters(span: str | None, texts: Sequence[str]) -> Filters:
    """`name:value` texts as filters, in one order so that equal ones are equal. Raises CannotBeUsed."""
    found: dict[str, str] = {}
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon or not name or not value or len(name) > _NAME_MAX or len(value) > _VALUE_MAX:
            raise CannotBeUsed(f"A filter is a column, a colon and a value, such as region:GB; not {text[:80]!r}.")
        if name in found:
            raise CannotBeUsed(f"The filter {name!r} is given twice. Keep one of them.")
        found[name] = value
    if len(found) > FILTERS_MAX:
        raise CannotBeUsed(f"A dashboard is narrowed down by at most {FILTERS_MAX} filters at once.")
    return Filters(span=span, values=tuple(sorted(found.items())))


def narrowed(
    columns: Sequence[ResultColumn], rows: Sequence[list[Any]], filters: Filters
) -> tuple[list[list[Any]], list[str]]:
    """The rows that meet every filter whose column there is, and the names of the other filters."""
    places = {column.name: place for place, column in enumerate(columns)}
    known = [(places[name], value) for name, value in filters.values if name in places]
    kept = [row for row in rows if all(_text(row[place]) == value for place, value in known)]
    return kept, [name for name, _ in filters.values if name not in places]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
