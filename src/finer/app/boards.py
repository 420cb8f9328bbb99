"""Live dashboards: one snapshot per scope and tick, made once, handed to all its viewers as the same bytes.

A scope is a firm, a dashboard, what of it a role may see, and how it is narrowed down. Who polls gets the whole
snapshot, compressed once, or 304; who streams gets the parts that changed. A viewer that does not read holds a few
references and then the newest whole; nothing waits for it.
"""

from __future__ import annotations

import asyncio
import gzip
import secrets
import threading
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
import structlog

from finer.app.live import sse
from finer.app.viewers import Viewer, ViewerWatch
from finer.kit.errors import Unavailable

_log = structlog.get_logger(__name__)
_CHANGES_KEPT = 32
_OLD_S = 15.0
"""How old a snapshot may grow though nothing was told: the time that it shows moves on by itself."""
_UNUSED_S = 60.0
_SCOPES_MAX = 300
"""Scopes of one firm that are kept at once; more choices than that are refused."""
_SCOPES_EACH_MAX = 60
"""Of them, those that one person was the first to ask for: who tries more lets go of the ones that were tried first."""
_VIEWS_MAX = 1000
_MAKERS = 2
"""Threads that make snapshots; of their own, so that numbers wait for no request."""
Parts = dict[str, msgspec.Raw]
"""A document's members, each encoded."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown to whom: everybody with the same scope sees the same bytes."""

    tenant: uuid.UUID
    board: str
    sees: tuple[str, ...] = ()
    """What the viewer has of the permissions that decide on tiles or amounts of this dashboard."""
    span: str
    region: str | None = None
    channel: str | None = None
    view: str = ""
    """What tells viewers of a dashboard of somebody apart, see `dashboard_routes`."""


View = tuple[uuid.UUID, frozenset[str], str, bytes]
"""A firm, the rights of who asks, the path and the query as they were sent: what a scope is known by once it was asked
for."""
Compute = Callable[[Scope], Mapping[str, msgspec.Raw]]
"""The parts of a scope's document now, in a thread."""


@dataclass(frozen=True)
class Snapshot:
    """A document at one version: whole, compressed, and as an event."""

    version: int
    etag: str
    parts: Mapping[str, msgspec.Raw]
    body: bytes
    packed: bytes
    event: bytes


@dataclass(eq=False)
class _Shown:
    """What is known of one scope. Touched on the event loop only."""

    epoch: str = field(default_factory=lambda: secrets.token_hex(4))
    snapshot: Snapshot | None = None
    changes: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=_CHANGES_KEPT))
    viewers: set[Viewer] = field(default_factory=set)
    dirty: bool = False
    made_at: float = 0.0
    used_at: float = 0.0
    who: uuid.UUID | None = None
    making: asyncio.Task[Snapshot] | None = None


