"""The response of a live stream: it ends when its viewer goes, when it has nothing more to say, and when it has to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from finer.app.live_response import LiveResponse


class Connection:
    """What a server gives to an application, and what came of it."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.gone = asyncio.Event()
        self.stuck: asyncio.Event | None = None
        self.closed = False
        self._asked = False

    async def receive(self) -> Any:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if self.stuck is not None:
            await self.stuck.wait()
        self.sent.append(message["body"])

    async def messages(self, count: int, then: asyncio.Event | None) -> AsyncIterator[bytes]:
        try:
            for number in range(count):
                yield b"%d" % number
            if then is not None:
                await then.wait()
        finally:
            self.closed = True

    async def serve(self, count: int, then: asyncio.Event | None = None) -> None:
        await LiveResponse(iterator=self.messages(count, then)).send_body(self.send, self.receive)


def test_a_viewer_that_goes_away_while_it_waits_ends_its_stream() -> None:
    async def play() -> None:
        viewer = Connection()
        serving = asyncio.create_task(viewer.serve(2, asyncio.Event()))
        while len(viewer.sent) < 2:  # noqa: ASYNC110 - a fake connection tells nobody
            await asyncio.sleep(0)
        viewer.gone.set()
        await asyncio.wait_for(serving, 20)
        assert (viewer.sent, viewer.closed) == ([b"0", b"1"], True)

    asyncio.run(play())


def test_a_viewer_that_goes_away_without_having_read_ends_its_stream() -> None:
    async def play() -> None:
        viewer = Connection()
        viewer.stuck = asyncio.Event()
        serving = asyncio.create_task(viewer.serve(2))
        for _ in range(10):
            await asyncio.sleep(0)
        viewer.gone.set()
        await asyncio.wait_for(serving, 20)
        assert (viewer.sent, viewer.closed) == ([], True)

    asyncio.run(play())


@pytest.mark.parametrize("turns", range(8))
def test_a_stream_that_ends_by_itself_cancels_nothing_that_comes_after_it(turns: int) -> None:
    async def play() -> None:
        viewer, end = Connection(), asyncio.Event()

        async def serve_and_go_on() -> str:
            await viewer.serve(1, end)
            for _ in range(5):
                await asyncio.sleep(0)
            return "went on"

        serving = asyncio.create_task(serve_and_go_on())
        while not viewer.sent:  # noqa: ASYNC110 - a fake connection tells nobody
            await asyncio.sleep(0)
        end.set()
        for _ in range(turns):  # the viewer goes at the same moment
            await asyncio.sleep(0)
        viewer.gone.set()
        assert await asyncio.wait_for(serving, 20) == "went on"
        assert viewer.closed

    asyncio.run(play())


def test_whoever_stops_the_process_stops_its_streams() -> None:
    async def play() -> None:
        viewer = Connection()
        serving = asyncio.create_task(viewer.serve(1, asyncio.Event()))
        while not viewer.sent:  # noqa: ASYNC110 - a fake connection tells nobody
            await asyncio.sleep(0)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        assert viewer.closed

    asyncio.run(play())
