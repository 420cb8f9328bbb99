"""Texts of contracts for tests."""

from __future__ import annotations

from typing import Any

import yaml

from finer.ingest.service import contracts


def document(name: str = "transaction", version: str = "1.1.0") -> dict[str, Any]:
    """A built-in contract as YAML values, with another version."""
    found: dict[str, Any] = yaml.safe_load(contracts.built_in_texts()[name])
    found["version"] = version
    return found


def field(found: dict[str, Any], name: str) -> dict[str, Any]:
    """The property of that name."""
    wanted: dict[str, Any] = next(item for item in found["schema"][0]["properties"] if item["name"] == name)
    return wanted


def text(found: dict[str, Any]) -> str:
    """The values as a text."""
    return yaml.safe_dump(found, sort_keys=False)


def with_options(name: str, version: str = "2.0.0", **options: Any) -> str:
    """The contract of transactions with other limits of one field."""
    found = document(version=version)
    field(found, name).setdefault("logicalTypeOptions", {}).update(options)
    return text(found)


def with_field(version: str = "1.1.0", **more: Any) -> str:
    """The contract of transactions with one more field, `loyalty_id` unless told otherwise."""
    found = document(version=version)
    found["schema"][0]["properties"].append(
        {"name": "loyalty_id", "logicalType": "string", "description": "A card of the shop."} | more
    )
    return text(found)
