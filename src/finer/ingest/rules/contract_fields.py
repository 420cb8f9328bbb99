"""One property of a contract: every key, type and limit that it may have, each with a sentence when it is wrong."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from finer.ingest.errors import ContractInvalid
from finer.ingest.rules.classes import CLASSES
from finer.ingest.rules.patterns import compile_program, usable
from finer.ingest.rules.scan_json import KEY_BYTES_MAX
from finer.ingest.rules.times import read_date, read_timestamp
from finer.ingest.types.contracts import Field, Kind

KINDS = {
    ("string", "string"): Kind.STRING,
    ("number", "money"): Kind.MONEY,
    ("integer", "integer"): Kind.INTEGER,
    ("number", "number"): Kind.NUMBER,
    ("boolean", "boolean"): Kind.BOOLEAN,
    ("date", "date"): Kind.DATE,
    ("date", "timestamp"): Kind.TIMESTAMP,
}
_PROPERTY_KEYS = frozenset(
    {
        "name", "logicalType", "physicalType", "description", "required", "unique", "primaryKey", "primaryKeyPosition",
        "logicalTypeOptions", "quality", "classification", "examples", "customProperties", "businessName", "tags",
    }
)  # fmt: skip
_CUSTOM_KEYS = frozenset(
    {"aliases", "combinedAliases", "default", "derivedFrom", "currency", "foldCase", "fromNumber", "contentHash"}
)
_OPTION_KEYS = {
    Kind.STRING: {"minLength", "maxLength", "pattern", "format"},
    Kind.BOOLEAN: set[str](),
    Kind.DATE: {"format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
    Kind.TIMESTAMP: {"format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
}
_NUMERIC_OPTIONS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "format"}
_LENGTH_MAX = 65_536
_PATTERN_MAX = 256
_NAMES_MAX = 20
_ALLOWED_MAX = 500
_VALUE_MAX = 200
_DESCRIPTION_MAX = 2_000
# The largest limits that can be held exactly: 64 bits of minor units, of which a currency has up to 10,000.
_LIMITS = {Kind.MONEY: Decimal(10) ** 14, Kind.INTEGER: Decimal(2**63 - 1), Kind.NUMBER: Decimal(10) ** 300}


def mapping(value: Any, place: str) -> dict[str, Any]:
    """The value as names and values. Raises ContractInvalid."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ContractInvalid(f"{place}: must be a mapping of names to values.")
    return value


def words(item: dict[str, Any], key: str, longest: int, place: str) -> str:
    """A text of at most `longest` characters; empty when absent. Raises ContractInvalid."""
    value = item.get(key, "")
    if isinstance(value, dict | list | bool) or len(str(value)) > longest:
        raise ContractInvalid(f"{place}.{key}: must be a text of at most {longest} characters.")
    return "" if value is None else str(value).strip()


def flag(item: dict[str, Any], key: str, place: str) -> bool:
    """A yes or no; no when absent. Raises ContractInvalid."""
    value = item.get(key, False)
    if not isinstance(value, bool):
        raise ContractInvalid(f"{place}.{key}: must be true or false.")
    return value


