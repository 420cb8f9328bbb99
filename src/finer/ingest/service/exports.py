"""Contracts for other systems: ODCS YAML, JSON Schema, a Markdown page; and records as examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from finer.ingest.rules.classes import class_of
from finer.ingest.rules.contract import check_contract
from finer.ingest.rules.describe import json_schema
from finer.ingest.rules.markdown import must_be, page
from finer.ingest.service import contracts, drafts
from finer.ingest.types.contracts import Contract, Field
from finer.kit.masking import DataClass
from finer.kit.tx import Tx

Format = Literal["odcs", "json-schema", "markdown"]
MEDIA_TYPES: dict[Format, tuple[str, str]] = {
    "odcs": ("application/yaml", "odcs.yaml"),
    "json-schema": ("application/schema+json", "schema.json"),
    "markdown": ("text/markdown", "md"),
}
"""The media type of a format, and how its file ends."""


def export(tx: Tx, name: str, version: str | None, form: Format) -> str:
    """A version of a contract, the one in force if none is given. Raises UnknownContract, VersionNotFound."""
    text = drafts.text_of(tx, name, version)
    if form == "odcs":
        return text
    contract = check_contract(text, name)
    if form == "markdown":
        return page(contract)
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:finer:contract:{contract.header.replace('/', ':')}",
        "title": contract.name,
    }
    return msgspec.json.format(msgspec.json.encode(schema | json_schema(contract))).decode()


def rules_of(field: Field) -> list[str]:
    """The rules of a field, each as a sentence."""
    return must_be(field)


def class_of_field(field: Field) -> DataClass:
    """How sensitive the values of a field are."""
    bare = Contract(name="", version="", description="", fields=(field,))
    return class_of(bare, field.name)


def sample(tx: Tx, name: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, tuple[DataClass, Any]]]:
    """Stored records as the contract in force names their fields: by field, how sensitive it is and its value.

    Raises UnknownContract.
    """
    contract = contracts.load(tx).named(name)
    return [
        {field.name: (class_of_field(field), row[field.column]) for field in contract.fields if field.column in row}
        for row in rows
    ]
