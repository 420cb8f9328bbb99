"""What ingest shows: receipts, as they leave the system."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from finer.ingest.service import contracts
from finer.ingest.types import receipts as types
from finer.ingest.types import records
from finer.ingest.types.contracts import Contract, FirmContracts
from finer.kit.ids import show_id
from finer.kit.masking import DataClass, classified_by

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


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The account of one body: received = accepted + duplicate + quarantined, once its state is done.

    Every record was held to `contract_version` of the contract; null for a receipt from before versions were kept.
    `duplicate` counts records that were sent before, and among them `conflicting` those whose content differed.
    `released` of the accepted and duplicate ones came back from quarantine. `problems` are the first broken fields.
    """

    id: ReceiptId
    contract: str
    contract_version: str | None
    received: int
    accepted: int
    duplicate: int
    conflicting: int
    quarantined: int
    released: int
    state: Literal["processing", "done"]
    received_at: datetime
    source: str
    unknown_fields: list[str]
    problems: list[BrokenField]


class ReceiptPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of receipts; `next` is what `before` takes for the page behind it, null on the last."""

    items: list[Receipt]
    next: str | None


def show_receipt(receipt: types.Receipt, known: FirmContracts) -> Receipt:
    """A receipt as the API shows it."""
    contract = known.current.get(receipt.contract)
    return Receipt(
        id=show_id("rct", receipt.id),
        contract=receipt.contract,
        contract_version=receipt.contract_version,
        received=receipt.received,
        accepted=receipt.accepted,
        duplicate=receipt.duplicate,
        conflicting=receipt.conflicting,
        quarantined=receipt.quarantined,
        released=receipt.released,
        state=receipt.state,
        received_at=receipt.received_at,
        source=receipt.source,
        unknown_fields=receipt.unknown_fields,
        problems=[BrokenField(line=one.line, **broken_field(contract, one)) for one in receipt.problems],
    )


def broken_field(contract: Contract | None, one: records.FieldError | types.BrokenField) -> dict[str, Any]:
    """A broken field as the API shows it. A value that is kept sealed only is None where nothing was unsealed."""
    data_class, reason = contracts.guarded_reason(contract, one.field, one.rule, one.reason)
    return {
        "field": one.field,
        "rule": one.rule,
        "data_class": data_class,
        "value": one.value or None,
        "reason": reason,
    }