def names(custom: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
    """A list of names; empty when absent. Raises ContractInvalid."""
    found = custom.get(key) or ()
    if not isinstance(found, list | tuple) or not all(isinstance(name, str) and name for name in found):
        raise ContractInvalid(f"{place}: {key} must be a list of names.")
    return tuple(found)


def custom_properties(item: dict[str, Any], place: str, known: frozenset[str]) -> dict[str, Any]:
    """The custom properties of an item by their name. Raises ContractInvalid for one that is not known."""
    written = item.get("customProperties") or []
    if not isinstance(written, list):
        raise ContractInvalid(f"{place}.customProperties: must be a list of property and value.")
    found: dict[str, Any] = {}
    for one in written:
        entry = mapping(one, f"{place}.customProperties")
        name = entry.get("property")
        if name not in known:
            raise ContractInvalid(f"{place}.customProperties: {name!r} is not known; known are {sorted(known)}.")
        found[str(name)] = entry.get("value")
    return found


def read_field(value: Any, place: str) -> Field:
    """The field of a property. Raises ContractInvalid."""
    item = mapping(value, place)
    place = f"{place} ({str(item.get('name', 'without a name'))[:60]})"
    kind = _kind(item, place)
    options = mapping(item.get("logicalTypeOptions") or {}, f"{place}.logicalTypeOptions")
    if strange := set(options) - _OPTION_KEYS.get(kind, _NUMERIC_OPTIONS):
        raise ContractInvalid(f"{place}.logicalTypeOptions: {sorted(strange)} does not go with {kind.value}.")
    custom = custom_properties(item, place, _CUSTOM_KEYS)
    pattern = _pattern(options, place)
    default = custom.get("default")
    if default is not None and (isinstance(default, bool | dict | list) or len(str(default)) > _VALUE_MAX):
        raise ContractInvalid(f"{place}: default must be a text of at most {_VALUE_MAX} characters.")
    shortest = _length(options, "minLength", 0, place)
    longest = _length(options, "maxLength", 256, place)
    if shortest > longest:
        raise ContractInvalid(f"{place}.logicalTypeOptions: minLength {shortest} is above maxLength {longest}.")
    classification = item.get("classification")
    if classification is not None and classification not in CLASSES:
        raise ContractInvalid(
            f"{place}.classification: {str(classification)[:40]!r} is not known; known are "
            f"{', '.join(sorted(name for name in CLASSES if name))}."
        )
    return Field(
        name=item["name"],
        kind=kind,
        description=words(item, "description", _DESCRIPTION_MAX, place),
        required=flag(item, "required", place),
        aliases=_aliases(custom, "aliases", place),
        combined_aliases=_aliases(custom, "combinedAliases", place),
        allowed=_allowed(item, place),
        fold=flag(custom, "foldCase", place),
        shortest=shortest,
        longest=longest,
        pattern=pattern,
        program=None if pattern is None else compile_program(pattern),
        minimum=_limit(kind, options, "minimum", place),
        maximum=_limit(kind, options, "maximum", place),
        exclusive_minimum=flag(options, "exclusiveMinimum", place),
        exclusive_maximum=flag(options, "exclusiveMaximum", place),
        default=None if default is None else str(default),
        derived_from=_name(custom, "derivedFrom", place),
        currency=_name(custom, "currency", place),
        from_number=flag(custom, "fromNumber", place),
        content_hash=flag(custom, "contentHash", place),
        classification=classification,
    )


def _kind(item: dict[str, Any], place: str) -> Kind:
    name = item.get("name")
    if not isinstance(name, str) or not name.isidentifier() or not name.isascii() or name != name.lower():
        raise ContractInvalid(f"{place}: name must be a plain identifier in lower case, like amount or card_last4.")
    _fitting(name, place)
    if strange := set(item) - _PROPERTY_KEYS:
        raise ContractInvalid(f"{place}: {sorted(strange)} is not known here.")
    logical = item.get("logicalType")
    kind = KINDS.get((str(logical), str(item.get("physicalType", logical))))
    if kind is None:
        raise ContractInvalid(
            f"{place}: logicalType {str(logical)[:40]!r} with physicalType {str(item.get('physicalType'))[:40]!r} is "
            f"not known; known are {sorted(' / '.join(pair) for pair in KINDS)}."
        )
    return kind


def _fitting(name: str, place: str) -> None:
    if len(name.encode("utf-8", "replace")) > KEY_BYTES_MAX:
        raise ContractInvalid(f"{place}: the name {name[:60]!r} is longer than {KEY_BYTES_MAX} bytes.")


def _aliases(custom: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
    found = names(custom, key, place)
    if len(found) > _NAMES_MAX:
        raise ContractInvalid(f"{place}: {key} holds {len(found):,} names; at most {_NAMES_MAX} are supported.")
    for name in found:
        _fitting(name, place)
        if not name.isprintable():
            raise ContractInvalid(f"{place}: {key}: {name!r} holds characters that cannot be printed.")
    return found


def _name(custom: dict[str, Any], key: str, place: str) -> str | None:
    value = custom.get(key)
    if value is not None and not isinstance(value, str):
        raise ContractInvalid(f"{place}: {key} must name a field.")
    return value


def _pattern(options: dict[str, Any], place: str) -> str | None:
    if options.get("pattern") is None:
        return None
    pattern = words(options, "pattern", _PATTERN_MAX, f"{place}.logicalTypeOptions")
    if not pattern or not usable(pattern):
        raise ContractInvalid(
            f"{place}.logicalTypeOptions.pattern: the pattern {pattern!r} cannot be used. It must be of RE2's syntax, "
            "which has no lookaround and no back references."
        )
    return pattern


def _length(options: dict[str, Any], key: str, absent: int, place: str) -> int:
    value = options.get(key, absent)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LENGTH_MAX:
        raise ContractInvalid(f"{place}.logicalTypeOptions.{key}: must be a whole number from 0 to {_LENGTH_MAX}.")
    return value


def _allowed(item: dict[str, Any], place: str) -> tuple[str, ...]:
    values: list[str] = []
    written = item.get("quality") or []
    for one in written if isinstance(written, list) else [written]:
        check = mapping(one, f"{place}.quality")
        if check.get("rule") != "validValues" or not isinstance(check.get("mustBe"), list):
            raise ContractInvalid(
                f"{place}.quality: only the library rule validValues with a list mustBe is known here."
            )
        for value in check["mustBe"]:
            if (
                isinstance(value, bool)
                or not isinstance(value, str | int | float)
                or not 0 < len(str(value)) <= _VALUE_MAX
            ):
                raise ContractInvalid(f"{place}.quality: {str(value)[:60]!r} is no text; put it into quotes.")
            values.append(str(value))
    if len(values) > _ALLOWED_MAX or len(set(values)) != len(values):
        raise ContractInvalid(f"{place}.quality: mustBe lists each of at most {_ALLOWED_MAX} values once.")
    return tuple(values)


def _limit(kind: Kind, options: dict[str, Any], key: str, place: str) -> str | None:
    if key not in options:
        return None
    text = str(options[key])
    if isinstance(options[key], bool | dict | list):
        good = False
    elif kind is Kind.TIMESTAMP:
        good = read_timestamp(text) is not None
    elif kind is Kind.DATE:
        good = read_date(text) is not None
    else:
        good = _is_decimal(text, kind)
    if not good:
        raise ContractInvalid(f"{place}.logicalTypeOptions.{key}: {text[:60]!r} is not a {kind.value}.")
    return text


def _is_decimal(text: str, kind: Kind) -> bool:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return False
    # A tiny one would be written out with all its zeros to be compared.
    if not value.is_finite() or value.adjusted() < -100 or not abs(value) <= _LIMITS[kind]:
        return False
    return kind is not Kind.INTEGER or text.removeprefix("-").isdecimal()
