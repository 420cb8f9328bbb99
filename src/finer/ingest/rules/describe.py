"""A contract as JSON Schema (draft 2020-12), as generous as the parser is: what it lets through may be sent."""

from __future__ import annotations

from typing import Any

from finer.ingest.types.contracts import Contract, Field, Kind

_TYPES: dict[Kind, list[str]] = {
    Kind.STRING: ["string"],
    Kind.MONEY: ["number", "string"],
    Kind.INTEGER: ["integer"],
    Kind.NUMBER: ["number"],
    Kind.BOOLEAN: ["boolean"],
    Kind.DATE: ["string"],
    Kind.TIMESTAMP: ["string"],
}


def json_schema(contract: Contract) -> dict[str, Any]:
    """The records of a contract. Aliases and unknown members are allowed, so only what has no other source is required.

    An absent member, null and the empty text mean the same.
    """
    return {
        "type": "object",
        "description": " ".join(contract.description.split()),
        "properties": {field.name: _member(field) for field in contract.fields},
        "required": [field.name for field in contract.fields if _has_no_other_source(field)],
    }


def _has_no_other_source(field: Field) -> bool:
    others = (field.aliases, field.combined_aliases, field.default, field.derived_from, field.content_hash)
    return field.required and not any(others)


def _member(field: Field) -> dict[str, Any]:
    types = list(_TYPES[field.kind])
    if field.from_number:
        types.append("integer")
    if not _has_no_other_source(field):
        types.append("null")
    found: dict[str, Any] = {"type": types if len(types) > 1 else types[0], "description": _meaning(field)}
    if field.kind is Kind.STRING:
        found["maxLength"] = field.longest
    if field.kind is Kind.DATE:
        found["format"] = "date"
    return found


def _meaning(field: Field) -> str:
    parts = [" ".join(field.description.split())]
    if field.allowed:
        parts.append(f"One of {', '.join(field.allowed)}.")
    if field.pattern is not None:
        parts.append(f"Like {field.pattern}.")
    if field.default is not None:
        parts.append(f"{field.default} when absent.")
    if field.aliases:
        parts.append(f"Also read from {', '.join(field.aliases)}.")
    if field.combined_aliases:
        parts.append(f"Also read from {' with '.join(field.combined_aliases)}.")
    return " ".join(parts)
