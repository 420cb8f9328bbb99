"""Bodies in, records out: the formats that ingest reads, alone or several bodies as one group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from finer.ingest.errors import Laborious, UnreadableBody, UnsupportedFormat
from finer.ingest.rules.arrow_blocks import arrow_body
from finer.ingest.rules.check import Block, Checked, check_block, refuse
from finer.ingest.rules.csv_blocks import csv_body
from finer.ingest.rules.escapes import without_escapes
from finer.ingest.rules.json_blocks import BOM, ArraySplitter, broken, lines_of, ndjson_blocks
from finer.ingest.rules.payloads import flat_document, flat_lines
from finer.ingest.rules.plan import Plan, plan_of
from finer.ingest.rules.table_batches import Decode, table_batches
from finer.ingest.rules.unpack import refuse_other_encodings, unpack
from finer.ingest.types.contracts import AWAITED, Contract
from finer.ingest.types.records import Body, BodyResult, RefusedRecord
from finer.kit.errors import FinerError, TooLarge

RECORDS_MAX = 250_000
UNKNOWN_SHOWN_MAX = 10
_TEXTS = frozenset({"ndjson", "json", "csv"})
FORMATS = {
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-jsonlines": "ndjson",
    "application/json": "json",
    "text/csv": "csv",
    "application/vnd.apache.parquet": "parquet",
    "application/x-parquet": "parquet",
    "application/vnd.apache.arrow.stream": "arrow",
    "application/vnd.apache.arrow.file": "arrow",
}


class _Limits(NamedTuple):
    """What one body may bring, and what takes tables apart."""

    bytes_max: int
    records_max: int
    decode: Decode
    slow_max: int | None


def format_of(content_type: str) -> str:
    """The format that a content type names. Raises UnsupportedFormat."""
    found = FORMATS.get(content_type.split(";", 1)[0].strip().lower())
    if found is None:
        raise UnsupportedFormat(content_type, FORMATS)
    return found


def parse_group(
    contract: Contract,
    bodies: Sequence[Body],
    received_us: int,
    *,
    unpacked_bytes_max: int,
    records_max: int,
    decode: Decode = table_batches,
    slow_max: int | None = None,
) -> tuple[pa.RecordBatch, list[BodyResult]]:
    """Parse bodies of one contract together: all accepted rows, body by body, and what became of each body.

    A body that cannot be read has its `error` set and takes part no further. Raises Laborious for those that bring
    more than `slow_max` records which are looked at one by one.
    """
    plan = plan_of(contract)
    results = [BodyResult(refused=[], unknown_fields=[]) for _ in bodies]
    batches: list[pa.RecordBatch] = []
    lines: list[tuple[int, bytes]] = []
    laborious: list[int] = []
    limits = _Limits(unpacked_bytes_max, records_max, decode, slow_max)
    for index, body in enumerate(bodies):
        try:
            data = unpack(body.data, body.encoding, unpacked_bytes_max)
            if not data or data.isspace():
                raise UnreadableBody("The body is empty. Send at least one record.")
            kind = body.format
            if kind in _TEXTS:
                refuse_other_encodings(data)
            kind, data = _flat(contract, kind, data, unpacked_bytes_max)
            if not data:
                continue  # An envelope without records, such as the last page of a search.
            if kind == "ndjson":
                if lines_of(data) >= records_max:
                    _count_records(data, records_max)
                lines.append((index, data))
                continue
            batches += _flush(plan, lines, results, received_us, limits)
            batches.append(_parse_one(plan, kind, data, index, results, received_us, limits))
        except FinerError as error:
            results[index] = BodyResult(refused=[], unknown_fields=[], error=error)
        except Laborious as found:
            laborious += found.bodies
    if laborious:
        raise Laborious(laborious)
    batches += _flush(plan, lines, results, received_us, limits)
    batch = join(plan, batches)
    if any(body.awaited is not None for body in bodies):
        batch = batch.append_column(AWAITED, _awaited(bodies, results))
    return batch, results


def _flat(contract: Contract, kind: str, data: bytes, bytes_max: int) -> tuple[str, bytes]:
    """The body with its payloads taken apart; as it came, when it is no JSON document or there are none to know."""
    if not contract.payloads or kind not in ("ndjson", "json"):
        return kind, data
    if kind == "ndjson":
        return kind, flat_lines(contract, data, bytes_max)
    found = flat_document(contract, data, bytes_max)
    return (kind, data) if found is None else ("ndjson", found)


def _awaited(bodies: Sequence[Body], results: Sequence[BodyResult]) -> pa.Array:
    values = [body.awaited for body, result in zip(bodies, results, strict=True) for _ in range(result.accepted)]
    return pa.array(values, AWAITED.type)


def join(plan: Plan, batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """One batch of all rows."""
    if len(batches) == 1:
        return batches[0]
    filled = [batch for batch in batches if batch.num_rows]
    return pa.concat_batches(filled) if filled else plan.empty


def _count_records(data: bytes, records_max: int) -> None:
    records = sum(1 for line in data.split(b"\n") if line.strip())
    if records > records_max:
        raise TooLarge(
            f"The body holds {records} records; at most {records_max} are taken at once. Send smaller bodies."
        )


def _flush(
    plan: Plan, lines: list[tuple[int, bytes]], results: list[BodyResult], received_us: int, limits: _Limits
) -> list[pa.RecordBatch]:
    """Parse the NDJSON bodies gathered so far as one run of bytes."""
    if not lines:
        return []
    parts = [data.removeprefix(BOM) for _, data in lines]
    parts = [part if part.endswith(b"\n") or len(parts) == 1 else part + b"\n" for part in parts]
    whole = parts[0] if len(parts) == 1 else b"".join(parts)
    ends = np.cumsum([len(part) for part in parts])
    owners = [index for index, _ in lines]
    lines.clear()
    return [
        account(checked, block, results, owners)
        for block, checked in _checked(plan, ndjson_blocks(plan, whole, ends), received_us, owners, limits)
    ]


def _checked(
    plan: Plan, blocks: Iterable[Block], received_us: int, owners: Sequence[int], limits: _Limits
) -> Iterator[tuple[Block, Checked]]:
    for block in blocks:
        try:
            yield block, check_block(plan, block, received_us, limits.slow_max)
        except Laborious as found:
            raise Laborious(owners[owner] for owner in found.bodies) from None


def account(checked: Checked, block: Block, results: list[BodyResult], owners: Sequence[int]) -> pa.RecordBatch:
    """Add what a block brought to the results of its bodies."""
    if len(owners) == 1:
        result = results[owners[0]]
        result.received += block.rows
        result.accepted += len(checked.rows)
    else:
        received = np.bincount(block.owners, minlength=len(owners))
        accepted = np.bincount(block.owners[checked.rows], minlength=len(owners))
        for index, more, kept in zip(owners, received.tolist(), accepted.tolist(), strict=True):
            results[index].received += more
            results[index].accepted += kept
    for owner, record in checked.refused:
        results[owners[owner]].refused.append(record)
    for owner, name in checked.unknown:
        known = results[owners[owner]].unknown_fields
        if name not in known and len(known) < UNKNOWN_SHOWN_MAX:
            known.append(name)
    return checked.batch


def _parse_one(
    plan: Plan, kind: str, data: bytes, index: int, results: list[BodyResult], received_us: int, limits: _Limits
) -> pa.RecordBatch:
    batches, result = [], results[index]
    blocks: Iterator[Block]
    rest: list[RefusedRecord] = []
    if kind == "json":
        blocks = json_body(plan, data, rest)
    elif kind == "csv":
        blocks = csv_body(plan, data)
    else:
        blocks = arrow_body(plan, kind, data, limits.bytes_max, limits.decode)
    for block, checked in _checked(plan, blocks, received_us, [index], limits):
        batches.append(account(checked, block, results, [index]))
        if result.received > limits.records_max:
            raise TooLarge(f"The body holds more than {limits.records_max} records. Send smaller bodies.")
    result.received += len(rest)
    result.refused += rest
    return join(plan, batches)


def json_body(plan: Plan, data: bytes, rest: list[RefusedRecord]) -> Iterator[Block]:
    """Blocks of a JSON array, or of a single object. What cannot be taken apart at its end goes to `rest`."""
    data, _ = without_escapes(data.removeprefix(BOM), np.array([len(data)]))
    position = len(data) - len(data.lstrip(b" \t\r\n"))
    if data[position : position + 1] != b"[":
        # One object alone is one record: an array of one.
        data = b"[" + data[position:] + b"]"
        position = 0
        if data[1:2] != b"{":
            raise UnreadableBody(
                "The body is neither a JSON array of records nor one record. Send [{...}, {...}] or, for one record "
                "per line, the content type application/x-ndjson."
            )
    splitter = ArraySplitter(plan)
    yield from splitter.blocks(data, position + 1)
    left = data[splitter.consumed :].strip(b" \t\r\n")
    rest.extend(array_rest(splitter, left))


def array_rest(splitter: ArraySplitter, left: bytes) -> list[RefusedRecord]:
    """The refusal of what stands behind the last complete element."""
    line = splitter.elements + 1
    if splitter.closed:
        if not left:
            return []
        return [refuse(line, left, broken("json", "The array has ended, and something follows it.", _start(left)))]
    reason = (
        f"The array, or element {line} of it, does not end: neither it nor what may follow it can be read. Look for a "
        "quote, brace or bracket that is not closed."
    )
    return [refuse(line, left, broken("json", reason, _start(left)))]


def _start(data: bytes) -> str:
    return data[:80].decode("utf-8", "replace")
