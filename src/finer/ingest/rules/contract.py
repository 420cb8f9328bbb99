"""From the text of a contract (ODCS v3, YAML) to a `Contract`, with the place and the line of every mistake.

What the standard has no word for stands in `customProperties`: `aliases`, `combinedAliases`, `default`, `derivedFrom`,
`currency`, `foldCase`, `fromNumber`, `contentHash` of a property, `fingerprint` and `payloads` of the schema object.
"""

from __future__ import annotations

import re
from typing import Any

from finer.ingest.errors import ContractInvalid
from finer.ingest.rules.contract_fields import custom_properties, mapping, names, read_field, words
from finer.ingest.rules.payloads import read_payloads
from finer.ingest.rules.plan import plan_of
from finer.ingest.rules.scan_json import TABLE_SIZE
from finer.ingest.types.contracts import Contract, Field, Kind, RowRule, ServiceLevel, TeamMember
from finer.kit.yaml_text import YamlInvalid, YamlText

_TOP_KEYS = frozenset(
    {
        "apiVersion", "kind", "id", "name", "version", "status", "tenant", "domain", "dataProduct", "description",
        "schema", "team", "slaProperties", "tags", "support", "roles", "servers", "price", "customProperties",
        "authoritativeDefinitions", "contractCreatedTs",
    }
)  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
_VERSION = re.compile(r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})")
_RULE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_RULES_MAX = 50
_SENTENCE_MAX = 2_000
SLOTS_MAX = 62
# What Finer itself adds to the records on their way, in the event log and in the lake.
_TAKEN_NAMES = frozenset({"received_at", "awaited", "log_partition", "log_offset"})


def compile_contract(text: str, place: str) -> Contract:
    """The contract in `text`; `place` (its file name) starts every error. Raises ContractInvalid."""
    try:
        source = YamlText(text, place)
    except YamlInvalid as error:
        raise ContractInvalid(str(error), line=error.line) from error
    try:
        contract = _contract(source.value, place)
        _check_names(contract, place)
    except ContractInvalid as error:
        line = source.line_of(error.detail.removeprefix(f"{place}: "))
        raise ContractInvalid(error.detail, line=line) from error
    return contract


def check_contract(text: str, place: str) -> Contract:
    """As `compile_contract`, with every row rule and limit compiled too: what this returns can be used."""
    contract = compile_contract(text, place)
    try:
        plan_of(contract)
    except ContractInvalid as error:
        detail = error.detail.removeprefix(f"{contract.name}: ")
        raise ContractInvalid(f"{place}: {detail}", line=YamlText(text, place).line_of(detail)) from error
    return contract


def version_number(version: str) -> tuple[int, int, int]:
    """A version such as 1.10.0, to compare by. Raises ValueError."""
    major, minor, patch = version.split(".")
    return int(major), int(minor), int(patch)


def _top(document: Any, place: str) -> dict[str, Any]:
    """What stands outside the schema, as far as Finer reads it."""
    top = mapping(document, place)
    for key in ("apiVersion", "kind", "id", "name", "version", "status", "schema"):
        if key not in top:
            raise ContractInvalid(f"{place}: {key} is missing. The standard is ODCS v3.")
    if strange := sorted(set(top) - _TOP_KEYS):
        raise ContractInvalid(
            f"{place}: {strange[0]}: this is not known here; known are {', '.join(sorted(_TOP_KEYS))}."
        )
    if top["kind"] != "DataContract" or not str(top["apiVersion"]).startswith("v3."):
        raise ContractInvalid(f"{place}: kind must be DataContract and apiVersion must be v3.x.")
    if not isinstance(top["name"], str) or _NAME.fullmatch(top["name"]) is None:
        raise ContractInvalid(
            f"{place}: name: {str(top['name'])[:80]!r} must be 2 to 40 lower-case letters, digits and underscores, "
            "beginning with a letter."
        )
    if _VERSION.fullmatch(str(top["version"])) is None:
        raise ContractInvalid(
            f"{place}: version: {str(top['version'])[:40]!r} must be like 1.0.0 (semantic versioning)."
        )
    return top


def _contract(document: Any, place: str) -> Contract:
    top = _top(document, place)
    objects = top["schema"]
    if not isinstance(objects, list) or len(objects) != 1:
        raise ContractInvalid(f"{place}: schema must hold exactly one object.")
    here = f"{place}: schema[0]"
    schema = mapping(objects[0], here)
    properties = schema.get("properties")
    if not isinstance(properties, list) or not properties:
        raise ContractInvalid(f"{here}.properties must be a list of fields.")
    if len(properties) > SLOTS_MAX:
        raise ContractInvalid(f"{here}.properties holds {len(properties):,} fields; at most {SLOTS_MAX} are supported.")
    custom = custom_properties(schema, here, frozenset({"fingerprint", "payloads"}))
    return Contract(
        name=top["name"],
        version=str(top["version"]),
        description=words(
            mapping(top.get("description") or {}, f"{place}: description"), "purpose", _SENTENCE_MAX, place
        ),
        fields=tuple(read_field(item, f"{here}.properties[{i}]") for i, item in enumerate(properties)),
        rules=tuple(_row_rules(schema, place)),
        fingerprint_fields=names(custom, "fingerprint", here),
        payloads=read_payloads(custom.get("payloads"), f"{here}.customProperties: payloads"),
        team=tuple(_team(top.get("team"), place)),
        service_levels=tuple(_service_levels(top.get("slaProperties"), place)),
    )


