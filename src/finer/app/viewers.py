"""Viewers of live dashboards: what each holds, and looking at whether they may still see it."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import structlog

from finer.app.live import HEARTBEAT_S, STILL_HERE

_log = structlog.get_logger(__name__)
_HELD_MAX = 8
_LOOK_EVERY_S = 300
"""How often a viewer's session is looked at though nothing was told of it: sessions also end by time."""
_LOOK_S, _AGAIN_S = 5.0, 5.0
"""How long a look may take, and when one that failed is made again."""
_LOOKS_AT_ONCE, _LOOKS_IN_A_ROW = 6, 60
_PASS_S = 1.0
_OPENING_S = 30.0
"""How long a change of rights is remembered for streams that were being opened when it came."""
Suspect = tuple[uuid.UUID | None, uuid.UUID | None]
"""A firm, and the one person of it whose rights changed; None for all."""


class Viewer:
    """One open stream, of which there may be ten thousand: a list and a future take a tenth of what a queue takes."""

    __slots__ = ("_held", "_waiting", "alive", "ended", "look_at", "told_at", "who")

    def __init__(self, alive: Callable[[], Awaitable[bool]], who: uuid.UUID | None = None) -> None:
        self.alive, self.who = alive, who
        self.ended = False
        self.told_at = time.monotonic()
        # Those who come at the same moment are not all looked at at the same moment.
        self.look_at = self.told_at + secrets.randbelow(_LOOK_EVERY_S)
        self._held: list[bytes | None] = []
        self._waiting: asyncio.Future[None] | None = None

    def offer(self, message: bytes, whole: bytes | None = None) -> None:
        """Hold a message; one that does not fit takes the place of all, and `whole` takes its own."""
        if self.ended:
            return
        if len(self._held) < _HELD_MAX:
            self._held.append(message)
        else:
            self._held = [message if whole is None else whole]
        self._wake_up()

    def end(self) -> None:
        """End the stream: what it still holds is not sent, and nothing is offered to it any more."""
        self.ended = True
        self._held = [None]
        self._wake_up()

    def say_still_here(self, now: float) -> None:
        """Offer a sign of life when nothing was told for long, and nothing waits to be told."""
        if not self._held and now - self.told_at > HEARTBEAT_S:
            self.told_at = now
            self.offer(STILL_HERE)

    def held(self) -> list[bytes | None]:
        """Take what is held; None stands for the end."""
        found, self._held = self._held, []
        return found

    async def next(self) -> list[bytes | None]:
        """What is held, or the next that is offered; never nothing."""
        while not self._held:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        return self.held()

    def _wake_up(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class ViewerWatch:
    """Ends the streams of those who may not see them any more, and gives signs of life; beside the ticks.

    `viewers` gives every open stream with its firm, on the event loop.
    """

    def __init__(self, viewers: Callable[[], Iterator[tuple[uuid.UUID, Viewer]]]) -> None:
        self._viewers = viewers
        self._told: list[Suspect] = []
        self._recent: deque[tuple[float, Suspect]] = deque()
        self._lock = threading.Lock()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; called on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._tasks = [asyncio.create_task(self._look()), asyncio.create_task(self._live())]

    async def close(self) -> None:
        """Stop looking."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def suspect(self, whose: Suspect) -> None:
        """Rights of somebody, or of many, have changed: look at their streams at once. Any thread."""
        with self._lock:
            self._told.append(whose)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    def opened(self, tenant: uuid.UUID, viewer: Viewer) -> None:
        """Look at once at a new stream whose rights changed while it was being opened. On the event loop."""
        oldest = time.monotonic() - _OPENING_S
        while self._recent and self._recent[0][0] < oldest:
            self._recent.popleft()
        if any(_is_meant(whose, tenant, viewer) for _, whose in self._recent):
            viewer.look_at = 0.0
            self._wake.set()

    async def _look(self) -> None:
        while True:
            # Not wait_for: of Python before 3.12, it forgets that it was cancelled when the wake-up came just then.
            with suppress(TimeoutError):
                async with asyncio.timeout(_PASS_S):
                    await self._wake.wait()
            self._wake.clear()
            self._mark()
            now = time.monotonic()
            due = [viewer for _, viewer in self._viewers() if viewer.look_at <= now]
            urgent = [viewer for viewer in due if not viewer.look_at]
            # Looks that are made because it is time take no thread from requests.
            at_once = _LOOKS_AT_ONCE if urgent else 1
            looks = (urgent or due)[:_LOOKS_IN_A_ROW]
            for first in range(0, len(looks), at_once):
                await asyncio.gather(*map(_look_at, looks[first : first + at_once]))
            if len(looks) < len(due):
                self._wake.set()

    def _mark(self) -> None:
        with self._lock:
            told, self._told = self._told, []
        if not told:
            return
        self._recent.extend((time.monotonic(), whose) for whose in told)
        for tenant, viewer in self._viewers():
            if any(_is_meant(whose, tenant, viewer) for whose in told):
                viewer.look_at = 0.0

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(_PASS_S)
            now = time.monotonic()
            for _, viewer in self._viewers():
                viewer.say_still_here(now)


def _is_meant(whose: Suspect, tenant: uuid.UUID, viewer: Viewer) -> bool:
    firm, person = whose
    return firm in (None, tenant) and person in (None, viewer.who)


async def _look_at(viewer: Viewer) -> None:
    viewer.look_at = time.monotonic() + _LOOK_EVERY_S
    try:
        async with asyncio.timeout(_LOOK_S):
            may = await viewer.alive()
    except Exception as error:  # noqa: BLE001 - it is asked again
        viewer.look_at = time.monotonic() + _AGAIN_S
        _log.warning("a viewer's rights could not be looked at", error=repr(error))
        return
    if not may:
        viewer.end()
