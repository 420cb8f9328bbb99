"""The public face of ingest: contracts, parsing, files, receipts, quarantine."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingType
from datetime import datetime, timedelta
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from finer.ingest.errors import MappingInvalid, UnknownContract, UnreadableBody
from finer.ingest.rules import bodies as body_rules
from finer.ingest.rules.check import fingerprint
from finer.ingest.rules.classes import class_of, reason_without_value
from finer.ingest.rules.columns import Array
from finer.ingest.rules.contract import compile_contract
from finer.ingest.rules.describe import json_schema
from finer.ingest.rules.files import Unpacked, file_steps, format_of_file
from finer.ingest.rules.mapping import compile_mapping, source_contract
from finer.ingest.rules.plan import plan_of
from finer.ingest.rules.rates import RECENT, activity_of, histogram
from finer.ingest.rules.receipts import fresh_receipt, rows_of
from finer.ingest.rules.record import show
from finer.ingest.rules.warm import warm_up
from finer.ingest.store import IngestStore
from finer.ingest.types import (
    AWAITED,
    Activity,
    Body,
    BodyResult,
    Contract,
    FileGroup,
    Mapping,
    NewReceipt,
    Offsets,
    Page,
    ParsedBody,
    ParsedGroup,
    QuarantineCause,
    QuarantinedRecord,
    Receipt,
    ReceiptFilter,
)
from finer.kit.clock import Clock, SystemClock
from finer.kit.columns import Columns
from finer.kit.errors import Conflict, FinerError, NotFound
from finer.kit.hashing import combine_hashes, hash_text
from finer.kit.ids import new_id, show_id
from finer.kit.log import CHANNEL, PostgresLog
from finer.kit.masking import DataClass
from finer.kit.moments import EPOCH, from_microseconds, microseconds
from finer.kit.settings import Settings
from finer.kit.tx import Tx

UNPACKED_BYTES_MAX = 128 * 2**20
RECORDS_MAX = body_rules.RECORDS_MAX
READER = "pipeline"
"""The consumer of the event log whose progress says that a receipt is done."""


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


def format_of(content_type: str) -> str:
    """The format that a content type names. Raises UnsupportedFormat, listing what is read."""
    return body_rules.format_of(content_type)


def content_types() -> MappingType[str, str]:
    """Every content type that is read, and its format."""
    return body_rules.FORMATS


def json_schemas() -> dict[str, dict[str, Any]]:
    """Every contract as JSON Schema, for documents that describe the API."""
    return {name: json_schema(known) for name, known in contracts().items()}


def warm() -> None:
    """Compile or load every kernel by parsing a small body of each format and contract, so that no request waits."""
    warm_up(contracts().values())


def parse_group(
    contract: Contract,
    bodies: Sequence[Body],
    received_at: datetime,
    *,
    unpacked_bytes_max: int = UNPACKED_BYTES_MAX,
    records_max: int = RECORDS_MAX,
) -> ParsedGroup:
    """Parse several bodies of one contract as one group: one batch, and per body its counts, refusals or error."""
    batch, results = body_rules.parse_group(
        contract,
        bodies,
        microseconds(received_at),
        unpacked_bytes_max=unpacked_bytes_max,
        records_max=records_max,
    )
    return ParsedGroup(batch, results, list(bodies), received_at)


def parse_bodies(contract_name: str, bodies: Sequence[Body], settings: Settings) -> ParsedGroup:
    """`parse_group` for bodies that arrive now, with the limits of the settings."""
    now = SystemClock().now()
    return parse_group(contract(contract_name), bodies, now, unpacked_bytes_max=settings.unpacked_bytes_max)


def parse_body(
    contract: Contract,
    body: Body,
    received_at: datetime,
    *,
    unpacked_bytes_max: int = UNPACKED_BYTES_MAX,
    records_max: int = RECORDS_MAX,
) -> ParsedBody:
    """Parse one body. Raises UnreadableBody, TooLarge or UnsupportedMediaType when it cannot be read as a whole."""
    group = parse_group(contract, [body], received_at, unpacked_bytes_max=unpacked_bytes_max, records_max=records_max)
    result = group.bodies[0]
    if result.error is not None:
        raise result.error
    return ParsedBody(group.batch, result.refused, result.received, result.unknown_fields)


def load_mapping(path: Path, contract_name: str) -> Mapping:
    """The mapping in a YAML file, for a contract. Raises MappingInvalid with the place of the mistake."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MappingInvalid(f"The mapping {path} cannot be read: {error}") from error
    return compile_mapping(text, path.name, contract(contract_name))


