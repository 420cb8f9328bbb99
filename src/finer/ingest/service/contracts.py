"""The contracts that records are held to, version by version, and what deduplication compares of a record."""

from __future__ import annotations

import uuid
from collections.abc import Mapping as MappingType
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import pyarrow as pa
import structlog

from finer.ingest.errors import ContractInvalid, UnknownContract
from finer.ingest.rules.check import fingerprint
from finer.ingest.rules.classes import CLASSES, class_of, reason_without_value
from finer.ingest.rules.columns import Array
from finer.ingest.rules.contract import check_contract
from finer.ingest.rules.describe import json_schema
from finer.ingest.rules.plan import plan_of
from finer.ingest.rules.row_rules import TYPES
from finer.ingest.store.contracts import ContractStore
from finer.ingest.types.contracts import Contract, Field, FirmContracts
from finer.kit.columns import Columns
from finer.kit.conditions.tree import ColumnType
from finer.kit.hashing import combine_hashes, hash_text
from finer.kit.masking import DataClass
from finer.kit.tx import Tx

_log = structlog.get_logger(__name__)
CHANNEL = "finer_contracts"
"""Notified with the firm's id when one of its contracts has another version."""


@lru_cache(maxsize=1)
def contracts() -> MappingType[str, Contract]:
    """The built-in contracts by name, read and compiled once: what a firm has until it publishes versions of its own.

    Raises ContractInvalid with the file and place.
    """
    found = (check_contract(text, f"{name}.yaml") for name, text in built_in_texts().items())
    return {contract.name: contract for contract in found}


@lru_cache(maxsize=1)
def earlier_texts() -> MappingType[tuple[str, str], str]:
    """The files of the versions that built-in contracts had before, by name and version.

    The event log, receipts and the lake name the version that a record was held to, so none of them is taken away.
    """
    files = resources.files("finer.ingest").joinpath("contracts", "earlier").iterdir()
    found = {}
    for entry in sorted(files, key=lambda item: item.name):
        name, _, version = entry.name.removesuffix(".yaml").rpartition("_")
        found[name, version] = entry.read_text("utf-8")
    return found


@lru_cache(maxsize=1)
def _earlier() -> tuple[Contract, ...]:
    return tuple(check_contract(text, f"{name}_{version}.yaml") for (name, version), text in earlier_texts().items())


@lru_cache(maxsize=1)
def built_in_texts() -> MappingType[str, str]:
    """The files of the built-in contracts by name."""
    files = sorted(resources.files("finer.ingest").joinpath("contracts").iterdir(), key=lambda item: item.name)
    return {
        entry.name.removesuffix(".yaml"): entry.read_text("utf-8") for entry in files if entry.name.endswith(".yaml")
    }


def read_contract(text: str, place: str) -> Contract:
    """The contract in a text, with rules and limits compiled. Raises ContractInvalid with `place` and the line."""
    return check_contract(text, place)


def contract(name: str) -> Contract:
    """The built-in contract of that name. Raises UnknownContract listing those that exist."""
    known = contracts()
    if name not in known:
        raise UnknownContract(name, known)
    return known[name]


_COMPILED_MAX = 4096
# By the id of the version. What was published never changes, so what is here never grows old.
_compiled: dict[uuid.UUID, Contract] = {}


def load(tx: Tx) -> FirmContracts:
    """Every contract of the firm as it is now. One query; texts are read and compiled once in a process."""
    built_in = contracts()
    current = dict(built_in)
    by_header = {one.header: one for one in (*_earlier(), *built_in.values())}
    store = ContractStore(tx)
    rows = store.published()
    _compile(store, [row.id for row in rows if row.id not in _compiled])
    for row in rows:
        found = _compiled.get(row.id)
        if found is not None:
            by_header[found.header] = found
            if row.state == "published":
                current[found.name] = found
    return FirmContracts(dict(sorted(current.items())), by_header)


def _compile(store: ContractStore, identifiers: list[uuid.UUID]) -> None:
    if len(_compiled) + len(identifiers) > _COMPILED_MAX:
        _compiled.clear()
        identifiers = [row.id for row in store.published()]
    for identifier, text in (store.texts(identifiers) if identifiers else {}).items():
        try:
            _compiled[identifier] = check_contract(text, str(identifier))
        except ContractInvalid as error:
            # It was checked before it was published, by another version of Finer. One contract must not stop the rest.
            _log.error("a published contract cannot be used any more", version=str(identifier), problem=error.detail)


def written_with(known: FirmContracts, header: str) -> Contract | None:
    """The version that a row of the event log was held to; None when the firm's contracts have to be read again."""
    return known.by_header.get(header.partition("+")[0])


def stand_in(known: FirmContracts, header: str) -> Contract:
    """A contract for records of a version that is not known: the one in force, or one that says nothing of them."""
    name, _, version = header.partition("+")[0].partition("/")
    return known.current.get(name) or Contract(name=name, version=version, description="", fields=())


def class_of_field(field: Field) -> DataClass:
    """How sensitive the values of a field are."""
    return CLASSES[field.classification]


def column_types(contract: Contract) -> dict[str, ColumnType]:
    """What conditions take the columns of a contract for."""
    return {field.column: TYPES[field.kind] for field in contract.fields}


def guarded_reason(contract: Contract | None, field: str, rule: str, reason: str) -> tuple[DataClass, str]:
    """How sensitive the value of a broken field is, and the reason without a value that says something of a person."""
    data_class = class_of(contract, field)
    return data_class, reason_without_value(data_class, field, rule, reason)


def json_schemas() -> dict[str, dict[str, Any]]:
    """Every built-in contract as JSON Schema, for documents that describe the API."""
    return {name: json_schema(known) for name, known in contracts().items()}


def identify(columns: Columns, contract: Contract, seed: int) -> tuple[Array, Array]:
    """What deduplication compares: the id of every record as uint64, and 32 bits of its content, shape (rows,) each.

    `contract` is the version that the records were held to. Ids of other tenants (`seed`) and of other contracts never
    meet; those of other versions of the same one do.
    """
    plan = plan_of(contract)
    columns.hash_together(("event_id", *plan.fingerprint))
    apart = (hash_text(contract.name) ^ int(seed)) & 0xFFFFFFFFFFFFFFFF
    ids = combine_hashes(columns.hashes("event_id"), np.full(columns.rows, apart, np.uint64))
    return ids, fingerprint(plan, columns)


@lru_cache(maxsize=64)
def _columns_of(name: str) -> dict[str, pa.Field]:
    """The columns of a built-in contract."""
    return {field.name: field for field in plan_of(contracts()[name]).schema}


def completed(batch: pa.RecordBatch, contract: Contract) -> pa.RecordBatch:
    """The batch with an empty column for each one of the built-in contract that its own version does not have.

    Features and rules read the columns of the built-in contract, and a firm may do without some of them.
    """
    wanted = _columns_of(contract.name)
    missing = wanted.keys() - batch.schema.names
    for field in (wanted[name] for name in wanted if name in missing):
        batch = batch.append_column(field, pa.nulls(batch.num_rows, field.type))
    return batch
