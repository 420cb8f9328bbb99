"""What may stand where a body or a parameter holds a word that is none of those known there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect

_STEP = re.compile(r"\[[^\]]*\]|[^.\[\]]+")


def told(kind: Any, message: str, path: str) -> str:
    """A message of msgspec with what may stand at `path` (`items[0].state`; empty: the whole) in a `kind`."""
    if not message.startswith(("Invalid enum value", "Invalid value")):
        return message
    found = [inspect.type_info(kind)]
    for step in _STEP.findall(path):
        found = [inner for one in _alternatives(found) for inner in _inside(one, step)]
    words = dict.fromkeys(word for one in _alternatives(found) for word in _words(one))
    return f"{message}. It may be {', '.join(words)}" if words else message


def problem(kind: Any, error: msgspec.ValidationError) -> str:
    """What msgspec says of a value that is no `kind`, with what may stand where it is wrong."""
    message, _, where = str(error).partition(" - at `$")
    path = where.rstrip("`").lstrip(".")
    said = told(kind, message, path)
    return f"{path}: {said}" if path else said


def _alternatives(kinds: list[inspect.Type]) -> Iterator[inspect.Type]:
    for kind in kinds:
        if isinstance(kind, inspect.UnionType):
            yield from _alternatives(list(kind.types))
        elif isinstance(kind, inspect.Metadata):
            yield from _alternatives([kind.type])
        else:
            yield kind


def _inside(kind: inspect.Type, step: str) -> list[inspect.Type]:
    """The types of what a step of a path leads to: a member by its name, an item or a value by brackets."""
    if isinstance(kind, inspect.StructType) and step == kind.tag_field:
        return [inspect.LiteralType((kind.tag,))]
    if isinstance(kind, inspect.StructType):
        return [field.type for field in kind.fields if field.encode_name == step]
    if isinstance(kind, inspect.DictType):
        return [kind.value_type]
    if isinstance(kind, inspect.TupleType):
        return list(kind.item_types)
    item = getattr(kind, "item_type", None)
    return [] if item is None else [item]


def _words(kind: inspect.Type) -> list[str]:
    if isinstance(kind, inspect.EnumType):
        return [str(one.value) for one in kind.cls]
    if isinstance(kind, inspect.LiteralType):
        return [str(one) for one in kind.values]
    # A parameter that is given once is read as a list of one.
    item = getattr(kind, "item_type", None)
    return [] if item is None else [word for one in _alternatives([item]) for word in _words(one)]
