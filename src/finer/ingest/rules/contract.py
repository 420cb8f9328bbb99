"""From the text of a contract file (ODCS v3, YAML) to a `Contract`, with the place of every mistake.

What the standard has no word for stands in `customProperties`: `aliases`, `combinedAliases`, `default`, `derivedFrom`,
`currency`, `foldCase`, `fromNumber`, `contentHash` of a property, and `fingerprint` of the schema object.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import yaml

from finer.ingest.errors import ContractInvalid
from finer.ingest.rules.patterns import compile_program, usable
from finer.ingest.rules.times import read_date, read_timestamp
from finer.ingest.types import Contract, Field, Kind, RowRule

_KINDS = {
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
SLOTS_MAX = 62


def compile_contract(text: str, place: str) -> Contract:
    """The contract in `text`; `place` (its file name) starts every error. Raises ContractInvalid."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ContractInvalid(f"{place}: this is not YAML: {error}") from error
    top = _mapping(document, place)
    for key in ("apiVersion", "kind", "id", "name", "version", "status", "schema"):
        if key not in top:
            raise ContractInvalid(f"{place}: {key} is missing. The standard is ODCS v3.")
    if top["kind"] != "DataContract" or not str(top["apiVersion"]).startswith("v3."):
        raise ContractInvalid(f"{place}: kind must be DataContract and apiVersion must be v3.x.")
    objects = top["schema"]
    if not isinstance(objects, list) or len(objects) != 1:
        raise ContractInvalid(f"{place}: schema must hold exactly one object.")
    schema = _mapping(objects[0], f"{place}: schema[0]")
    properties = schema.get("properties")
    if not isinstance(properties, list) or not properties:
        raise ContractInvalid(f"{place}: schema[0].properties must be a list of fields.")
    fields = tuple(_field(item, f"{place}: schema[0].properties[{i}]") for i, item in enumerate(properties))
    custom = _custom(schema, f"{place}: schema[0]", frozenset({"fingerprint"}))
    contract = Contract(
        name=str(top["name"]),
        version=str(top["version"]),
        description=str(_mapping(top.get("description") or {}, f"{place}: description").get("purpose", "")).strip(),
        fields=fields,
        rules=tuple(_row_rules(schema, place)),
        fingerprint_fields=tuple(custom.get("fingerprint", ())),
    )
    _check_names(contract, place)
    return contract


