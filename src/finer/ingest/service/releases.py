"""Releasing refused records: thousands at a time the whole way to the log, each accounted for by its receipt."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import msgspec
import pyarrow as pa

from finer.ingest.rules.classes import guarded
from finer.ingest.rules.repair import line_of
from finer.ingest.rules.shapes import Shape
from finer.ingest.service.quarantine import current
from finer.ingest.service.repairs import UNREADABLE, chosen_contract, count_failure
from finer.ingest.store.quarantine import QuarantineStore
from finer.ingest.store.receipts import ReceiptStore
from finer.ingest.store.releases import Held, ReleaseStore
from finer.ingest.store.rollups import RollupStore
from finer.ingest.types.contracts import Contract, Kind
from finer.ingest.types.quarantine import Act
from finer.ingest.types.records import FieldError
from finer.kit.log import CHANNEL
from finer.kit.moments import microseconds
from finer.kit.tx import Tx

PART = 4_000
"""Records that are checked while the server changes those before them."""


def release(tx: Tx, act: Act, until: uuid.UUID, partitions: int) -> int:
    """Send the next records of an act the whole way with the contract in force; returns how many were looked at.

    Those that break the contract stay, with what they break.
    """
    contract = chosen_contract(tx, act.selection)
    store, at = ReleaseStore(tx), tx.now()
    checked = _Checked()
    # The server changes the records of one part while the next is opened and checked.
    with ThreadPoolExecutor(1, thread_name_prefix="release") as pool:
        changes: list[Future[None]] = []
        for held in store.held(act.selection, act.cursor, until, PART):
            passed = len(checked.released)
            for shape, records in _by_shape(contract, held):
                _check(tx, shape, records, checked)
            checked.looked_at += len(held)
            if ids := [one.id for one in checked.released[passed:]]:
                changes.append(pool.submit(store.release, act.id, at, ids))
        for change in changes:
            change.result()
    if checked.released:
        _append(tx, act, contract, pa.concat_batches(checked.batches), checked.released, partitions)
    if checked.failures:
        QuarantineStore(tx).note_remaining(checked.failures)
    for _, errors in checked.failures:
        count_failure(act.failed, errors)
    unreadable = checked.looked_at - len(checked.released) - len(checked.failures)
    if unreadable:
        act.failed[UNREADABLE] = act.failed.get(UNREADABLE, 0) + unreadable
    act.changed += len(checked.released)
    return checked.looked_at


@dataclass
class _Checked:
    """What became of the records of a step so far; the rows of `batches` are those that are `released`, in order."""

    released: list[Held] = field(default_factory=list)
    batches: list[pa.RecordBatch] = field(default_factory=list)
    failures: list[tuple[uuid.UUID, list[FieldError]]] = field(default_factory=list)
    looked_at: int = 0


def _check(tx: Tx, shape: Shape, held: Sequence[Held], checked: _Checked) -> None:
    """Hold records that were written alike to the contract."""
    readable = _readable(tx, shape, held)
    if not readable:
        return
    lines = [(one.line or b"", one.number) for one in readable]
    batch, [result] = shape.check([lines], microseconds(tx.now()))
    refused = {one.line - 1: one.errors for one in result.refused}
    checked.failures += [
        (uuid.UUID(readable[at].id), guarded(shape.classified, errors)) for at, errors in refused.items()
    ]
    checked.released += [one for at, one in enumerate(readable) if at not in refused] if refused else readable
    checked.batches.append(batch)


def _by_shape(contract: Contract, held: Sequence[Held]) -> list[tuple[Shape, list[Held]]]:
    """The records by how they were written, in their order."""
    # Records that are read together share one mapping, and mostly all do.
    if len({id(one.mapping) for one in held}) == 1:
        return [(Shape(contract, held[0].mapping), list(held))]
    found: dict[int, tuple[Shape, list[Held]]] = {}
    for one in held:
        known = found.get(id(one.mapping))
        if known is None:
            known = found[id(one.mapping)] = Shape(contract, one.mapping), []
        known[1].append(one)
    return list(found.values())


def _readable(tx: Tx, shape: Shape, held: Sequence[Held]) -> list[Held]:
    """The records with their lines; those whose bytes are none are taken apart. What has no values is left out."""
    whole = not any(one.default == "received_at" and one.kind is Kind.TIMESTAMP for one in shape.written.fields)
    apart = [uuid.UUID(one.id) for one in held if one.line is None or not (whole or one.edited)]
    if not apart:
        return list(held)
    lines: dict[str, bytes | None] = {}
    for record in QuarantineStore(tx).records(apart):
        values, _ = current(shape, record)
        moment = microseconds(record.received_at)
        lines[str(record.id)] = None if values is None else line_of(shape.written, values, moment)
    complete = [msgspec.structs.replace(one, line=lines.get(one.id, one.line)) for one in held]
    return [one for one in complete if one.line is not None]


def _append(
    tx: Tx, act: Act, contract: Contract, batch: pa.RecordBatch, released: Sequence[Held], partitions: int
) -> None:
    """Append records to the log, receipt by receipt, and account for each by the receipt that it came with."""
    parts = Counter([one.receipt for one in released])
    place = (contract.name, tx.tenant.int % partitions)
    counted = [(uuid.UUID(receipt), rows) for receipt, rows in parts.items()]
    ReceiptStore(tx).release(contract.header, batch, place, act.id, counted)
    RollupStore(tx).add_rollup(contract.name, "release", tx.now(), released=batch.num_rows)
    tx.notify(CHANNEL, [contract.name])
