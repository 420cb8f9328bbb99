"""HTTP of webhooks that come in. Parse, call, answer."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from litestar import Controller, Request, post
from litestar.exceptions.http_exceptions import RequestEntityTooLarge

from finer.kit.errors import TooLarge

_BODY_MAX = 512 << 10
_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"type": "object", "description": "An event of Stripe, as it was signed."}}
    },
}
_SIGNATURE = {
    "name": "Stripe-Signature",
    "in": "header",
    "description": "Time and signatures of the body by the signing secret of the endpoint.",
    "required": True,
    "schema": {"type": "string", "maxLength": 2000},
}
_NOTICE = {
    "required": True,
    "content": {
        "application/json": {"schema": {"type": "object", "description": "A notice of Plaid, as it was signed."}}
    },
}
_VERIFICATION = {
    "name": "Plaid-Verification",
    "in": "header",
    "description": "A token by ES256 over the time and the hash of the body.",
    "required": True,
    "schema": {"type": "string", "maxLength": 4000},
}


class HookAnswer(msgspec.Struct, frozen=True):
    """What became of an event: taken, known from before, or without a movement of money."""

    outcome: Literal["taken", "known", "nothing"]


class NoticeAnswer(msgspec.Struct, frozen=True):
    """What became of a notice: its source reads at once, or it tells of nothing to be read."""

    outcome: Literal["woken", "nothing"]


class WebhookController(Controller):
    """Events that others send. The address is secret, and what is sent must be signed."""

    path = "/api/v1/webhooks"
    tags = ["Sources"]

    @post(
        "/stripe/{hook:str}",
        opt={
            "permission": "public",
            "secret_path": True,
            "recorded": "receipts",
            "repeat": "Every event has an id of its own, and is taken once.",
            "describe": {"requestBody": _BODY, "parameters": [_SIGNATURE]},
        },
        status_code=200,
        summary="An event of Stripe",
    )
    async def stripe(self, request: Request[Any, Any, Any], hook: str, source_desk: Any) -> HookAnswer:
        """Take an event of Stripe that is signed by one of the secrets of the source, not long ago.

        An event that was taken before is answered alike and not taken again. Stripe sends again what is refused.
        """
        body = await _read(request)
        signature = request.headers.get("stripe-signature", "")[:2000]
        return HookAnswer(await source_desk.receive_stripe(hook, signature, body))

    @post(
        "/plaid/{hook:str}",
        opt={
            "permission": "public",
            "secret_path": True,
            "recorded": "the history of the source",
            "repeat": "A notice only wakes its source, which reads on from its cursor.",
            "describe": {"requestBody": _NOTICE, "parameters": [_VERIFICATION]},
        },
        status_code=200,
        summary="A notice of Plaid",
    )
    async def plaid(self, request: Request[Any, Any, Any], hook: str, source_desk: Any) -> NoticeAnswer:
        """Take a notice that is signed by a key of Plaid, not long ago; the source then reads at once.

        Nothing of the notice itself is taken: what is new is read from Plaid.
        """
        body = await _read(request)
        signature = request.headers.get("plaid-verification", "")[:4001]
        return NoticeAnswer(await source_desk.receive_plaid(hook, signature, body))


async def _read(request: Request[Any, Any, Any]) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > _BODY_MAX:
                raise TooLarge(f"An event has {_BODY_MAX} bytes at most.")
            parts.append(part)
    except RequestEntityTooLarge as error:
        raise TooLarge(f"An event has {_BODY_MAX} bytes at most.") from error
    return b"".join(parts)