def read_file(
    path: Path, contract_name: str, mapping: Mapping | None = None, *, clock: Clock | None = None
) -> Iterator[FileGroup]:
    """The records of a file of any size, group by group, in bounded memory. Its name tells format and packing.

    Each group can be given to `append`. What the names and the mapping tell is checked at once. Iterating raises
    UnreadableBody where the file cannot be read on; the groups before stand, and reading the file again only makes
    duplicates of them.
    """
    kind, packing = format_of_file(path.name)
    target = contract(contract_name)
    source_plan = None
    if packing and kind in ("parquet", "arrow"):
        raise UnreadableBody(f"{path.name}: Parquet and Arrow files are packed inside; unpack the file first.")
    if mapping is not None and kind in ("ndjson", "json", "csv"):
        if not mapping.types:
            raise MappingInvalid(f"The mapping of a {kind} file needs `types`: the source's columns and their types.")
        source_plan = plan_of(source_contract(mapping, target))

    def groups() -> Iterator[FileGroup]:
        sources = [Body(data=b"", format=kind, source=f"file {show(path.name)}")]
        now, rows, total = clock or SystemClock(), 0, path.stat().st_size
        with path.open("rb") as handle:
            readable = Unpacked(handle, packing) if packing else handle
            steps = file_steps(plan_of(target), source_plan, mapping, readable, kind, lambda: microseconds(now.now()))
            for batch, refused, received, unknown, at_us in steps:
                rows += received
                parsed = ParsedGroup(
                    batch, [BodyResult(received, batch.num_rows, refused, unknown)], sources, from_microseconds(at_us)
                )
                yield FileGroup(parsed, min(handle.tell(), total), total, rows)

    return groups()


def append(
    tx: Tx,
    contract_name: str,
    parsed: ParsedGroup,
    partitions: int,
    answered: MappingType[int, Receipt | FinerError] | None = None,
) -> list[Receipt | FinerError]:
    """Write the accepted records to the event log and account for every body, in the caller's transaction.

    Returns, per body, its receipt, or the error that made it unreadable. A body whose idempotency key was seen before
    brings its first receipt back and adds nothing; with other content it is a Conflict. `answered` is what `replays`
    found in a transaction before; a transaction that only writes needs it when there are keys.
    """
    known = contract(contract_name)
    store = IngestStore(tx)
    answers: list[Receipt | FinerError | None] = [result.error for result in parsed.bodies]
    hashes = _hashes(parsed)
    for index, answer in (replays(tx, parsed) if answered is None else answered).items():
        answers[index] = answer
    chosen = [index for index, answer in enumerate(answers) if answer is None]
    batch = rows_of(parsed, chosen)
    # A tenant's records keep to one partition: features of several of its entities see them in one order.
    partition = tx.tenant.int % partitions
    header = f"{known.header}+awaited" if AWAITED.name in batch.schema.names else known.header
    skipped = 0
    new: list[NewReceipt] = []
    for index in chosen:
        result, body = parsed.bodies[index], parsed.sources[index]
        new.append(
            NewReceipt(
                id=new_id(),
                contract=known.name,
                source=body.source,
                result=result,
                received_at=parsed.received_at,
                stream=known.name,
                partition=partition,
                skipped=skipped if result.accepted else None,
                idempotency_key=body.idempotency_key,
                body_hash=hashes.get(index),
            )
        )
        skipped += result.accepted
    if new:
        store.append(header, batch, new)
        _account(store, known.name, new, parsed.received_at)
        if batch.num_rows:
            tx.notify(CHANNEL, [known.name])
    for index, one in zip(chosen, new, strict=True):
        answers[index] = fresh_receipt(one)
    return [answer for answer in answers if answer is not None]


def _hashes(parsed: ParsedGroup) -> dict[int, bytes]:
    """The hashes of the readable bodies that bring an idempotency key."""
    return {
        index: hashlib.sha256(body.data).digest()
        for index, body in enumerate(parsed.sources)
        if body.idempotency_key is not None and parsed.bodies[index].error is None
    }


def replays(tx: Tx, parsed: ParsedGroup) -> dict[int, Receipt | FinerError]:
    """The answers to bodies whose idempotency key was used before, by their place in the group."""
    hashes = _hashes(parsed)
    if not hashes:
        return {}
    store = IngestStore(tx)
    answers: dict[int, Receipt | FinerError] = {}
    seen = store.by_keys([str(parsed.sources[index].idempotency_key) for index in hashes])
    taken: set[str] = set()
    for index, body_hash in hashes.items():
        key = str(parsed.sources[index].idempotency_key)
        if key in seen:
            identifier, first_hash = seen[key]
            same = store.receipt(identifier, {}) if first_hash == body_hash else None
            answers[index] = key_reused(key) if same is None else same
        elif key in taken:
            answers[index] = key_reused(key)
        taken.add(key)
    return answers


