"""How a dashboard's snapshot is answered: the same bytes for everybody with the same scope, polled or streamed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, Response
from litestar.response import Stream

from finer.app.boards import Scope
from finer.identity.routes.edge import credential_of
from finer.identity.types.access import Principal

_STREAM = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_CACHED = {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Authorization, Cookie"}


async def polled(services: Any, request: Request[Principal, Any, Any], scope: Scope) -> Response[Any]:
    """The whole snapshot, compressed once for all; 304 for who has it."""
    found = await services.boards.snapshot(scope)
    headers = {**_CACHED, "ETag": found.etag}
    if found.etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, media_type="application/json", headers={**headers, "Content-Encoding": "gzip"})
    return Response(found.body, media_type="application/json", headers=headers)


def streamed(
    services: Any, request: Request[Principal, Any, Any], scope: Scope, alive: Callable[[], Awaitable[bool]]
) -> Stream:
    """The stream of a scope, for as long as `alive` says that its viewer may see it."""
    last = request.headers.get("last-event-id", "")[:64]
    return Stream(services.boards.stream(scope, last, alive), media_type="text/event-stream", headers=_STREAM)


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
