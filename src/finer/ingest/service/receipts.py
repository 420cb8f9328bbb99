"""Making records durable, and the account of every body: what was accepted, seen before, refused."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from datetime import datetime, timedelta

from finer.ingest.rules.columns import Array
from finer.ingest.rules.receipts import fresh_receipt, problems_of, rows_of
from finer.ingest.rules.shapes import Shape
from finer.ingest.store.acts import ActStore
from finer.ingest.store.mappings import MappingStore
from finer.ingest.store.quarantine import QuarantineStore
from finer.ingest.store.receipts import ReceiptStore
from finer.ingest.store.rollups import RollupStore
from finer.ingest.types.contracts import AWAITED
from finer.ingest.types.receipts import READER, NewReceipt, Offsets, Page, Receipt, ReceiptFilter
from finer.ingest.types.records import ParsedGroup
from finer.kit.columns import Columns
from finer.kit.crypto.bulk import Sealer
from finer.kit.errors import Conflict, FinerError, NotFound
from finer.kit.ids import new_id, show_id
from finer.kit.log import CHANNEL, PostgresLog
from finer.kit.tx import Tx


def append(
    tx: Tx,
    parsed: ParsedGroup,
    partitions: int,
    answered: MappingType[int, Receipt | FinerError] | None = None,
    seal: Sealer | None = None,
) -> list[Receipt | FinerError]:
    """Write the accepted records to the event log and account for every body, in the caller's transaction.

    Returns, per body, its receipt, or the error that made it unreadable. A body whose idempotency key was seen before
    brings its first receipt back and adds nothing; with other content it is a Conflict. `answered` is what `replays`
    found in a transaction before; a transaction that only writes needs it when there are keys, and `seal` when records
    were refused (`quarantine.sealing`).
    """
    known, shape = parsed.contract, Shape(parsed.contract, parsed.mapping)
    store = ReceiptStore(tx)
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
                contract_version=known.version,
                source=body.source,
                result=result,
                received_at=parsed.received_at,
                stream=known.name,
                partition=partition,
                skipped=skipped if result.accepted else None,
                problems=problems_of(shape.classified, result),
                idempotency_key=body.idempotency_key,
                body_hash=hashes.get(index),
            )
        )
        skipped += result.accepted
    if new:
        _keep_refused(tx, shape, new, seal)
        # Appending takes the end of the log for itself until the commit, so what may take long is written before.
        store.append(header, batch, new)
        _count(tx, known.name, new, parsed.received_at)
        if batch.num_rows and not tx.ahead:
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
    store = ReceiptStore(tx)
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


def _keep_refused(tx: Tx, shape: Shape, new: Sequence[NewReceipt], seal: Sealer | None) -> None:
    if any(one.result.refused for one in new):
        store = QuarantineStore(tx)
        store.add_quarantined(shape, new, seal or store.sealer())


def _count(tx: Tx, contract: str, new: Sequence[NewReceipt], at: datetime) -> None:
    received = sum(one.result.received for one in new)
    quarantined = sum(len(one.result.refused) for one in new)
    RollupStore(tx).add_rollup(contract, "api", at, received=received, quarantined=quarantined)


def record_outcomes(
    tx: Tx, position: tuple[str, int], base_offset: int, *, duplicates: Array, conflicts: Array, columns: Columns
) -> None:
    """Remember which of the records from `base_offset` on were seen before, with the same or with other content."""
    stream, partition = position
    ReceiptStore(tx).add_outcome(
        stream, partition, base_offset, base_offset + columns.rows, duplicates.tolist(), conflicts.tolist()
    )


def seen_before(tx: Tx, position: tuple[str, int], base: int, end: int) -> list[int]:
    """The offsets from `base` up to `end` whose records were seen before, with the same or with other content."""
    return ReceiptStore(tx).seen_before(*position, base, end)


def move(tx: Tx, position: tuple[str, int], base: int, end: int, moved_to: int) -> None:
    """Let the receipts of records from `base` up to `end` follow them to another place in the log."""
    ReceiptStore(tx).move(*position, base, end, moved_to)


def consumed_offsets(tx: Tx) -> Offsets:
    """How far the pipeline has come in every stream: behind that, receipts are done."""
    return {position: consumed for position, (_, consumed) in PostgresLog.progress(tx.connection, READER).items()}


def waiting_since(tx: Tx, consumer: str, contracts: Sequence[str], older_than: timedelta) -> datetime | None:
    """When the firm's oldest records came that a consumer of the log has not got to; None when it keeps up.

    It keeps up as long as everything has been consumed that came longer than `older_than` ago. Only the firm's own
    receipts are looked at, so that the answer says nothing of what others send.
    """
    progress = PostgresLog.progress(tx.connection, consumer)
    consumed = {position: done for position, (_, done) in progress.items()}
    return ReceiptStore(tx).waiting_since(contracts, consumed, tx.now() - older_than)


def get_receipt(tx: Tx, identifier: uuid.UUID) -> Receipt:
    """One receipt, with the duplicates that the worker has found so far. Raises NotFound."""
    found = ReceiptStore(tx).receipt(identifier, consumed_offsets(tx))
    if found is None:
        raise NotFound(f"There is no receipt {show_id('rct', identifier)}. GET /api/v1/receipts lists them.")
    return found


def list_receipts(tx: Tx, wanted: ReceiptFilter | None = None, *, limit: int = 50) -> Page[Receipt]:
    """Receipts, newest first; the cursor is the last id of the page."""
    items = ReceiptStore(tx).receipts(wanted or ReceiptFilter(), limit + 1, consumed_offsets(tx))
    return Page(items[:limit], show_id("rct", items[limit - 1].id) if len(items) > limit else None)


def forget_old(tx: Tx) -> None:
    """Delete counts and receipts that are past their time; open quarantined records stay."""
    now = tx.now()
    RollupStore(tx).forget(now)
    QuarantineStore(tx).forget(now)
    ActStore(tx).forget()
    MappingStore(tx).forget()
    ReceiptStore(tx).forget(now)
