"""What a receipt says of a body, and which rows of a group belong to it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, islice

import pyarrow as pa

from finer.ingest.rules.classes import guarded
from finer.ingest.types.contracts import Contract
from finer.ingest.types.receipts import BrokenField, NewReceipt, Receipt
from finer.ingest.types.records import BodyResult, ParsedGroup

PROBLEMS_SHOWN = 10


def rows_of(parsed: ParsedGroup, chosen: Sequence[int]) -> pa.RecordBatch:
    """The accepted rows of the chosen bodies."""
    if sum(parsed.bodies[index].accepted for index in chosen) == parsed.batch.num_rows:
        return parsed.batch
    starts = [0, *accumulate(result.accepted for result in parsed.bodies)]
    parts = [parsed.batch.slice(starts[index], parsed.bodies[index].accepted) for index in chosen]
    return pa.concat_batches(parts) if parts else parsed.batch.slice(0, 0)


def fresh_receipt(new: NewReceipt) -> Receipt:
    """The receipt of a body that has just been appended: duplicates are found later."""
    result: BodyResult = new.result
    return Receipt(
        id=new.id,
        contract=new.contract,
        contract_version=new.contract_version,
        received=result.received,
        accepted=result.accepted,
        duplicate=0,
        conflicting=0,
        quarantined=len(result.refused),
        released=0,
        state="processing" if result.accepted else "done",
        received_at=new.received_at,
        source=new.source,
        unknown_fields=result.unknown_fields,
        problems=new.problems,
    )


def problems_of(contract: Contract, result: BodyResult) -> list[BrokenField]:
    """The first broken fields of a body, with their lines, and without values that say something of a person."""
    found = (
        BrokenField(record.line, error.field, error.rule, error.value, error.reason)
        for record in result.refused[:PROBLEMS_SHOWN]
        for error in guarded(contract, record.errors)
    )
    return list(islice(found, PROBLEMS_SHOWN))