class Boards:
    """The dashboards of one API process. Several processes share nothing but the notifications of the database."""

    def __init__(
        self, compute: Compute, *, tick_s: float = 0.4, pace_s: Callable[[Scope], float] = lambda _: 0.0
    ) -> None:
        """`pace_s` says how old a scope's snapshot has to be before a change makes a new one."""
        self._compute, self._tick_s, self._pace_s = compute, tick_s, pace_s
        self._shown: dict[Scope, _Shown] = {}
        self._views: dict[View, Scope] = {}
        self._told: set[uuid.UUID] = set()
        self._lock = threading.Lock()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._watch = ViewerWatch(self._all_viewers)
        self._makers = ThreadPoolExecutor(_MAKERS, thread_name_prefix="boards")
        self._ended = False

    def viewers(self) -> int:
        """Open streams of all scopes."""
        return sum(len(shown.viewers) for shown in self._shown.values())

    def start(self) -> None:
        """Begin; called on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._run())
        self._watch.start()

    def end(self) -> None:
        """End every stream, so that its connection closes; browsers open it anew elsewhere. On the event loop."""
        self._ended = True
        for shown in self._shown.values():
            for viewer in shown.viewers:
                viewer.end()

    async def close(self) -> None:
        """Stop making snapshots."""
        await self._watch.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._makers.shutdown(wait=False, cancel_futures=True)

    def mark(self, payload: str) -> None:
        """A notification: the sums of this firm (of all, when empty) have changed. Any thread."""
        with self._lock:
            self._told.update([uuid.UUID(payload)] if payload else self._firms())
        self._wake_up()

    def suspect(self, payload: str) -> None:
        """A notification: rights of this firm (of all, when empty), or of "firm person" alone, changed. Any thread."""
        firm, _, person = payload.partition(" ")
        self._watch.suspect((uuid.UUID(firm) if firm else None, uuid.UUID(person) if person else None))

    async def snapshot(self, scope: Scope, who: uuid.UUID | None = None) -> Snapshot:
        """The document now: what is known if it is fresh, otherwise made once for all who ask at this moment.

        Raises Unavailable when too many scopes are open, of the firm or of `who` asks.
        """
        shown = self._of(scope, who)
        return self._fresh(scope, shown) or await self._make(scope, shown)

    def ready(self, view: View) -> Snapshot | None:
        """What `snapshot` would give for a view that was asked for before, when nothing has to be made for it."""
        scope = self._views.get(view)
        shown = None if scope is None else self._shown.get(scope)
        if scope is None or shown is None:
            return None
        shown.used_at = time.monotonic()
        return self._fresh(scope, shown)

    def remember(self, view: View, scope: Scope) -> None:
        """Which scope it is that a caller of these rights asks for by this address."""
        if len(self._views) >= _VIEWS_MAX:
            self._views.clear()
        self._views[view] = scope

    def _fresh(self, scope: Scope, shown: _Shown) -> Snapshot | None:
        age = time.monotonic() - shown.made_at
        may_be = max(self._tick_s, self._pace_s(scope)) if shown.dirty else _OLD_S
        return shown.snapshot if age < may_be else None

    def stream(
        self, scope: Scope, last: str, alive: Callable[[], Awaitable[bool]], who: uuid.UUID | None = None
    ) -> AsyncIterator[bytes]:
        """The messages of one viewer: `board` with the whole, then `change` with the parts that changed.

        `last` is the id of the last event that the viewer has seen, at this process or another; what came since is
        sent when it is known, the whole otherwise. The stream ends when `alive` says no, which is asked at once when
        rights of `who` it is, or of their firm, change; or at `end`. Raises Unavailable when too many scopes are open.
        """
        return self._stream(scope, self._of(scope, who), last, Viewer(alive, who))

    async def _stream(self, scope: Scope, shown: _Shown, last: str, viewer: Viewer) -> AsyncIterator[bytes]:
        shown = self._shown.setdefault(scope, shown)
        shown.viewers.add(viewer)  # before the first wait: a change meanwhile is not missed
        self._watch.opened(scope.tenant, viewer)
        try:
            now = await self.snapshot(scope)
            yield b"retry: 2000\n\n"
            for message in _missed(shown, now, last):
                yield message
            while not self._ended:
                for found in await viewer.next():
                    if found is None or viewer.ended:
                        return
                    yield found
        finally:
            shown.viewers.discard(viewer)
            shown.used_at = time.monotonic()

    def _of(self, scope: Scope, who: uuid.UUID | None) -> _Shown:
        shown = self._shown.get(scope)
        if shown is None:
            self._make_room(scope.tenant, who)
            if sum(known.tenant == scope.tenant for known in self._shown) >= _SCOPES_MAX:
                raise Unavailable(
                    f"{_SCOPES_MAX} different views of dashboards are open at your firm, which is as many as one "
                    "process keeps. Show one that others look at, or try again in a minute."
                )
            shown = self._shown[scope] = _Shown(who=who)
        shown.used_at = time.monotonic()
        return shown

    def _make_room(self, tenant: uuid.UUID, who: uuid.UUID | None) -> None:
        """Forget what a person asked for longest ago, when it is their whole share. Nobody looks at it now."""
        mine = [scope for scope, one in self._shown.items() if scope.tenant == tenant and one.who == who]
        if who is None or len(mine) < _SCOPES_EACH_MAX:
            return
        unseen = [scope for scope in mine if not self._shown[scope].viewers]
        if not unseen:
            raise Unavailable(
                f"You look at {_SCOPES_EACH_MAX} different views of dashboards at once, which is as many as one person "
                "may. Close one of them first."
            )
        del self._shown[min(unseen, key=lambda scope: self._shown[scope].used_at)]

    async def _make(self, scope: Scope, shown: _Shown) -> Snapshot:
        if shown.making is None or shown.making.done():
            shown.making = asyncio.create_task(self._made(scope, shown))
        # Who goes away while it is made takes it from nobody else.
        return await asyncio.shield(shown.making)

    async def _made(self, scope: Scope, shown: _Shown) -> Snapshot:
        shown.dirty = False
        before = shown.snapshot
        running = asyncio.get_running_loop()
        found = await running.run_in_executor(self._makers, _next, self._compute, scope, before, shown.epoch)
        shown.made_at = time.monotonic()
        shown.snapshot, change = found
        if change is not None:
            shown.changes.append((shown.snapshot.version, change))
            for viewer in shown.viewers:
                viewer.told_at = shown.made_at
                viewer.offer(change, shown.snapshot.event)
        return shown.snapshot

    def _all_viewers(self) -> Iterator[tuple[uuid.UUID, Viewer]]:
        return ((scope.tenant, viewer) for scope, shown in self._shown.items() for viewer in shown.viewers)

    def _firms(self) -> set[uuid.UUID]:
        return {scope.tenant for scope in tuple(self._shown)}

    def _wake_up(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    async def _run(self) -> None:
        while True:
            # Not wait_for: of Python before 3.12, it forgets that it was cancelled when the wake-up came just then.
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._wake.wait()
            self._wake.clear()
            with self._lock:
                told = set(self._told)
                self._told.clear()
            begun, made = time.monotonic(), False
            for scope, shown in tuple(self._shown.items()):
                made |= await self._tick(scope, shown, told=scope.tenant in told)
            # A tick that takes longer than its time puts the next one off, and none is made up for. Where nothing was
            # made, what changes next is shown almost at once.
            rest_s = self._tick_s - (time.monotonic() - begun) if made else 0.0
            await asyncio.sleep(max(rest_s, self._tick_s / 5))

    async def _tick(self, scope: Scope, shown: _Shown, *, told: bool) -> bool:
        """Make a scope's snapshot when it is due; whether it was."""
        now = time.monotonic()
        shown.dirty |= told
        if not shown.viewers:
            if now - shown.used_at > _UNUSED_S:
                self._shown.pop(scope, None)
            return False
        age = now - shown.made_at
        if age < self._pace_s(scope) or (not shown.dirty and age < _OLD_S):
            return False
        try:
            await self._make(scope, shown)
        except Exception as error:  # noqa: BLE001 - one scope must not stand in the way of all others
            shown.dirty = True  # what could not be shown is shown at the next tick
            _log.warning("a dashboard could not be made", board=scope.board, tenant=str(scope.tenant), error=str(error))
        return True


