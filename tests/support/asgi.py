"""An application driven directly: any method, path and headers, streams read for a moment, no client in between.

An HTTP client tidies up what it sends; an attack must arrive as it was made.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import msgspec
import uvloop
from litestar import Litestar

_STREAM_S = 0.2  # how long an endless answer is listened to
_ANSWER_S = 60.0
_START_S = 300.0


@dataclass
class Answer:
    """What came back: status, headers as sent, and the body; of a stream what came within a moment."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def header(self, name: str) -> str:
        """All values of a header."""
        return ", ".join(value for key, value in self.headers if key == name)

    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)

    def everything(self) -> str:
        """All that a caller gets to see."""
        return "\n".join([str(self.status), *(f"{name}: {value}" for name, value in self.headers), self.text])


class Driver:
    """A started application on an event loop of its own thread."""

    def __init__(self, app: Litestar, loop: asyncio.AbstractEventLoop) -> None:
        self.app = app
        self._loop = loop

    def call(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | Any = b"",
        address: str = "127.0.0.1",
    ) -> Answer:
        """One request; a `body` that is not bytes is sent as JSON. `target` is path and query as on the wire."""
        request = _request(method, target, headers or {}, body, address)
        return asyncio.run_coroutine_threadsafe(_ask(self.app, *request), self._loop).result(_ANSWER_S)

    def call_each(self, method: str, target: str, several: Sequence[Mapping[str, str]]) -> list[Answer]:
        """The same request with each of several sets of headers, one after the other.

        Handing each over to the other thread and back would take as long as a short answer does.
        """
        requests = [_request(method, target, headers) for headers in several]
        asked = asyncio.run_coroutine_threadsafe(_ask_each(self.app, requests), self._loop)
        return asked.result(_ANSWER_S)


def _request(
    method: str, target: str, headers: Mapping[str, str], body: bytes | Any = b"", address: str = "127.0.0.1"
) -> tuple[dict[str, Any], bytes]:
    """The scope of a request, and its body."""
    sent = {"host": "finer.test"} | {name.lower(): value for name, value in headers.items()}
    if not isinstance(body, bytes):
        body = msgspec.json.encode(body)
        sent.setdefault("content-type", "application/json")
    if body:
        sent.setdefault("content-length", str(len(body)))
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path, errors="replace"),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()],
        "client": (address, 40000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    return scope, body


async def _ask_each(app: Litestar, requests: Sequence[tuple[dict[str, Any], bytes]]) -> list[Answer]:
    return [await _ask(app, scope, body) for scope, body in requests]


async def _ask(app: Litestar, scope: dict[str, Any], body: bytes) -> Answer:
    answer, chunks, gone = Answer(), [body], asyncio.Event()
    loop, left = asyncio.get_running_loop(), False

    async def receive() -> dict[str, Any]:
        if chunks:
            return {"type": "http.request", "body": chunks.pop(), "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
            if answer.header("content-type").startswith("text/event-stream"):
                loop.call_later(_STREAM_S, leave)
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")
            if not message.get("more_body", False):
                gone.set()  # as a server says it once the answer is complete

    def leave() -> None:
        nonlocal left
        left = running.cancel()
        gone.set()

    # A task of its own for each request, so that none sees what another one left in its context.
    running: asyncio.Task[Any] = asyncio.ensure_future(_run(app, scope, receive, send))
    await asyncio.wait({running})
    if not left:
        running.result()
    return answer


async def _run(app: Any, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Any]) -> None:
    await app(scope, receive, send)


@contextmanager
def driving(app: Litestar) -> Iterator[Driver]:
    """The application, started, until the block ends."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    stop = asyncio.Event()
    started: concurrent.futures.Future[None] = concurrent.futures.Future()
    serving = asyncio.run_coroutine_threadsafe(_serve(app, started, stop), loop)
    try:
        started.result(_START_S)
        yield Driver(app, loop)
    finally:
        loop.call_soon_threadsafe(stop.set)
        serving.result(_START_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _serve(app: Litestar, started: concurrent.futures.Future[None], stop: asyncio.Event) -> None:
    """The lifespan of the application, entered and left in one task, as its cancel scopes want it."""
    try:
        async with app.lifespan():
            started.set_result(None)
            await stop.wait()
    except BaseException as error:
        if not started.done():
            started.set_exception(error)
            return
        raise
