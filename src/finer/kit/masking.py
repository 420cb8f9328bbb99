"""Masking: what a caller sees of a value, by the class of data that its field is declared to hold.

A field of a Struct says what it holds: `email: Annotated[str | None, personal("email")]`. `mask` replaces the values
of such fields, in Structs, lists and mappings alike, by the form that the caller's `Masking` gives that class. JSON
answers, live streams, exports and SQL results all come from here, so that a value is never shown in one of them and
hidden in another. Every classified field takes None, which is what "absent" puts there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache, cached_property
from typing import Any

import msgspec

_KEPT = 4
_EXTRA = "data_class"


class DataClass(StrEnum):
    """How much harm a value does in the wrong hands, from none to most."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"
    SECRET = "secret"  # noqa: S105 - the name of a class, not a secret
    CARD = "card"


class Form(StrEnum):
    """What is shown of a value: all of it, a part that tells two apart, or nothing."""

    CLEAR = "clear"
    PARTIAL = "partial"
    ABSENT = "absent"


class Masking(msgspec.Struct, frozen=True, dict=True):
    """The form of every class of data for one kind of caller. A class that is not named is absent."""

    forms: Mapping[DataClass, Form]

    @cached_property
    def hidden(self) -> dict[type, tuple[tuple[str, Callable[[Any], Any]], ...]]:
        """What `mask` has found out about Structs: their fields that this caller does not see whole, and how."""
        return {}

    def form(self, data_class: DataClass) -> Form:
        """What is shown of values of this class."""
        return self.forms.get(data_class, Form.ABSENT)

    def clear(self, data_class: DataClass) -> bool:
        """Whether values of this class are shown whole, and so may be searched and sorted by."""
        return self.form(data_class) is Form.CLEAR


UNMASKED = Masking(dict.fromkeys(DataClass, Form.CLEAR))
"""For Finer itself and for the operator of the machine."""


def _tail(value: Any) -> Any:
    text = str(value)
    return "****" + text[-_KEPT:] if len(text) > 2 * _KEPT else "****"


def _email(value: Any) -> Any:
    name, at, domain = str(value).partition("@")
    return f"{name[:1]}***{at}{domain}" if at else "***"


def _year(value: Any) -> Any:
    year = getattr(value, "year", None) or str(value)[:4]
    return f"{year}"