def _next(compute: Compute, scope: Scope, before: Snapshot | None, epoch: str) -> tuple[Snapshot, bytes | None]:
    """The snapshot after `before`, and the event that tells the difference; None without one."""
    parts = compute(scope)
    changed = {
        name: part
        for name, part in parts.items()
        if before is None or bytes(before.parts.get(name, b"")) != bytes(part)
    }
    if before is not None and not changed:
        return before, None
    version = 1 if before is None else before.version + 1
    body, identifier = msgspec.json.encode(parts), f"{epoch}-{version}"
    whole = sse("board", body, identifier)
    snapshot = Snapshot(
        version=version, etag=f'"{identifier}"', parts=parts, body=body,
        packed=gzip.compress(body, 5, mtime=0), event=whole,
    )  # fmt: skip
    if before is None:
        return snapshot, None
    return snapshot, sse("change", msgspec.json.encode(changed), identifier)


def _missed(shown: _Shown, now: Snapshot, last: str) -> list[bytes]:
    """What a viewer that saw `last` has to be told: the changes since, or the whole."""
    epoch, _, number = last.rpartition("-")
    if epoch == shown.epoch and number.isdigit():
        seen = int(number)
        since = [change for version, change in shown.changes if seen < version <= now.version]
        if seen <= now.version and len(since) == now.version - seen:
            return since
    return [now.event]
