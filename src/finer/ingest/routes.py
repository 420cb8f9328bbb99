"""HTTP of ingest: records in, receipts and quarantined records out. Parse, call, answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import Parameter

from finer.ingest import service
from finer.ingest.types import Body, QuarantinedRecord, Receipt
from finer.kit.errors import InvalidInput, TooLarge
from finer.kit.ids import read_id, show_id
from finer.kit.tx import Tx

_IDEMPOTENCY_KEY_MAX = 255
RAW_SHOWN_MAX = 8_192
_Limit = Annotated[int, Parameter(ge=1, le=500)]


class EventController(Controller):
    """Records in."""

    path = "/api/v1/events"
    tags = ["Ingest"]

    @post("/{contract:str}", opt={"permission": "events:write"}, status_code=202, summary="Send records")
    async def send(
        self,
        request: Request[Any, Any, Any],
        contract: str,
        submit: Callable[..., Awaitable[Receipt]],
        body_bytes_max: int,
    ) -> Response[dict[str, Any]]:
        """Take records as NDJSON, a JSON array, CSV, Parquet or Arrow IPC, also gzip or zstd; answers a receipt.

        Every accepted record is durable when the receipt comes. A record that breaks the contract is kept in
        quarantine with its reasons and does not hold back the others.
        """
        service.contract(contract)
        content_type = request.headers.get("content-type", "")
        kind = service.format_of(content_type)
        _check_length(request.headers.get("content-length"), body_bytes_max)
        data = await _read(request, body_bytes_max)
        key = request.headers.get("idempotency-key")
        if key is not None and not 0 < len(key) <= _IDEMPOTENCY_KEY_MAX:
            raise InvalidInput(f"An Idempotency-Key has 1 to {_IDEMPOTENCY_KEY_MAX} characters.")
        body = Body(
            data=data,
            format=kind,
            encoding=request.headers.get("content-encoding", ""),
            source="http",
            idempotency_key=key,
        )
        principal = request.user
        receipt = await submit(principal.tenant_id, principal.actor(), contract, body)
        return Response(show_receipt(receipt), status_code=202)


def _check_length(length: str | None, limit: int) -> None:
    if length is not None and length.isdigit() and int(length) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit} bytes. Send it in parts, or packed with gzip or zstd.")


async def _read(request: Request[Any, Any, Any], limit: int) -> bytes:
    """The body, chunk by chunk, so that an endless one is refused while it comes."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class ReceiptController(Controller):
    """What became of the records that were sent."""

    path = "/api/v1/receipts"
    tags = ["Ingest"]

    @get("/", opt={"permission": "receipts:read"}, sync_to_thread=True, summary="List receipts")
    def list(self, tx: Tx, limit: _Limit = 50, before: str | None = None) -> dict[str, Any]:
        """Receipts, newest first, page by page."""
        page = service.list_receipts(tx, before=None if before is None else read_id("rct", before), limit=limit)
        return {"items": [show_receipt(item) for item in page.items], "next": page.next}

    @get("/{receipt_id:str}", opt={"permission": "receipts:read"}, sync_to_thread=True, summary="One receipt")
    def detail(self, tx: Tx, receipt_id: str) -> dict[str, Any]:
        """A receipt: received = accepted + duplicate + quarantined once its state is done."""
        return show_receipt(service.get_receipt(tx, read_id("rct", receipt_id)))


class QuarantineController(Controller):
    """Records that break their contract."""

    path = "/api/v1/quarantine"
    tags = ["Ingest"]

    @get("/", opt={"permission": "quarantine:read"}, sync_to_thread=True, summary="List quarantined records")
    def list(
        self,
        tx: Tx,
        contract: str | None = None,
        rule: str | None = None,
        receipt: str | None = None,
        limit: _Limit = 50,
        before: str | None = None,
    ) -> dict[str, Any]:
        """Records in quarantine with every broken field, newest first, page by page."""
        page = service.list_quarantined(
            tx,
            contract=contract,
            rule=rule,
            receipt=None if receipt is None else read_id("rct", receipt),
            before=None if before is None else read_id("qua", before),
            limit=limit,
        )
        return {"items": [_show_quarantined(item) for item in page.items], "next": page.next}

    @get("/causes", opt={"permission": "quarantine:read"}, sync_to_thread=True, summary="Count quarantined records")
    def causes(self, tx: Tx) -> dict[str, Any]:
        """Records in quarantine by contract, field and broken rule, most frequent first."""
        return {"items": msgspec.to_builtins(service.quarantine_causes(tx))}


def show_receipt(receipt: Receipt) -> dict[str, Any]:
    """A receipt as the API shows it."""
    return {
        "id": show_id("rct", receipt.id),
        "contract": receipt.contract,
        "received": receipt.received,
        "accepted": receipt.accepted,
        "duplicate": receipt.duplicate,
        "conflicting": receipt.conflicting,
        "quarantined": receipt.quarantined,
        "state": receipt.state,
        "received_at": receipt.received_at,
        "source": receipt.source,
        "unknown_fields": receipt.unknown_fields,
        "problems": msgspec.to_builtins(receipt.problems),
    }


def _show_quarantined(record: QuarantinedRecord) -> dict[str, Any]:
    return {
        "id": show_id("qua", record.id),
        "receipt_id": show_id("rct", record.receipt_id),
        "contract": record.contract,
        "line": record.line,
        "state": record.state,
        "errors": msgspec.to_builtins(record.errors),
        "raw": record.raw[:RAW_SHOWN_MAX].decode("utf-8", "replace"),
        "raw_bytes": record.raw_bytes,
        "received_at": record.received_at,
    }


ROUTES = [EventController, ReceiptController, QuarantineController]