def _team(written: Any, place: str) -> list[TeamMember]:
    # From version 3.1 on the standard has the members one level deeper.
    members = written.get("members") if isinstance(written, dict) else written
    found = []
    for i, item in enumerate(_list(members, f"{place}: team")):
        here = f"{place}: team[{i}]"
        member = mapping(item, here)
        name = words(member, "name", 120, here) or words(member, "username", 120, here)
        if not name:
            raise ContractInvalid(f"{here}: name is missing.")
        found.append(TeamMember(name, words(member, "role", 60, here).lower()))
    return found


def _service_levels(written: Any, place: str) -> list[ServiceLevel]:
    found = []
    for i, item in enumerate(_list(written, f"{place}: slaProperties")):
        here = f"{place}: slaProperties[{i}]"
        level = mapping(item, here)
        if not level.get("property") or "value" not in level:
            raise ContractInvalid(f"{here}: property and value are needed, for instance freshness and 5.")
        found.append(
            ServiceLevel(
                words(level, "property", 60, here),
                words(level, "value", 60, here),
                words(level, "unit", 30, here),
                words(level, "description", 500, here),
            )
        )
    return found


def _list(written: Any, place: str) -> list[Any]:
    if written is None:
        return []
    if not isinstance(written, list) or len(written) > 50:
        raise ContractInvalid(f"{place} must be a list of at most 50 entries.")
    return written


def _row_rules(schema: dict[str, Any], place: str) -> list[RowRule]:
    rules: list[RowRule] = []
    written = schema.get("quality") or []
    if not isinstance(written, list) or len(written) > _RULES_MAX:
        raise ContractInvalid(f"{place}: schema[0].quality must be a list of at most {_RULES_MAX} rules.")
    for i, item in enumerate(written):
        here = f"{place}: schema[0].quality[{i}]"
        check = mapping(item, here)
        if check.get("type") != "custom" or check.get("engine") != "finer":
            raise ContractInvalid(f"{here}: a row rule has type custom and engine finer.")
        for key in ("name", "implementation", "description"):
            if not isinstance(check.get(key), str):
                raise ContractInvalid(f"{here}: {key} is missing.")
        if _RULE_NAME.fullmatch(check["name"]) is None:
            raise ContractInvalid(f"{here}.name: {check['name'][:80]!r} must be lower_snake_case.")
        if any(check["name"] == rule.name for rule in rules):
            raise ContractInvalid(f"{here}.name: there is a rule {check['name']!r} already.")
        rules.append(
            RowRule(
                name=check["name"],
                condition=check["implementation"].strip(),
                reason=words(check, "description", _SENTENCE_MAX, here),
                fields=names(custom_properties(check, here, frozenset({"fields"})), "fields", here),
            )
        )
    return rules


def _check_names(contract: Contract, place: str) -> None:
    taken: set[str] = set()
    by_name = {field.name: field for field in contract.fields}
    columns: set[str] = set(_TAKEN_NAMES)
    for i, field in enumerate(contract.fields):
        here = f"{place}: schema[0].properties[{i}] ({field.name})"
        for name in (field.name, *field.aliases, *field.combined_aliases):
            if name in taken:
                raise ContractInvalid(f"{here}: the name {name!r} is used twice.")
            taken.add(name)
        if field.column in columns:
            raise ContractInvalid(f"{here}: the column {field.column!r} is taken; Finer or another field has it.")
        columns.add(field.column)
        for problem in (_wrong_reference(field, by_name), _wrong_default(field)):
            if problem is not None:
                raise ContractInvalid(f"{here}: {problem}")
    _check_references(contract, by_name, place)
    _check_own_fields(by_name, place)
    if sum(1 + len(field.combined_aliases) for field in contract.fields) > SLOTS_MAX:
        raise ContractInvalid(f"{place}: schema[0].properties: at most {SLOTS_MAX} fields are supported.")
    if len(taken) > TABLE_SIZE // 2:
        raise ContractInvalid(f"{place}: schema[0].properties: at most {TABLE_SIZE // 2} names are supported.")


def _check_references(contract: Contract, by_name: dict[str, Field], place: str) -> None:
    named = [("customProperties", name) for name in contract.fingerprint_fields]
    named += [(f"quality[{i}]", name) for i, rule in enumerate(contract.rules) for name in rule.fields]
    for where, name in named:
        if name not in by_name:
            raise ContractInvalid(f"{place}: schema[0].{where}: {name!r} is not a field of this contract.")


def _check_own_fields(by_name: dict[str, Field], place: str) -> None:
    """What deduplication and every window read must be there in each kind of record."""
    for name, kind in (("event_id", Kind.STRING), ("occurred_at", Kind.TIMESTAMP)):
        if name not in by_name:
            raise ContractInvalid(f"{place}: schema[0].properties: every contract has a field {name}.")
        if by_name[name].kind is not kind or not by_name[name].required:
            raise ContractInvalid(f"{place}: schema[0].properties: {name} must be a required {kind.value}.")


def _wrong_reference(field: Field, by_name: dict[str, Field]) -> str | None:
    """What is wrong with the fields that a field names."""
    source = by_name.get(field.derived_from or "")
    if field.derived_from is not None and (source is None or source.kind is not field.kind or source is field):
        return "derivedFrom must name another field of the same type."
    currency = by_name.get(field.currency or "")
    if field.kind is Kind.MONEY and (currency is None or currency.kind is not Kind.STRING):
        return "money needs customProperties currency, naming a text field."
    if field.combined_aliases and (field.kind is not Kind.TIMESTAMP or len(field.combined_aliases) != 2):
        return "combinedAliases are a date and a time of a timestamp."
    if field.content_hash and field.name != "event_id":
        return "contentHash is for the event_id."
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