def _mapping(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ContractInvalid(f"{place}: must be a mapping of names to values.")
    return value


def _custom(item: dict[str, Any], place: str, known: frozenset[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for written in item.get("customProperties") or []:
        entry = _mapping(written, f"{place}.customProperties")
        name = entry.get("property")
        if name not in known:
            raise ContractInvalid(f"{place}.customProperties: {name!r} is not known; known are {sorted(known)}.")
        found[str(name)] = entry.get("value")
    return found


def _field(value: Any, place: str) -> Field:
    item = _mapping(value, place)
    place = f"{place} ({item.get('name', 'without a name')})"
    if not isinstance(item.get("name"), str) or not item["name"].isidentifier():
        raise ContractInvalid(f"{place}: name must be a plain identifier.")
    if strange := set(item) - _PROPERTY_KEYS:
        raise ContractInvalid(f"{place}: {sorted(strange)} is not known here.")
    logical = item.get("logicalType")
    kind = _KINDS.get((str(logical), str(item.get("physicalType", logical))))
    if kind is None:
        raise ContractInvalid(
            f"{place}: logicalType {logical!r} with physicalType {item.get('physicalType')!r} is not known; "
            f"known are {sorted(' / '.join(pair) for pair in _KINDS)}."
        )
    options = _mapping(item.get("logicalTypeOptions") or {}, f"{place}.logicalTypeOptions")
    if strange := set(options) - _OPTION_KEYS.get(kind, _NUMERIC_OPTIONS):
        raise ContractInvalid(f"{place}.logicalTypeOptions: {sorted(strange)} does not go with {kind.value}.")
    custom = _custom(item, place, _CUSTOM_KEYS)
    pattern = options.get("pattern")
    if pattern is not None and not usable(str(pattern)):
        raise ContractInvalid(f"{place}: the pattern {pattern!r} cannot be used (RE2 syntax).")
    default = custom.get("default")
    return Field(
        name=item["name"],
        kind=kind,
        description=str(item.get("description", "")).strip(),
        required=bool(item.get("required", False)),
        aliases=_names(custom, "aliases", place),
        combined_aliases=_names(custom, "combinedAliases", place),
        allowed=_allowed(item, place),
        fold=bool(custom.get("foldCase", False)),
        shortest=int(options.get("minLength", 0)),
        longest=int(options.get("maxLength", 256)),
        pattern=None if pattern is None else str(pattern),
        program=None if pattern is None else compile_program(str(pattern)),
        minimum=_limit(kind, options, "minimum", place),
        maximum=_limit(kind, options, "maximum", place),
        exclusive_minimum=bool(options.get("exclusiveMinimum", False)),
        exclusive_maximum=bool(options.get("exclusiveMaximum", False)),
        default=None if default is None else str(default),
        derived_from=custom.get("derivedFrom"),
        currency=custom.get("currency"),
        from_number=bool(custom.get("fromNumber", False)),
        content_hash=bool(custom.get("contentHash", False)),
        classification=item.get("classification"),
    )


def _names(custom: dict[str, Any], key: str, place: str) -> tuple[str, ...]:
    names = custom.get(key) or ()
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ContractInvalid(f"{place}: {key} must be a list of names.")
    return tuple(names)


def _allowed(item: dict[str, Any], place: str) -> tuple[str, ...]:
    values: list[str] = []
    for written in item.get("quality") or []:
        check = _mapping(written, f"{place}.quality")
        if check.get("rule") != "validValues" or not isinstance(check.get("mustBe"), list):
            raise ContractInvalid(
                f"{place}.quality: only the library rule validValues with a list mustBe is known here."
            )
        values.extend(str(value) for value in check["mustBe"])
    return tuple(values)


def _limit(kind: Kind, options: dict[str, Any], key: str, place: str) -> str | None:
    if key not in options:
        return None
    text = str(options[key])
    if kind is Kind.TIMESTAMP:
        good = read_timestamp(text) is not None
    elif kind is Kind.DATE:
        good = read_date(text) is not None
    else:
        good = _is_decimal(text)
    if not good:
        raise ContractInvalid(f"{place}.logicalTypeOptions.{key}: {text!r} is not a {kind.value}.")
    return text


def _is_decimal(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _row_rules(schema: dict[str, Any], place: str) -> list[RowRule]:
    rules = []
    for i, written in enumerate(schema.get("quality") or []):
        here = f"{place}: schema[0].quality[{i}]"
        check = _mapping(written, here)
        if check.get("type") != "custom" or check.get("engine") != "finer":
            raise ContractInvalid(f"{here}: a row rule has type custom and engine finer.")
        for key in ("name", "implementation", "description"):
            if not isinstance(check.get(key), str):
                raise ContractInvalid(f"{here}: {key} is missing.")
        fields = _custom(check, here, frozenset({"fields"})).get("fields") or ()
        rules.append(
            RowRule(
                name=check["name"],
                condition=check["implementation"].strip(),
                reason=check["description"].strip(),
                fields=tuple(fields),
            )
        )
    return rules


def _check_names(contract: Contract, place: str) -> None:
    taken: set[str] = set()
    by_name = {field.name: field for field in contract.fields}
    for field in contract.fields:
        for name in (field.name, *field.aliases, *field.combined_aliases):
            if name in taken:
                raise ContractInvalid(f"{place}: the name {name!r} is used twice.")
            taken.add(name)
        for problem in (_wrong_reference(field, by_name), _wrong_default(field)):
            if problem is not None:
                raise ContractInvalid(f"{place}: {field.name}: {problem}")
    for name in (*contract.fingerprint_fields, *(name for rule in contract.rules for name in rule.fields)):
        if name not in by_name:
            raise ContractInvalid(f"{place}: {name!r} is not a field of this contract.")
    for required in ("event_id", "occurred_at"):
        if required not in by_name:
            raise ContractInvalid(f"{place}: every contract has a field {required}.")
    if sum(1 + len(field.combined_aliases) for field in contract.fields) > SLOTS_MAX:
        raise ContractInvalid(f"{place}: at most {SLOTS_MAX} fields are supported.")


def _wrong_reference(field: Field, by_name: dict[str, Field]) -> str | None:
    """What is wrong with the fields that a field names."""
    source = by_name.get(field.derived_from or "")
    if field.derived_from is not None and (source is None or source.kind is not field.kind):
        return "derivedFrom must name a field of the same type."
    currency = by_name.get(field.currency or "")
    if field.kind is Kind.MONEY and (currency is None or currency.kind is not Kind.STRING):
        return "money needs customProperties currency, naming a text field."
    if field.combined_aliases and (field.kind is not Kind.TIMESTAMP or len(field.combined_aliases) != 2):
        return "combinedAliases are a date and a time of a timestamp."
    return None


def _wrong_default(field: Field) -> str | None:
    """What is wrong with the default of a field."""
    if field.default is None or (field.kind is Kind.TIMESTAMP and field.default == "received_at"):
        return None
    if field.kind is not Kind.STRING:
        return "only a text has a default; a timestamp's is received_at."
    if field.allowed and field.default not in field.allowed:
        return "the default is not among the allowed values."
    return None
