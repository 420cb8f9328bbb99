"""What ingest shows: receipts and quarantined records, as they leave the system."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

from finer.ingest import types
from finer.ingest.types import BrokenField, FieldError, QuarantineCause
from finer.kit.ids import show_id

RAW_SHOWN_MAX = 8_192
ReceiptId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^rct_[0-9a-f]{32}$")]
QuarantinedId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^qua_[0-9a-f]{32}$")]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The account of one body: received = accepted + duplicate + quarantined, once its state is done.

    `duplicate` counts records that were sent before, and among them `conflicting` those whose content differed.
    `problems` are the first broken fields.
    """

    id: ReceiptId
    contract: str
    received: int
    accepted: int
    duplicate: int
    conflicting: int
    quarantined: int
    state: Literal["processing", "done"]
    received_at: datetime
    source: str
    unknown_fields: list[str]
    problems: list[BrokenField]


class ReceiptPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of receipts; `next` is what `before` takes for the page behind it, null on the last."""

    items: list[Receipt]
    next: str | None


class QuarantinedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was refused, with every broken field. `raw` is the beginning of its `raw_bytes` as text."""

    id: QuarantinedId
    receipt_id: ReceiptId
    contract: str
    line: int
    state: str
    errors: list[FieldError]
    raw: str
    raw_bytes: int
    received_at: datetime


class QuarantinePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of quarantined records; `next` is what `before` takes for the page behind it, null on the last."""

    items: list[QuarantinedRecord]
    next: str | None


class QuarantineCauses(msgspec.Struct, frozen=True, kw_only=True):
    """Why records are in quarantine, most frequent first."""

    items: list[QuarantineCause]


def show_receipt(receipt: types.Receipt) -> Receipt:
    """A receipt as the API shows it."""
    return Receipt(
        id=show_id("rct", receipt.id),
        contract=receipt.contract,
        received=receipt.received,
        accepted=receipt.accepted,
        duplicate=receipt.duplicate,
        conflicting=receipt.conflicting,
        quarantined=receipt.quarantined,
        state=receipt.state,
        received_at=receipt.received_at,
        source=receipt.source,
        unknown_fields=receipt.unknown_fields,
        problems=receipt.problems,
    )


def show_quarantined(record: types.QuarantinedRecord) -> QuarantinedRecord:
    """A quarantined record as the API shows it."""
    return QuarantinedRecord(
        id=show_id("qua", record.id),
        receipt_id=show_id("rct", record.receipt_id),
        contract=record.contract,
        line=record.line,
        state=record.state,
        errors=record.errors,
        raw=record.raw[:RAW_SHOWN_MAX].decode("utf-8", "replace"),
        raw_bytes=record.raw_bytes,
        received_at=record.received_at,
    )