def _rounded(value: Any) -> Any:
    """One significant digit: 52,300 becomes 50,000."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    rounded = float(f"{number:.0e}")
    return int(rounded) if isinstance(value, int) else rounded


PARTIAL: dict[str, Callable[[Any], Any]] = {
    "tail": _tail,
    "email": _email,
    "year": _year,
    "rounded": _rounded,
    "same": lambda value: value,
    "gone": lambda _: None,
}
"""The partial forms: `****1234`, `j***@x.com`, the year of a date, one significant digit, a value that is already only
a part of the whole (the last digits of a card), and none."""


def show(value: Any, data_class: DataClass, partial: str, masking: Masking) -> Any:
    """One value as this caller sees it."""
    form = masking.form(data_class)
    if value is None or form is Form.CLEAR:
        return value
    return PARTIAL[partial](value) if form is Form.PARTIAL else None


def classified(data_class: DataClass, partial: str) -> msgspec.Meta:
    """The annotation of a field of that class with that partial form; it is in the OpenAPI document as x-data-class."""
    return msgspec.Meta(extra={_EXTRA: (data_class, partial)}, extra_json_schema={"x-data-class": data_class.value})


def classified_by(field: str, partial: str) -> msgspec.Meta:
    """As `classified`, for a field whose class differs from row to row: `field` of the same Struct names it."""
    return msgspec.Meta(extra={_EXTRA: (field, partial)})


def personal(partial: str = "tail") -> msgspec.Meta:
    """Says something about one person."""
    return classified(DataClass.PERSONAL, partial)


def sensitive(partial: str = "gone") -> msgspec.Meta:
    """Harms a person when it is known: income, health, beliefs."""
    return classified(DataClass.SENSITIVE, partial)


def card(partial: str = "tail") -> msgspec.Meta:
    """Belongs to a payment card."""
    return classified(DataClass.CARD, partial)


@cache
def classes_of(struct: type) -> dict[str, tuple[DataClass | str, str]]:
    """The classified fields of a Struct: their class, or the field that names it, and their partial form."""
    found = {}
    for field in msgspec.structs.fields(struct):
        for meta in _metas(msgspec.inspect.type_info(field.type)):
            if _EXTRA in meta:
                found[field.name] = meta[_EXTRA]
    return found


def _metas(info: Any) -> list[dict[str, Any]]:
    if isinstance(info, msgspec.inspect.Metadata):
        return [info.extra or {}, *_metas(info.type)]
    if isinstance(info, msgspec.inspect.UnionType):
        return [meta for member in info.types for meta in _metas(member)]
    return []


def mask(value: Any, masking: Masking) -> Any:
    """The same value with every classified field in the form that the caller may see.

    What has nothing to hide comes back as the same object.
    """
    if isinstance(value, msgspec.Struct):
        return _mask_struct(value, masking)
    if isinstance(value, list | tuple):
        shown = [mask(item, masking) for item in value]
        if all(new is old for new, old in zip(shown, value, strict=True)):
            return value
        return shown if isinstance(value, list) else tuple(shown)
    if isinstance(value, dict):
        changed = {key: mask(item, masking) for key, item in value.items()}
        return changed if any(changed[key] is not value[key] for key in value) else value
    return value


def _mask_struct(value: msgspec.Struct, masking: Masking) -> msgspec.Struct:
    changes = {}
    struct = type(value)
    hidden = masking.hidden.get(struct)
    if hidden is None:
        hidden = masking.hidden[struct] = _hidden(struct, masking)
    for name, shown in hidden:
        old = getattr(value, name)
        if old is not None and (new := shown(old)) is not old:
            changes[name] = new
    for name, of, partial in _varying(struct):
        old = getattr(value, name)
        if (new := show(old, DataClass(getattr(value, of)), partial, masking)) is not old:
            changes[name] = new
    for name in _inner(struct):
        old = getattr(value, name)
        if (new := mask(old, masking)) is not old:
            changes[name] = new
    return msgspec.structs.replace(value, **changes) if changes else value


def _hidden(struct: type, masking: Masking) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """The fields of one class each that this caller does not see whole, and what shows a value of theirs."""
    found = []
    for name, (data_class, partial) in classes_of(struct).items():
        form = masking.form(data_class) if isinstance(data_class, DataClass) else Form.CLEAR
        if form is not Form.CLEAR:
            found.append((name, PARTIAL[partial if form is Form.PARTIAL else "gone"]))
    return tuple(found)


@cache
def _varying(struct: type) -> tuple[tuple[str, str, str], ...]:
    """The fields whose class another field of the same Struct names: (name, that field, partial form)."""
    return tuple(
        (name, data_class, partial)
        for name, (data_class, partial) in classes_of(struct).items()
        if not isinstance(data_class, DataClass)
    )


@cache
def _inner(struct: type) -> tuple[str, ...]:
    """The fields in which classified fields may lie deeper; all others need no look."""
    fields = msgspec.structs.fields(struct)
    classes = classes_of(struct)
    return tuple(
        field.name
        for field in fields
        if field.name not in classes and _may_hold(msgspec.inspect.type_info(field.type), frozenset({struct}))
    )


def _may_hold(info: Any, above: frozenset[type]) -> bool:
    if isinstance(info, msgspec.inspect.AnyType):
        return True
    if isinstance(info, msgspec.inspect.StructType):
        return _struct_may_hold(info.cls, above)
    inside = [getattr(info, name, None) for name in ("type", "item_type", "key_type", "value_type")]
    inside += [*getattr(info, "types", ()), *getattr(info, "item_types", ())]
    return any(_may_hold(one, above) for one in inside if isinstance(one, msgspec.inspect.Type))


def _struct_may_hold(struct: type, above: frozenset[type]) -> bool:
    # What stands where a Struct is declared may be one that inherits from it.
    if struct in above:
        return False
    seen = above | {struct}
    heirs: list[type] = struct.__subclasses__()
    return (
        bool(classes_of(struct))
        or any(_may_hold(msgspec.inspect.type_info(field.type), seen) for field in msgspec.structs.fields(struct))
        or any(_struct_may_hold(heir, seen) for heir in heirs)
    )