def key_reused(key: str) -> Conflict:
    """The answer to a body whose idempotency key belongs to another one."""
    return Conflict(
        f"The idempotency key {key[:80]!r} was used for another body, or is in use right now. "
        "Send a new body with a new key."
    )


def _account(store: IngestStore, name: str, new: Sequence[NewReceipt], at: datetime) -> None:
    store.add_quarantined(new)
    received = sum(one.result.received for one in new)
    quarantined = sum(len(one.result.refused) for one in new)
    store.add_rollup(name, "api", at, received=received, quarantined=quarantined)


def identify(columns: Columns, stream: str, seed: int) -> tuple[Array, Array]:
    """What deduplication compares: the id of every record as uint64, and 32 bits of its content, shape (rows,) each.

    Ids of other tenants (`seed`) and other streams never meet.
    """
    apart = (hash_text(stream) ^ int(seed)) & 0xFFFFFFFFFFFFFFFF
    ids = combine_hashes(columns.hashes("event_id"), np.full(columns.rows, apart, np.uint64))
    return ids, fingerprint(plan_of(contract(stream)), columns)


def record_outcomes(
    tx: Tx, position: tuple[str, int], base_offset: int, *, duplicates: Array, conflicts: Array, columns: Columns
) -> None:
    """Remember which of the records from `base_offset` on were seen before, with the same or with other content."""
    stream, partition = position
    IngestStore(tx).add_outcome(
        stream, partition, base_offset, base_offset + columns.rows, duplicates.tolist(), conflicts.tolist()
    )


def record_processed(tx: Tx, stream: str, received_us: Array, status: Array) -> None:
    """Count what a worker has just finished: records, those seen before, and the time since they arrived."""
    now = tx.now()
    again = int(np.count_nonzero(status))
    waited_ms = (microseconds(now) - received_us) / 1000.0
    IngestStore(tx).add_rollup(
        stream, "worker", now, accepted=len(status) - again, duplicates=again, latency=histogram(waited_ms)
    )


def activity(tx: Tx) -> Activity:
    """Counts by contract of the last 24 hours, and throughput and latency of the last five minutes."""
    now = tx.now()
    store = IngestStore(tx)
    return activity_of(now, contracts(), store.buckets(now - RECENT), store.counts(now - timedelta(hours=24)))


def consumed_offsets(tx: Tx) -> Offsets:
    """How far the pipeline has come in every stream: behind that, receipts are done."""
    return {position: consumed for position, (_, consumed) in PostgresLog.progress(tx.connection, READER).items()}


def get_receipt(tx: Tx, identifier: uuid.UUID) -> Receipt:
    """One receipt, with the duplicates that the worker has found so far. Raises NotFound."""
    found = IngestStore(tx).receipt(identifier, consumed_offsets(tx))
    if found is None:
        raise NotFound(f"There is no receipt {show_id('rct', identifier)}. GET /api/v1/receipts lists them.")
    return found


def list_receipts(tx: Tx, wanted: ReceiptFilter | None = None, *, limit: int = 50) -> Page[Receipt]:
    """Receipts, newest first; the cursor is the last id of the page."""
    items = IngestStore(tx).receipts(wanted or ReceiptFilter(), limit + 1, consumed_offsets(tx))
    return Page(items[:limit], show_id("rct", items[limit - 1].id) if len(items) > limit else None)


def list_quarantined(
    tx: Tx,
    *,
    contract: str | None = None,
    rule: str | None = None,
    receipt: uuid.UUID | None = None,
    before: uuid.UUID | None = None,
    limit: int = 50,
) -> Page[QuarantinedRecord]:
    """Open quarantined records, newest first, of one contract, broken rule or receipt if given."""
    items = IngestStore(tx).quarantined(contract, rule, receipt, before, limit + 1)
    return Page(items[:limit], show_id("qua", items[limit - 1].id) if len(items) > limit else None)


def quarantine_causes(tx: Tx) -> list[QuarantineCause]:
    """Open quarantined records by contract, field and rule, most frequent first, each with an example."""
    return IngestStore(tx).causes()


def forget_old(tx: Tx) -> None:
    """Delete counts and receipts that are past their time; open quarantined records stay."""
    IngestStore(tx).forget(tx.now())


def accepted_by_contract(tx: Tx) -> dict[str, int]:
    """Records of each contract that the pipeline has finished and that were no duplicates, since the beginning."""
    return {row[0]: row[2] for row in IngestStore(tx).counts(EPOCH) if row[2]}


def blank_refused(tx: Tx, text: str) -> int:
    """Empty the quarantined records that hold this text, such as a customer's id; their receipts still add up."""
    return IngestStore(tx).blank_refused(text)
