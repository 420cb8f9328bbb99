"""The Idempotency-Key of every write: same key and request, same answer, and the act is done once.

The answer is kept in the transaction of the act, so the transaction of a request with a key is committed when its
answer is known: between the handler and the first byte that the caller sees. What is refused is rolled back and not
remembered; the key is free again.

A route whose answer holds a secret that is shown once declares `opt={"answer_once": True}`: of such an answer only the
fact is kept, and the same request again is refused with what to do instead. Nothing of it is held back either: a file
goes out piece by piece once its act has committed.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, TypeVar

from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from finer.identity.routes import watch
from finer.identity.types.access import Principal
from finer.kit import idempotency
from finer.kit.db import Database
from finer.kit.errors import Conflict, InvalidInput
from finer.kit.tx import Tx

HEADER = "Idempotency-Key"
KEY_MAX = 255
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
REPLAYED = "Idempotency-Replayed"
ANSWER_ONCE = "answer_once"
_KEPT_HEADERS = frozenset({"content-disposition", "content-type", "etag", "location"})
_BODY_KEPT_MAX = 2**20  # bytes; a write answers with what it changed, and nothing that it changes is larger
_ACT = "finer_act"
_T = TypeVar("_T")


class KeyReused(Conflict):
    """The key was used for another request."""

    slug = "idempotency-key-reused"
    title = "This idempotency key belongs to another request"


class KeyInUse(Conflict):
    """A request with this key is under way."""

    slug = "idempotency-key-in-use"
    title = "A request with this idempotency key is under way"


class AlreadyDone(Conflict):
    """The act was done with this key, and its answer is not kept."""

    slug = "already-done"
    title = "This was done already"


class Replay(Exception):
    """The answer that was given to the same request before."""

    def __init__(self, found: idempotency.Remembered) -> None:
        super().__init__(found.status)
        self.found = found


class Act:
    """One request with a key: what it is remembered by, and its transaction once the handler is done."""

    def __init__(self, tx: Tx, claim: str, request: bytes, *, keep_body: bool) -> None:
        self._tx, self._claim, self._request, self.keep_body = tx, claim, request, keep_body
        self._transaction: AbstractContextManager[Tx] | None = None
        self._release: Callable[[], None] | None = None
        self.start: HTTPResponseStartEvent | None = None
        self.body = bytearray()
        self.failed = False

    def hand_over(self, transaction: AbstractContextManager[Tx], release: Callable[[], None]) -> None:
        """The handler is done; its transaction waits for the answer, and `release` gives its place to the next."""
        self._transaction, self._release = transaction, release

    async def finish(self, how: Callable[[], None]) -> None:
        """End the transaction on a thread, by `commit` or `roll_back`."""
        try:
            await _finish(how)
        finally:
            if self._release is not None:
                self._release()
                self._release = None

    @property
    def waits(self) -> bool:
        """Whether there is a transaction to commit."""
        return self._transaction is not None

    def commit(self) -> None:
        """Remember the answer, and commit the act with it."""
        transaction, self._transaction = self._transaction, None
        if transaction is None or self.start is None:
            return
        try:
            idempotency.remember(
                self._tx, self._claim, self._request, self.start["status"], self._headers(), self._kept_body()
            )
        except BaseException as error:
            transaction.__exit__(type(error), error, error.__traceback__)
            raise
        transaction.__exit__(None, None, None)

    def roll_back(self) -> None:
        """The answer never came: undo the act."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            error = ConnectionError("the request ended before its answer")
            transaction.__exit__(type(error), error, None)

    def _headers(self) -> dict[str, str]:
        pairs = self.start["headers"] if self.start is not None else ()
        found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}
        return {name: value for name, value in found.items() if name in _KEPT_HEADERS}

    def _kept_body(self) -> str | None:
        if not self.keep_body or len(self.body) > _BODY_KEPT_MAX:
            return None
        try:
            return self.body.decode()
        except UnicodeDecodeError:
            return None


class Idempotency(ASGIMiddleware):
    """Holds back the answer of a request with a key until its act has committed."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, failed: Callable[[Request[Any, Any, Any], Exception], Response[Any]]) -> None:
        """`failed` makes the answer when the act could not be committed."""
        self._failed = failed

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass everything through but the answer of an act that waits to be committed."""

        async def hold(message: Message) -> None:
            act: Act | None = scope.get(_ACT)  # type: ignore[assignment]
            if act is None or not act.waits:
                if act is None or not act.failed:
                    await send(message)
            elif message["type"] == "http.response.start":
                act.start = message
                if not act.keep_body:
                    await answer(act, message)
            elif message["type"] == "http.response.body":
                act.body += message["body"]
                if not message.get("more_body", False) and act.start is not None:
                    await answer(act, act.start)

        async def answer(act: Act, start: HTTPResponseStartEvent) -> None:
            try:
                await act.finish(act.commit)
            except Exception as error:  # noqa: BLE001 - whatever it was, the caller has had no answer yet
                act.failed = True
                request: Request[Any, Any, Any] = Request(scope)
                failure = self._failed(request, error).to_asgi_response(None, request)
                await failure(scope, receive, send)
            else:
                await send(start)
                if act.keep_body:
                    await send({"type": "http.response.body", "body": bytes(act.body), "more_body": False})

        try:
            await next_app(scope, receive, hold)
        finally:
            act: Act | None = scope.get(_ACT)  # type: ignore[assignment]
            if act is not None and act.waits:
                await act.finish(act.roll_back)


