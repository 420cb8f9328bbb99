"""A block of records against its contract: columns for the many that are simple, the slow path for the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from finer.ingest.errors import Laborious
from finer.ingest.rules import kernels
from finer.ingest.rules.columns import Array, Cells, build_columns, column_hash, event_hash
from finer.ingest.rules.plan import Plan
from finer.ingest.rules.record import Token, check_record, show
from finer.ingest.types.contracts import RECEIVED_AT
from finer.ingest.types.records import FieldError, RefusedRecord
from finer.kit.columns import Columns

RAW_KEPT_MAX = 64 * 1024
_SHARE_LEAST = 16
"""Slow records that a body may have in any company: those that bring one or few are a group because they are many."""


@dataclass(frozen=True)
class Decoded:
    """One record as the slow path reads it: a token per slot, or `errors` when it cannot be read at all."""

    tokens: dict[int, Token]
    errors: list[FieldError] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


@dataclass
class Block:
    """Some records of one or several bodies, in order, found but not checked yet."""

    rows: int
    cells: Cells
    odd: Array
    lines: Array
    owners: Array
    raw: Callable[[int], bytes]
    decode: Callable[[int], Decoded]
    unknown: list[tuple[int, int, str]] = field(default_factory=list)
    """(owner, row or place, name) of unknown fields met by the fast path, in order."""
    names: tuple[str, ...] = ()
    """The columns of a CSV header."""


@dataclass(frozen=True)
class Checked:
    """What the check found: accepted rows in order with the row they came from, and refused records by owner."""

    batch: pa.RecordBatch
    rows: Array
    refused: list[tuple[int, RefusedRecord]]
    unknown: list[tuple[int, str]]


def check_block(plan: Plan, block: Block, received_us: int, slow_max: int | None = None) -> Checked:
    """Hold every record of a block to the contract.

    Raises Laborious, naming owners, when more than `slow_max` records have to be looked at one by one.
    """
    n = block.rows
    bad = block.odd[:n]
    arrays = build_columns(plan, block.cells, n, received_us, bad)
    rows = np.arange(n)
    refused: list[tuple[int, RefusedRecord]] = []
    unknown = [(owner, name) for owner, _, name in block.unknown]
    if bad.any():
        _bounded(block.owners[:n][bad != 0], slow_max)
        arrays, rows = _merge_slow(plan, block, arrays, bad, received_us, refused, unknown)
    if plan.event_id >= 0 and arrays[plan.event_id].null_count:
        arrays[plan.event_id] = _fill_ids(plan, arrays, len(rows))
    kept = _row_rules(plan, block, arrays, rows, refused, slow_max)
    if kept is not None:
        arrays = [array.filter(pa.array(kept)) for array in arrays]
        rows = rows[kept]
    if refused:
        refused.sort(key=lambda pair: (pair[0], pair[1].line))
    arrays.append(pa.array(np.full(len(rows), received_us, np.int64)).view(RECEIVED_AT.type))
    batch = pa.RecordBatch.from_arrays(arrays, schema=plan.schema)
    return Checked(batch, rows, refused, unknown)


def refuse(line: int, raw: bytes, errors: list[FieldError], names: tuple[str, ...] = ()) -> RefusedRecord:
    """A refused record with its first bytes and the hash of all of them."""
    return RefusedRecord(line, raw[:RAW_KEPT_MAX], len(raw), hashlib.sha256(raw).digest(), errors, names)


def _merge_slow(
    plan: Plan,
    block: Block,
    arrays: list[pa.Array],
    bad: Array,
    received_us: int,
    refused: list[tuple[int, RefusedRecord]],
    unknown: list[tuple[int, str]],
) -> tuple[list[pa.Array], Array]:
    """Send the bad rows through the slow path, and put those that pass back among the others, in order."""
    good: list[list[Any]] = []
    good_rows: list[int] = []
    for row in np.flatnonzero(bad):
        i = int(row)
        decoded = block.decode(i)
        owner = int(block.owners[i])
        unknown.extend((owner, name) for name in decoded.unknown)
        errors = decoded.errors
        if not errors:
            values, errors = check_record(plan, decoded.tokens, received_us, texts=block.cells.texts)
        if errors:
            refused.append((owner, refuse(int(block.lines[i]), block.raw(i), errors, block.names)))
        else:
            good.append(values)
            good_rows.append(i)
    fast_rows = np.flatnonzero(bad == 0)
    chosen = pa.array(fast_rows)
    arrays = [array.take(chosen) for array in arrays]
    if not good:
        return arrays, fast_rows
    columns = list(zip(*good, strict=True))
    slow = [pa.array(column, plan.fields[i].arrow) for i, column in enumerate(columns)]
    rows = np.concatenate([fast_rows, np.array(good_rows, np.int64)])
    order = np.argsort(rows, kind="stable")
    place = pa.array(order)
    merged = [pa.concat_arrays([fast, more]).take(place) for fast, more in zip(arrays, slow, strict=True)]
    return merged, rows[order]


def _fill_ids(plan: Plan, arrays: list[pa.Array], rows: int) -> pa.Array:
    given = arrays[plan.event_id]
    return pa.compute.coalesce(given, pa.array(event_hash(plan, arrays, rows), pa.string()))


def _bounded(owners: Array, slow_max: int | None) -> None:
    """Raise Laborious when a group has more slow records than that, and some bodies more than their share of them."""
    if slow_max is None or len(owners) <= slow_max:
        return
    counts = np.bincount(owners)
    share = max(slow_max // int(np.count_nonzero(counts)), _SHARE_LEAST)
    if (found := np.flatnonzero(counts > share)).size:
        raise Laborious(found.tolist())


def _row_rules(
    plan: Plan,
    block: Block,
    arrays: list[pa.Array],
    rows: Array,
    refused: list[tuple[int, RefusedRecord]],
    slow_max: int | None,
) -> Array | None:
    """Which rows keep all row rules; None when all do. The others are added to `refused` with every rule they break."""
    if not plan.rules or not len(rows):
        return None
    columns = Columns(pa.RecordBatch.from_arrays(arrays, schema=plan.field_schema))
    kept = np.ones(len(rows), np.bool_)
    broken: dict[int, list[FieldError]] = {}
    for rule, check in plan.rules:
        mask = check(columns)
        if mask.all():
            continue
        kept &= mask
        _bounded(block.owners[rows[~kept]], slow_max)
        for position in np.flatnonzero(~mask):
            place = int(position)
            value = ", ".join(f"{name}={_shown(plan, arrays, name, place)}" for name in rule.fields)
            broken.setdefault(place, []).append(FieldError(",".join(rule.fields), rule.name, show(value), rule.reason))
    if not broken:
        return None
    for place, errors in broken.items():
        row = int(rows[place])
        refused.append((int(block.owners[row]), refuse(int(block.lines[row]), block.raw(row), errors, block.names)))
    return kept


def _shown(plan: Plan, arrays: list[pa.Array], name: str, row: int) -> str:
    slot = plan.slot_of[name]
    value = arrays[slot][row].as_py()
    item = plan.fields[slot]
    if item.currency >= 0 and value is not None:
        return f"{value} minor units of {arrays[item.currency][row].as_py()}"
    return "nothing" if value is None else str(value)


def fingerprint(plan: Plan, columns: Columns) -> Array:
    """32 bits of the content of every record, uint32[n]: equal for a record sent again, different for a conflict."""
    names = plan.fingerprint
    columns.hash_together(names)
    hashes = np.empty((len(names), columns.rows), np.uint64)
    for place, name in enumerate(names):
        array = columns.arrow(name)
        hashes[place] = columns.hashes(name) if pa.types.is_string(array.type) else column_hash(array)
    folded: Array = kernels.fold_all(hashes)
    return (folded >> np.uint64(32)).astype(np.uint32)
