"""Parameters: which a statement names, and their values as what they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from finer.workspace.errors import CannotBeUsed
from finer.workspace.rules.statements import named_parameters
from finer.workspace.types import ParameterDefinition, ParameterKind, Value

PARAMETERS_MAX = 50
_TEXT_MAX = 10_000


def check_definitions(statement: str, definitions: Sequence[ParameterDefinition]) -> None:
    """Raise CannotBeUsed unless every name of the statement is defined once, every definition used, defaults fit."""
    names = [one.name for one in definitions]
    if len(names) > PARAMETERS_MAX or len(set(names)) < len(names):
        raise CannotBeUsed(f"A query has at most {PARAMETERS_MAX} parameters, each with a name of its own.")
    used = named_parameters(statement)
    if missing := [name for name in used if name not in names]:
        raise CannotBeUsed(f"The statement names :{missing[0]}, which is no parameter of the query. Define it.")
    if unused := [name for name in names if name not in used]:
        raise CannotBeUsed(f"The parameter {unused[0]} is not in the statement. Write :{unused[0]}, or take it out.")
    for one in definitions:
        if one.default is not None:
            typed(one, one.default)


def values_of(statement: str, definitions: Sequence[ParameterDefinition], given: Mapping[str, Value]) -> dict[str, Any]:
    """The value of every parameter that the statement names, as Python has its type.

    What is not defined is taken as JSON has it. Raises CannotBeUsed for a value that is missing, does not fit, or
    belongs to nothing.
    """
    known = {one.name: one for one in definitions}
    used = named_parameters(statement)
    if strange := [name for name in given if name not in used]:
        raise CannotBeUsed(f"The statement has no parameter {strange[0][:60]!r}. It has: {', '.join(used) or 'none'}.")
    found = {}
    for name in used:
        one = known.get(name)
        value = given.get(name, None if one is None else one.default)
        if value is None and name not in given:
            raise CannotBeUsed(f"Give a value for the parameter {name!r}, written :{name} in SQL.", parameter=name)
        found[name] = value if one is None or value is None else typed(one, value)
    return found


def typed(one: ParameterDefinition, value: Value) -> Any:
    """A value as its parameter declares it. Raises CannotBeUsed."""
    try:
        return _READ[one.kind](value)
    except (TypeError, ValueError, OverflowError) as error:
        raise CannotBeUsed(
            f"{str(value)[:60]!r} is no {one.kind.value}, which the parameter {one.name!r} has to be.",
            parameter=one.name,
        ) from error


def _number(value: Value) -> int | float:
    if isinstance(value, bool) or value is None:
        raise TypeError
    number = float(value)
    if not math.isfinite(number):
        raise ValueError
    return int(value) if isinstance(value, int) or (number.is_integer() and abs(number) < 2**53) else number


def _text(value: Value) -> str:
    if not isinstance(value, str) or len(value) > _TEXT_MAX:
        raise TypeError
    return value


def _boolean(value: Value) -> bool:
    if value not in (True, False, "true", "false"):
        raise TypeError
    return value in (True, "true")


def _timestamp(value: Value) -> datetime:
    return datetime.fromisoformat(_text(value))


def _date(value: Value) -> date:
    return date.fromisoformat(_text(value)[:10] if "T" in _text(value) else _text(value))


_READ = {
    ParameterKind.BOOLEAN: _boolean,
    ParameterKind.DATE: _date,
    ParameterKind.NUMBER: _number,
    ParameterKind.TEXT: _text,
    ParameterKind.TIMESTAMP: _timestamp,
}
