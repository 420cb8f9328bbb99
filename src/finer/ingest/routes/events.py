"""HTTP of records coming in. Parse, call, answer."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Controller, Request, Response, post
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from finer.identity.types.access import Permission, Principal
from finer.ingest.routes.documents import Receipt, show_receipt
from finer.ingest.service import parsing
from finer.ingest.types.contracts import FirmContracts
from finer.ingest.types.receipts import Receipt as IngestReceipt
from finer.ingest.types.records import Body
from finer.kit.errors import InvalidInput, TooLarge

_IDEMPOTENCY_KEY_MAX = 255
_RECORD = {"$ref": "#/components/schemas/record"}
_LINES = {"type": "string", "description": "One JSON object per line, each a record of the contract."}
_SCHEMAS = {
    "ndjson": _LINES,
    "json": {"type": "array", "items": _RECORD},
    "csv": {"type": "string", "description": "A header line with field names, then one line per record."},
}
_BINARY = {"type": "string", "format": "binary"}
_BODY = {
    "required": True,
    "content": {kind: {"schema": _SCHEMAS.get(name, _BINARY)} for kind, name in parsing.content_types().items()},
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A text that names this body. The same body again is answered with its first receipt.",
    "schema": {"type": "string", "minLength": 1, "maxLength": _IDEMPOTENCY_KEY_MAX},
}
_PACKING = {
    "name": "Content-Encoding",
    "in": "header",
    "description": "How the body is packed.",
    "schema": {"type": "string", "enum": ["gzip", "zstd", "identity"]},
}


@dataclass(frozen=True)
class Intake:
    """Where bodies go, and how large they may be. One dependency: Litestar starts a task for each of several."""

    submit: Callable[..., Awaitable[IngestReceipt]]
    contracts_of: Callable[[uuid.UUID], Awaitable[FirmContracts]]
    body_bytes_max: int

    async def take(self, principal: Principal, contract: str, headers: Mapping[str, str], data: bytes) -> Receipt:
        """One whole body, with the headers that say how it is to be read. Raises what is wrong with either."""
        known = await self.contracts_of(principal.tenant_id)
        kind = _check_headers(known, contract, headers, self.body_bytes_max)
        body = Body(
            data=data,
            format=kind,
            encoding=headers.get("content-encoding", ""),
            source="http",
            idempotency_key=headers.get("idempotency-key"),
        )
        return show_receipt(await self.submit(principal.tenant_id, principal.actor(), contract, body), known)


class EventController(Controller):
    """Records in."""

    path = "/api/v1/events"
    tags = ["Ingest"]

    @post(
        "/{contract:str}",
        opt={
            "permission": Permission.EVENTS_WRITE,
            "recorded": "receipts",
            "fast_path": "events",
            "repeat": "Its own Idempotency-Key brings the first receipt back, and every record has an id of its own.",
            "describe": {"requestBody": _BODY, "parameters": [_KEY, _PACKING]},
        },
        status_code=202,
        summary="Send records",
    )
    async def send(self, request: Request[Any, Any, Any], contract: str, intake: Intake) -> Response[Receipt]:
        """Take records as NDJSON, a JSON array, CSV, Parquet or Arrow IPC, also gzip or zstd; answers a receipt.

        A compressed body is put together of at most 10,000 members or frames. Every accepted record is durable when
        the receipt comes. A record that breaks the contract is kept in quarantine with its reasons and does not hold
        back the others.
        """
        # What the headers say already is answered before the body has come.
        known = await intake.contracts_of(request.user.tenant_id)
        _check_headers(known, contract, request.headers, intake.body_bytes_max)
        data = await _read(request, intake.body_bytes_max)
        return Response(await intake.take(request.user, contract, request.headers, data), status_code=202)


def _check_headers(known: FirmContracts, contract: str, headers: Mapping[str, str], limit: int) -> str:
    """The format of the body. Raises UnknownContract, UnsupportedFormat, TooLarge or InvalidInput."""
    known.named(contract)
    kind = parsing.format_of(headers.get("content-type", ""))
    _check_length(headers.get("content-length"), limit)
    key = headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= _IDEMPOTENCY_KEY_MAX:
        raise InvalidInput(f"An Idempotency-Key has 1 to {_IDEMPOTENCY_KEY_MAX} characters.")
    return kind


def _check_length(length: str | None, limit: int) -> None:
    if length is not None and length.isdigit() and int(length) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than {limit} bytes. Send it in parts, or packed with gzip or zstd.")


async def _read(request: Request[Any, Any, Any], limit: int) -> bytes:
    """The body, chunk by chunk, so that an endless one is refused while it comes."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise _too_large(limit)
            parts.append(part)
    except RequestEntityTooLarge as error:
        # The framework's own limit, which is the same one; its words do not say what to do.
        raise _too_large(limit) from error
    return parts[0] if len(parts) == 1 else b"".join(parts)
