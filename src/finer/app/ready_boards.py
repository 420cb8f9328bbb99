"""The short way of a poll whose answer lies ready: dashboards that a thousand pages ask for at the same time.

The bytes of a dashboard are made once a tick, and then handed out. Resolving dependencies, a signature model and a
response object around them would be nearly all of the work. This middleware stands in front of that and answers where
nothing about a poll is new: a credential that was looked up within the last second, the permission, a name that we
answer to, an address that somebody with the same rights was answered at, and a snapshot that is fresh. Anything else
takes the ordinary way, so that every refusal, every look-up and every new snapshot happens in one place only.

It does what each middleware and hook of the ordinary way does for such a request; tests/security/test_fast_path.py
holds the two ways to the same answers.
"""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPResponseStartEvent, Receive, Scope, Send

from finer.app.board_answers import answered
from finer.app.boards import Boards, Snapshot, View
from finer.identity.routes import watch
from finer.identity.routes.edge import Credentials, credential_of, may_call
from finer.identity.routes.entrance import Entrance
from finer.identity.service import audit
from finer.identity.types.access import Principal
from finer.kit.errors import FinerError
from finer.kit.ids import new_id, show_id

OPTION = "ready_board"
"""The option of a route whose answers depend on the caller's firm and rights, and on path and query, alone."""


def view_of(scope: Scope, principal: Principal) -> View:
    """What the answer of such a route depends on."""
    return principal.tenant_id, principal.permissions, scope["path"], scope["query_string"]


class ReadyBoards(ASGIMiddleware):
    """Hands out what lies ready; passes everything else on untouched."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, boards: Boards, entrance: Entrance, credentials: Credentials, access: watch.AccessWatch) -> None:
        self._boards, self._entrance, self._credentials, self._access = boards, entrance, credentials, access

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Answer a poll for what lies ready."""
        if not scope["route_handler"].opt.get(OPTION) or scope.get("method") != "GET":
            await next_app(scope, receive, send)
            return
        pairs = list(scope["headers"])
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
        client = self._entrance.client_of(scope, headers.get("x-forwarded-for", ""))
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        found = self._found(connection, headers, "" if client is None else client[0])
        if found is None or len(headers) != len(pairs):  # a header that comes twice
            await next_app(scope, receive, send)
            return
        principal, snapshot = found
        scope["client"] = client
        request_id = show_id("req", new_id())
        notes = watch.begin_notes(connection, principal, request_id)
        notes.rows = 1
        await self._access.look(connection, principal, 200, notes)
        status, body, extra = answered(snapshot, headers.get("if-none-match", ""), headers.get("accept-encoding", ""))
        said = {**extra, "x-request-id": request_id}
        if body:
            said |= {"content-type": "application/json", "content-length": str(len(body))}
        start: HTTPResponseStartEvent = {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in said.items()],
        }
        await send(start)
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _found(
        self, connection: ASGIConnection[Any, Any, Any, Any], headers: dict[str, str], address: str
    ) -> tuple[Principal, Snapshot] | None:
        """Who asks and what lies ready for them, when nothing about the request needs the ordinary way."""
        if not self._entrance.knows(headers.get("host", "")):
            return None
        credential, _ = credential_of(connection)
        principal = self._credentials.remembered(credential)[1] if credential else None
        if principal is None:
            return None
        audit.ORIGIN.set(address)
        handler = connection.scope["route_handler"]
        try:
            may_call(principal, handler, str(handler.opt["permission"]))
        except FinerError:
            return None  # the ordinary way refuses it, and notes that
        snapshot = self._boards.ready(view_of(connection.scope, principal))
        return None if snapshot is None else (principal, snapshot)
