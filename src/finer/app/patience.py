"""How long the API waits for the rest of a body: a sender that pauses in the middle holds a connection and a place."""

from __future__ import annotations

import asyncio

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, ReceiveMessage, Scope, Send

from finer.kit.errors import RequestTimeout


class Patience(ASGIMiddleware):
    """Raises RequestTimeout when the next part of a body does not come within `wait_s` seconds."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Hand the parts on as they come; after the last one (streams wait for the end of the connection) wait on."""
        await next_app(scope, patiently(receive, self._wait_s), send)


def patiently(receive: Receive, wait_s: float) -> Receive:
    """`receive`, but RequestTimeout when the next part of the body does not come in time."""
    more = True

    async def patient() -> ReceiveMessage:
        nonlocal more
        if not more:
            return await receive()
        try:
            async with asyncio.timeout(wait_s):
                message = await receive()
        except TimeoutError as error:
            raise RequestTimeout(
                f"The rest of the body did not come within {wait_s:g} s. Nothing was taken; send it again."
            ) from error
        more = bool(message["type"] == "http.request" and message.get("more_body"))
        return message

    return patient
