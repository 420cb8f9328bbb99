"""The short way of the two routes that machines call thousands of times a second.

The framework takes a request through five middlewares, resolved dependencies, a signature model and a response object:
a third of what an API process does when records come in small bodies. This middleware stands in front of all that and
serves a request itself where everything about it is plain: a bearer credential that was looked up within the last
second, the permission, a name that we answer to, a known length. Anything else takes the ordinary way, so that every
refusal for want of a right, and every look-up, happens in one place only.

It does what each middleware and hook of the ordinary way does for such a request. tests/app/test_fast_path.py holds
the two ways to the same answers, and fails when a middleware is added that this one does not know of.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.serialization import encode_json
from litestar.types import ASGIApp, HTTPResponseStartEvent, Receive, ReceiveMessage, Scope, Send

from finer.app.patience import patiently
from finer.identity.routes import watch
from finer.identity.routes.edge import Credentials, bearer_of, may_call
from finer.identity.routes.entrance import Entrance
from finer.identity.service import audit
from finer.identity.service.authorisation import masking_of
from finer.identity.types.access import Principal
from finer.kit.errors import FinerError
from finer.kit.ids import new_id, show_id
from finer.kit.masking import mask

OPTION = "fast_path"
"""The option by which a route names its `Endpoint`."""
_LENGTH_DIGITS = 12


@dataclass(frozen=True)
class Endpoint:
    """A route behind the fast path: its status when all is well, bodies up to which size, and what answers one."""

    status: int
    body_bytes_max: int
    answer: Callable[[Principal, Mapping[str, Any], Mapping[str, str], bytes], Awaitable[Any]]
    """Takes the caller, the parameters in the path, the headers and the body; gives the document to show."""


class FastPath(ASGIMiddleware):
    """The first middleware; it serves what it can, and passes everything else on untouched."""

    scopes = (ScopeType.HTTP,)

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        entrance: Entrance,
        credentials: Credentials,
        access: watch.AccessWatch,
        failed: Callable[[Request[Any, Any, Any], Exception], Response[Any]],
        *,
        body_wait_s: float,
    ) -> None:
        """`failed` makes the answer of a request that cannot be served, as for all other routes."""
        self._endpoints = endpoints
        self._entrance = entrance
        self._credentials = credentials
        self._access = access
        self._failed = failed
        self._body_wait_s = body_wait_s

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Serve a plain request; pass on every other."""
        options = scope["route_handler"].opt
        endpoint = self._endpoints.get(options.get(OPTION, ""))
        if endpoint is None:
            await next_app(scope, receive, send)
            return
        pairs = list(scope["headers"])
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
        client = self._entrance.client_of(scope, headers.get("x-forwarded-for", ""))
        principal = self._admitted(scope, headers, endpoint, "" if client is None else client[0])
        if principal is None or len(headers) != len(pairs):  # a header that comes twice
            await next_app(scope, receive, send)
            return
        scope["client"] = client
        request_id = show_id("req", new_id())
        try:
            body = await _read(patiently(scope, receive, self._body_wait_s))
            if body is None:
                return  # whoever asked has gone
            content = await endpoint.answer(principal, scope["path_params"], headers, body)
            data = encode_json(mask(content, masking_of(principal.actor())))
        except Exception as error:  # noqa: BLE001 - as for all routes, the caller is told whatever it was
            await self._refuse(scope, receive, send, principal, request_id, error)
            return
        start: HTTPResponseStartEvent = {
            "type": "http.response.start",
            "status": endpoint.status,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(data)).encode()),
                (b"x-request-id", request_id.encode()),
            ],
        }
        await send(start)
        await send({"type": "http.response.body", "body": data, "more_body": False})

    def _admitted(self, scope: Scope, headers: Mapping[str, str], endpoint: Endpoint, address: str) -> Principal | None:
        """Who asks, when nothing about the request needs the ordinary way."""
        length = headers.get("content-length", "")
        if (
            not (length.isascii() and length.isdigit() and len(length) < _LENGTH_DIGITS)
            or int(length) > endpoint.body_bytes_max
            or not self._entrance.knows(headers.get("host", ""))
        ):
            return None
        credential = bearer_of(headers.get("authorization", ""))
        principal = self._credentials.remembered(credential)[1] if credential else None
        if principal is None:
            return None
        audit.ORIGIN.set(address)
        handler = scope["route_handler"]
        try:
            may_call(principal, handler, str(handler.opt["permission"]))
        except FinerError:
            return None  # the ordinary way refuses it, and notes that
        return principal

    async def _refuse(
        self, scope: Scope, receive: Receive, send: Send, principal: Principal, request_id: str, error: Exception
    ) -> None:
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        audit.ORIGIN.set(connection.client.host if connection.client is not None else "")
        notes = watch.begin_notes(connection, principal, request_id)
        request: Request[Any, Any, Any] = Request(scope)
        response = self._failed(request, error)
        response.headers["x-request-id"] = request_id
        await self._access.look(connection, principal, response.status_code or 500, notes)
        await response.to_asgi_response(None, request)(scope, receive, send)


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None when the connection ended first. Its length was announced, so it has an end."""
    parts: list[bytes] = []
    while True:
        message: ReceiveMessage = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message["body"])
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)
