"""Live streams to browsers: one snapshot per tenant and tick, encoded once, handed to all its viewers.

A viewer that does not read keeps a short queue; when it is full the queue is emptied and the viewer is told to fetch
again ("resync"), so a slow reader costs nothing and never sees a gap without knowing.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import structlog

_log = structlog.get_logger(__name__)
HEARTBEAT_S = 15.0
_QUEUE_MAX = 64
Message: TypeAlias = "bytes | Callable[[Any], bytes | None]"
"""The same bytes for every viewer, or what a viewer gets by its audience: bytes, or None for nothing."""


@dataclass(eq=False)
class Viewer:
    """One open stream, and for whom it is."""

    audience: Any = None
    queue: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(_QUEUE_MAX))

    def offer(self, message: Message) -> None:
        """Queue a message as this viewer may see it, or replace all by "resync" when the viewer does not keep up."""
        found = message if isinstance(message, bytes) else message(self.audience)
        if found is None:
            return
        try:
            self.queue.put_nowait(found)
        except asyncio.QueueFull:
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(sse("resync", b"{}"))


def sse(event: str, data: bytes, identifier: str | None = None) -> bytes:
    """One server-sent event (WHATWG HTML, section 9.2); `data` is one line of JSON."""
    head = b"" if identifier is None else b"id: " + identifier.encode() + b"\n"
    return head + b"event: " + event.encode() + b"\ndata: " + data + b"\n\n"


STILL_HERE = sse("heartbeat", b"{}")
"""What a quiet stream says every HEARTBEAT_S: an event, since browsers show their pages no comments of a stream."""


class Channel:
    """Viewers by tenant, and the task that makes their snapshots.

    `snapshot(tenant, since)` returns (messages, next since); it runs in a thread. It is asked at most every `tick_s`
    for each tenant that has viewers and was marked dirty (or always, with `always`).
    """

    def __init__(
        self,
        snapshot: Callable[[uuid.UUID, int | None], tuple[Sequence[Message], int | None]],
        *,
        tick_s: float,
        always: bool = False,
    ) -> None:
        self._snapshot = snapshot
        self._tick_s = tick_s
        self._always = always
        self._viewers: dict[uuid.UUID, set[Viewer]] = {}
        self._since: dict[uuid.UUID, int | None] = {}
        self._dirty: set[uuid.UUID] = set()
        self._lock = threading.Lock()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._ended = False

    def viewers(self) -> int:
        """Open streams of all tenants."""
        return sum(len(found) for found in self._viewers.values())

    def start(self) -> None:
        """Begin; called on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._run())

    def end(self) -> None:
        """End every stream, so that its connection closes; browsers open it anew elsewhere. On the event loop."""
        self._ended = True
        for viewers in self._viewers.values():
            for viewer in viewers:
                viewer.offer(b": ended\n\n")

    async def close(self) -> None:
        """Stop making snapshots."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def mark(self, payload: str) -> None:
        """A notification from PostgreSQL: this tenant (all, when empty) has something new. Any thread."""
        with self._lock:
            if payload:
                self._dirty.add(uuid.UUID(payload))
            else:
                self._dirty.update(self._viewers)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    async def stream(
        self, tenant: uuid.UUID, since: int | None, alive: Callable[[], Awaitable[bool]], audience: Any = None
    ) -> AsyncIterator[bytes]:
        """The messages of one viewer until it goes away or `alive` says no (asked before every message)."""
        viewer = Viewer(audience)
        first, reached = await asyncio.to_thread(self._snapshot, tenant, since)
        viewers = self._viewers.setdefault(tenant, set())
        if not viewers:
            self._since[tenant] = reached
        viewers.add(viewer)
        try:
            yield b"retry: 2000\n\n"
            for message in first:
                found = message if isinstance(message, bytes) else message(audience)
                if found is not None:
                    yield found
            while not self._ended and await alive():
                try:
                    async with asyncio.timeout(HEARTBEAT_S):
                        message = await viewer.queue.get()
                except TimeoutError:
                    message = STILL_HERE
                yield message
        finally:
            viewers.discard(viewer)
            if not viewers:
                self._viewers.pop(tenant, None)
                self._since.pop(tenant, None)

    async def _run(self) -> None:
        while True:
            if not self._always:
                await self._wake.wait()
                self._wake.clear()
            with self._lock:
                dirty = set(self._viewers) if self._always else self._dirty & set(self._viewers)
                self._dirty.clear()
            for tenant in dirty:
                await self._tell(tenant)
            await asyncio.sleep(self._tick_s)

    async def _tell(self, tenant: uuid.UUID) -> None:
        try:
            messages, reached = await asyncio.to_thread(self._snapshot, tenant, self._since.get(tenant))
        except Exception as error:  # noqa: BLE001 - a failed snapshot must not end the streams of all other tenants
            _log.warning("a live snapshot failed", tenant=str(tenant), error=str(error))
            self.mark(str(tenant))  # what could not be told is told at the next tick
            return
        self._since[tenant] = reached
        for viewer in tuple(self._viewers.get(tenant, ())):
            for message in messages:
                viewer.offer(message)
