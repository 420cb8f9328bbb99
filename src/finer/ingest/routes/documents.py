"""What ingest shows: receipts and quarantined records, as they leave the system."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from finer.ingest.service import contracts
from finer.ingest.types import contracts as contract_types
from finer.ingest.types import receipts as types
from finer.ingest.types import records
from finer.kit.ids import show_id
from finer.kit.masking import DataClass, classified_by, sensitive

RAW_SHOWN_MAX = 8_192
ReceiptId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^rct_[0-9a-f]{32}$")]
QuarantinedId: TypeAlias = Annotated[str, msgspec.Meta(pattern="^qua_[0-9a-f]{32}$")]


_Value: TypeAlias = Annotated[str | None, classified_by("data_class", "tail")]


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a field, or the record as a whole (`field` is empty), breaks the contract; `reason` is a sentence.

    A value that says something about a person (`data_class`) is shown in part, and its reason does not quote it.
    """

    field: str
    rule: str
    data_class: DataClass
    value: _Value
    reason: str


class BrokenField(FieldError, frozen=True, kw_only=True):
    """A broken field of a refused record, as a receipt shows it."""

    line: int


class QuarantineCause(msgspec.Struct, frozen=True, kw_only=True):
    """How many open records a rule holds back, with the newest reason as an example."""

    contract: str
    field: str
    rule: str
    records: int
    example: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The account of one body: received = accepted + duplicate + quarantined, once its state is done.

    Every record was held to `contract_version` of the contract; null for a receipt from before versions were kept.
    `duplicate` counts records that were sent before, and among them `conflicting` those whose content differed.
    `problems` are the first broken fields.
    """

    id: ReceiptId
    contract: str
    contract_version: str | None
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
    """A record that was refused, with every broken field. `raw` is the beginning of its `raw_bytes` as text.

    A record may hold anything, so `raw` is null for whoever may not see sensitive data in clear.
    """

    id: QuarantinedId
    receipt_id: ReceiptId
    contract: str
    line: int
    state: str
    errors: list[FieldError]
    raw: Annotated[str | None, sensitive("gone")]
    raw_bytes: int
    received_at: datetime


class QuarantinePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of quarantined records; `next` is what `before` takes for the page behind it, null on the last."""

    items: list[QuarantinedRecord]
    next: str | None


class QuarantineCauses(msgspec.Struct, frozen=True, kw_only=True):
    """Why records are in quarantine, most frequent first."""

    items: list[QuarantineCause]


def show_receipt(receipt: types.Receipt, known: contract_types.FirmContracts) -> Receipt:
    """A receipt as the API shows it."""
    return Receipt(
        id=show_id("rct", receipt.id),
        contract=receipt.contract,
        contract_version=receipt.contract_version,
        received=receipt.received,
        accepted=receipt.accepted,
        duplicate=receipt.duplicate,
        conflicting=receipt.conflicting,
        quarantined=receipt.quarantined,
        state=receipt.state,
        received_at=receipt.received_at,
        source=receipt.source,
        unknown_fields=receipt.unknown_fields,
        problems=[BrokenField(line=one.line, **_broken(known, receipt.contract, one)) for one in receipt.problems],
    )


def show_quarantined(record: types.QuarantinedRecord, known: contract_types.FirmContracts) -> QuarantinedRecord:
    """A quarantined record as the API shows it."""
    return QuarantinedRecord(
        id=show_id("qua", record.id),
        receipt_id=show_id("rct", record.receipt_id),
        contract=record.contract,
        line=record.line,
        state=record.state,
        errors=[FieldError(**_broken(known, record.contract, one)) for one in record.errors],
        raw=record.raw[:RAW_SHOWN_MAX].decode("utf-8", "replace"),
        raw_bytes=record.raw_bytes,
        received_at=record.received_at,
    )


def show_cause(cause: types.QuarantineCause, known: contract_types.FirmContracts) -> QuarantineCause:
    """A cause of quarantine as the API shows it."""
    _, example = contracts.guarded_reason(known, cause.contract, cause.field, cause.rule, cause.example)
    return QuarantineCause(
        contract=cause.contract, field=cause.field, rule=cause.rule, records=cause.records, example=example
    )


def _broken(
    known: contract_types.FirmContracts, contract: str, one: records.FieldError | types.BrokenField
) -> dict[str, Any]:
    data_class, reason = contracts.guarded_reason(known, contract, one.field, one.rule, one.reason)
    return {"field": one.field, "rule": one.rule, "data_class": data_class, "value": one.value, "reason": reason}
