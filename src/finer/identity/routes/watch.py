"""What the edge notes of every request: what it is known by, what was denied, how many rows went out."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import msgspec
from litestar import Response
from litestar.connection import ASGIConnection
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from finer.identity.routes.edge import PUBLIC, SAFE, credential_of
from finer.identity.service import audit
from finer.identity.types.access import Principal
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx

_OUTCOMES = {401: "unauthenticated", 403: "denied", 404: "not_found"}
_BY_PROBLEM = {"cross-site-request": "cross_site", "step-up-required": "step_up"}


class Observer(Protocol):
    """Who is told; the app provides it."""

    async def denied(
        self,
        principal: Principal | None,
        credential: str,
        *,
        action: str,
        subject: str,
        path: str,
        outcome: str,
        about: tuple[Any, str] | None,
    ) -> None:
        """A request was denied; its answer waits until this returns."""
        ...

    def acted(self, principal: Principal, action: str, subject: str) -> None:
        """Somebody did what nothing else has written down."""
        ...

    def read(self, principal: Principal, rows: int) -> None:
        """Rows were read."""
        ...


class AccessWatch(ASGIMiddleware):
    """Stands behind Authentication, around the handler and its guard."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Give the request its id, then look at the status of its answer before it goes out."""
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        principal: Principal | None = scope.get("user")
        request = show_id("req", new_id())
        notes = begin_notes(connection, principal, request)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableScopeHeaders.from_message(message)["x-request-id"] = request
                await self.look(connection, principal, message["status"], notes)
            await send(message)

        await next_app(scope, receive, watched)

    async def look(
        self,
        connection: ASGIConnection[Any, Any, Any, Any],
        principal: Principal | None,
        status: int,
        notes: audit.RequestNotes,
    ) -> None:
        """Note what the status of an answer says of its request, before the answer goes out."""
        handler = connection.scope["route_handler"]
        permission = handler.opt.get("permission")
        if status < 400:
            await self._done(connection, principal, notes)
            return
        outcome = "throttled" if status == 429 and notes.about is not None else _OUTCOMES.get(status)
        if outcome is None or (permission == PUBLIC and notes.about is None):
            return
        template = connection.scope.get("path_template") or connection.scope["path"]
        await self._observer.denied(
            principal,
            credential_of(connection)[0],
            action="session:begin" if permission == PUBLIC else str(permission),
            subject=f"{connection.scope.get('method', '')} {template}",
            path=connection.scope["path"],
            outcome=_BY_PROBLEM.get(notes.problem, outcome),
            about=notes.about,
        )

    async def _done(
        self, connection: ASGIConnection[Any, Any, Any, Any], principal: Principal | None, notes: audit.RequestNotes
    ) -> None:
        if principal is None:
            return
        shown = notes.rows if connection.scope.get("method") in SAFE else 0
        if shown + notes.taken:
            self._observer.read(principal, shown + notes.taken)
        options = connection.scope["route_handler"].opt
        if unwritten(connection, notes) and options.get("recorded") is None:
            action, subject = str(options["permission"]), connection.scope["path"]
            await asyncio.to_thread(self._observer.acted, principal, action, subject)


def begin_notes(
    connection: ASGIConnection[Any, Any, Any, Any], principal: Principal | None, request: str
) -> audit.RequestNotes:
    """From here on the trail knows this request: its id, its client, its session."""
    notes = audit.RequestNotes()
    audit.AGENT.set(connection.headers.get("user-agent", ""))
    audit.REQUEST.set(request)
    audit.SESSION.set("" if principal is None or principal.session_id is None else show_id("ses", principal.session_id))
    audit.NOTES.set(notes)
    return notes


def unwritten(connection: ASGIConnection[Any, Any, Any, Any], notes: audit.RequestNotes | None) -> bool:
    """Whether a request changed something, and nothing in the trail says so yet."""
    return connection.scope.get("method") not in SAFE and notes is not None and notes.entries == 0


def before_commit(tx: Tx, connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Write what the trail must hold of a request that went well, in its own transaction.

    A route with opt={"sensitive": True} shows what only some may see: who looked is an entry. A change leaves one even
    where its service writes none.
    """
    options = connection.scope["route_handler"].opt
    path = connection.scope["path"]
    if options.get("sensitive"):
        filters = sorted(connection.query_params.keys())
        audit.note_read(tx, str(options["permission"]), path, {"filters": filters} if filters else {})
    elif unwritten(connection, audit.NOTES.get()):
        audit.record_audit(tx, str(options["permission"]), path)


async def note_response(response: Response[Any]) -> Response[Any]:
    """Note how many rows an answer holds: the entries of its `items`, or one for a document."""
    notes, content = audit.NOTES.get(), response.content
    if notes is not None and content is not None:
        if isinstance(content, dict):
            content = content.get("items", content)
        elif isinstance(content, msgspec.Struct):
            content = getattr(content, "items", content)
        notes.rows = len(content) if isinstance(content, list | tuple) else 1
    return response


def note_problem(slug: str) -> None:
    """Note why a request was refused, for its line in the trail."""
    notes = audit.NOTES.get()
    if notes is not None:
        notes.problem = slug


def note_replay() -> None:
    """Note that an act was done by an earlier request, which the trail holds already."""
    notes = audit.NOTES.get()
    if notes is not None:
        notes.entries += 1
