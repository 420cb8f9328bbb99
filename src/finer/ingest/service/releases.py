"""Releasing refused records: thousands at a time the whole way to the log, each accounted for by its receipt."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence

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


def release(tx: Tx, act: Act, until: uuid.UUID, partitions: int) -> int:
    """Send the next records of an act the whole way with the contract in force; returns how many were looked at.

    Those that break the contract stay, with what they break.
    """
    contract = chosen_contract(tx, act.selection)
    store = ReleaseStore(tx)
    held = store.held(act.selection, act.cursor, until)
    failures: list[tuple[uuid.UUID, list[FieldError]]] = []
    released: list[Held] = []
    batches: list[pa.RecordBatch] = []
    for shape, records in _by_shape(contract, held):
        readable = _readable(tx, shape, records)
        if not readable:
            continue
        lines = [(one.line or b"", one.number) for one in readable]
        batch, [result] = shape.check([lines], microseconds(tx.now()))
        refused = {one.line - 1: one.errors for one in result.refused}
        failures += [(uuid.UUID(readable[at].id), guarded(shape.classified, errors)) for at, errors in refused.items()]
        released += [one for at, one in enumerate(readable) if at not in refused] if refused else readable
        batches.append(batch)
    if released:
        _append(tx, act, contract, pa.concat_batches(batches), released, partitions)
        store.release(act.id, tx.now(), [one.id for one in released])
    if failures:
        QuarantineStore(tx).note_remaining(failures)
    for _, errors in failures:
        count_failure(act.failed, errors)
    unreadable = len(held) - len(released) - len(failures)
    if unreadable:
        act.failed[UNREADABLE] = act.failed.get(UNREADABLE, 0) + unreadable
    act.changed += len(released)
    return len(held)


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