def honours_key(handler: Any) -> bool:
    """Whether the act of a route happens in the transaction of its request, so that a key makes it happen once."""
    return not SAFE.issuperset(handler.http_methods) and "tx" in handler.parsed_fn_signature.parameters


def transaction_of(
    database: Database, before_commit: Callable[[Tx, Request[Any, Any, Any]], None]
) -> Callable[[Request[Principal, Any, Any], Any], AsyncIterator[Tx]]:
    """What gives a route its transaction: committed when the route is done and, with a key, its answer is remembered.

    `before_commit` is the last that every request does in its transaction. The database is synchronous: opening and
    committing happen on threads, never on the event loop.

    A request holds its connection also while it waits for its next turn on a thread. Requests may hold half of all
    connections, and the rest of them wait without a thread: if they held all, every thread could come to wait for a
    connection while every connection waited for a thread, and nobody would be answered.
    """
    places = asyncio.Semaphore(max(1, database.connections // 2))

    # Asking for it has it there before the transaction begins: what a route asks of the lake first, nothing for most.
    async def tx(request: Request[Principal, Any, Any], before_tx: Any) -> AsyncIterator[Tx]:  # noqa: ARG001
        transaction, act = database.transaction(request.user.tenant_id, request.user.actor()), None
        await places.acquire()
        try:
            found = await _finish(transaction.__enter__)
            try:
                act = await _begin(request, found)
                yield found
                await _finish(partial(before_commit, found, request))
            except BaseException as error:
                if not await _finish(partial(transaction.__exit__, type(error), error, error.__traceback__)):
                    raise
            else:
                if act is None:
                    await _finish(partial(transaction.__exit__, None, None, None))
                else:
                    act.hand_over(transaction, places.release)
        finally:
            if act is None or not act.waits:
                places.release()

    return tx


async def _begin(request: Request[Principal, Any, Any], tx: Tx) -> Act | None:
    """Enter a request with a key into its transaction; None without a key.

    Raises Replay with the answer of the same request, KeyReused for another request, KeyInUse while it is under way,
    AlreadyDone when its answer is not kept.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method in SAFE:
        return None
    if not 0 < len(key) <= KEY_MAX:
        raise InvalidInput(f"An {HEADER} has 1 to {KEY_MAX} characters.")
    asked = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    asked.update(await request.body())
    claim = idempotency.claim_of(f"{request.user.kind}:{request.user.id}", key)
    await asyncio.to_thread(_enter, tx, key, claim, asked.digest())
    act = Act(tx, claim, asked.digest(), keep_body=not request.route_handler.opt.get(ANSWER_ONCE, False))
    request.scope[_ACT] = act  # type: ignore[literal-required]
    return act


def _enter(tx: Tx, key: str, claim: str, asked: bytes) -> None:
    if not idempotency.lock(tx, claim):
        raise KeyInUse(
            f"A request with the idempotency key {key[:80]!r} is under way. Send it again for its answer.",
            retry_after_s=1,
        )
    found = idempotency.recall(tx, claim)
    if found is None:
        return
    if found.request != asked:
        raise KeyReused(
            f"The idempotency key {key[:80]!r} was used for another request. Send a new request with a new key."
        )
    if found.body is None:
        raise AlreadyDone(
            f"This was done at {found.at:%Y-%m-%d %H:%M:%S} UTC with the same idempotency key, and its answer is not "
            "kept: it held a secret, or was a file. If it was lost, take back what was made and make it again with a "
            "new key; a file can be asked for again with a new key.",
        )
    raise Replay(found)


def show_replay(_request: Request[Any, Any, Any], replay: Replay) -> Response[bytes]:
    """The answer that was given before, marked as such."""
    watch.note_replay()
    found = replay.found
    headers = {**found.headers, REPLAYED: "true"}
    # Of a text, the framework says the character set by itself.
    media_type = headers.pop("content-type", "application/json").removesuffix("; charset=utf-8")
    return Response((found.body or "").encode(), status_code=found.status, media_type=media_type, headers=headers)


async def _finish(function: Callable[[], _T]) -> _T:
    """Run on a thread to its end, even when the caller goes away meanwhile: a transaction is never left open."""
    running: Awaitable[_T] = asyncio.ensure_future(asyncio.to_thread(function))
    return await asyncio.shield(running)
