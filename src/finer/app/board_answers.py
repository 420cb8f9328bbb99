"""How a dashboard's snapshot is answered: the same bytes for everybody with the same scope, polled or streamed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, Response
from litestar.response import Stream

from finer.app.boards import Scope, Snapshot
from finer.app.live_response import LiveStream
from finer.identity.routes.edge import credential_of
from finer.identity.types.access import Principal

_STREAM = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
# Who asks again sends the tag that they hold; a browser keeps none of a firm's figures on its disk.
_NOT_KEPT = {"Cache-Control": "no-store", "Vary": "Accept-Encoding, Authorization, Cookie"}


def answered(snapshot: Snapshot, if_none_match: str, accept_encoding: str) -> tuple[int, bytes, dict[str, str]]:
    """(status, body, headers) of a poll: the whole, compressed once for all; 304 and nothing for who has it."""
    headers = {**_NOT_KEPT, "ETag": snapshot.etag}
    if snapshot.etag in if_none_match:
        return 304, b"", headers
    if "gzip" in accept_encoding:
        return 200, snapshot.packed, {**headers, "Content-Encoding": "gzip"}
    return 200, snapshot.body, headers


async def polled(services: Any, request: Request[Principal, Any, Any], scope: Scope) -> Response[Any]:
    """The snapshot of a scope, for who does not have it."""
    found = await services.boards.snapshot(scope, request.user.id)
    asked = request.headers
    status, body, headers = answered(found, asked.get("if-none-match", ""), asked.get("accept-encoding", ""))
    return Response(body, status_code=status, media_type="application/json" if body else None, headers=headers)


def streamed(
    services: Any, request: Request[Principal, Any, Any], scope: Scope, alive: Callable[[], Awaitable[bool]]
) -> Stream:
    """The stream of a scope, for as long as `alive` says that its viewer may see it."""
    last = request.headers.get("last-event-id", "")[:64]
    return LiveStream(services.boards.stream(scope, last, alive, request.user.id), _STREAM)


async def still_there(services: Any, request: Request[Principal, Any, Any]) -> Principal | None:
    """Who asks, as they are now, if they still may do what they asked for; what was remembered of them does not count.

    Asking does not keep the session alive: an open page that nobody works with is signed out like a closed one.
    """
    credential, _ = credential_of(request)
    services.authenticator.forget(credential)
    found: Principal | None = await asyncio.to_thread(services.authenticator.look_up, credential, touch=False)
    if found is None or request.route_handler.opt["permission"] not in found.permissions:
        return None
    return found
