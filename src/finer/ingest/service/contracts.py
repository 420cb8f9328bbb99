"""The contracts that records are held to, and what deduplication compares of a record."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np

from finer.ingest.errors import UnknownContract
from finer.ingest.rules.check import fingerprint
from finer.ingest.rules.classes import class_of, reason_without_value
from finer.ingest.rules.columns import Array
from finer.ingest.rules.contract import compile_contract
from finer.ingest.rules.describe import json_schema
from finer.ingest.rules.plan import plan_of
from finer.ingest.types import Contract
from finer.kit.columns import Columns
from finer.kit.hashing import combine_hashes, hash_text
from finer.kit.masking import DataClass


@lru_cache(maxsize=1)
def contracts() -> MappingType[str, Contract]:
    """The built-in contracts by name, read and compiled once. Raises ContractInvalid with the file and place."""
    found = {}
    for entry in sorted(resources.files("finer.ingest").joinpath("contracts").iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".yaml"):
            contract = compile_contract(entry.read_text("utf-8"), entry.name)
            plan_of(contract)
            found[contract.name] = contract
    return found


def contract(name: str) -> Contract:
    """The contract of that name. Raises UnknownContract listing those that exist."""
    known = contracts()
    if name not in known:
        raise UnknownContract(name, known)
    return known[name]


def guarded_reason(contract_name: str, field: str, rule: str, reason: str) -> tuple[DataClass, str]:
    """How sensitive the value of a broken field is, and the reason without a value that says something of a person."""
    data_class = class_of(contracts().get(contract_name), field)
    return data_class, reason_without_value(data_class, field, rule, reason)


def json_schemas() -> dict[str, dict[str, Any]]:
    """Every contract as JSON Schema, for documents that describe the API."""
    return {name: json_schema(known) for name, known in contracts().items()}


def identify(columns: Columns, stream: str, seed: int) -> tuple[Array, Array]:
    """What deduplication compares: the id of every record as uint64, and 32 bits of its content, shape (rows,) each.

    Ids of other tenants (`seed`) and other streams never meet.
    """
    apart = (hash_text(stream) ^ int(seed)) & 0xFFFFFFFFFFFFFFFF
    ids = combine_hashes(columns.hashes("event_id"), np.full(columns.rows, apart, np.uint64))
    return ids, fingerprint(plan_of(contract(stream)), columns)
