"""How long the API waits for the rest of a body, and what becomes of a connection on which a part of one is left.

A sender that pauses in the middle of a body holds a connection and a place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, ReceiveMessage, Scope, Send

from finer.kit.errors import RequestTimeout

_WHOLE = "whole_body"
"""Where the state of a request says that its body was read to the end."""
_SMALL = 4096
"""Bytes of a body that came with its headers, and that the server reads over by itself."""


class Patience(ASGIMiddleware):
    """Raises RequestTimeout when the next part of a body does not come within `wait_s` seconds."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Hand the parts on as they come; after the last one (streams wait for the end of the connection) wait on."""
        await next_app(scope, patiently(scope, receive, self._wait_s), send)


def patiently(scope: Scope, receive: Receive, wait_s: float) -> Receive:
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
        if not more:
            scope.setdefault("state", {})[_WHOLE] = True
        return message

    return patient


def last_answers(draining: Callable[[], bool]) -> Callable[[Message, Scope], Awaitable[None]]:
    """What has clients take another connection for their next request, where this one is about to be closed.

    That is so once the process is about to stop, and where the server answers without having read the whole body: a
    client that is not told sends its next request on a connection that is being closed, and cannot know its fate.
    """

    async def close(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start" or scope.get("http_version") != "1.1":
            return
        if draining() or _is_left(scope):
            message["headers"] = [*message["headers"], (b"connection", b"close")]

    return close


def _is_left(scope: Scope) -> bool:
    """Whether a part of the body may still be on its way."""
    if scope.get("method") == "GET" or scope.get("state", {}).get(_WHOLE):
        return False
    said = {name: value for name, value in scope["headers"] if name in (b"content-length", b"transfer-encoding")}
    length = said.get(b"content-length", b"0")
    return b"transfer-encoding" in said or not length.isdigit() or int(length) > _SMALL
