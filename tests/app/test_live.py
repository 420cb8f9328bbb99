"""Live streams: everybody gets every message in order, and a viewer that does not read is told to fetch again."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import cast

import pytest

from finer.app import live
from finer.app.live import Channel, Viewer, sse

ANA, BUDI = uuid.UUID(int=1), uuid.UUID(int=2)
RETRY = b"retry: 2000\n\n"
PER_SNAPSHOT = 40


class Source:
    """Snapshots of 40 numbered messages each; the first one of a stream is `now`."""

    def __init__(self) -> None:
        self.asked: list[tuple[uuid.UUID, int | None]] = []
        self.broken = False
        self.failed = threading.Event()

    def snapshot(self, tenant: uuid.UUID, since: int | None) -> tuple[list[bytes], int | None]:
        self.asked.append((tenant, since))
        if since is None:
            return [b"now"], 0
        if self.broken:
            self.broken = False
            self.failed.set()
            raise ConnectionError("the database went away")
        return [_message(number) for number in range(since + 1, since + 1 + PER_SNAPSHOT)], since + PER_SNAPSHOT


def _message(number: int) -> bytes:
    return sse("alert", b"{}", str(number))


async def _yes() -> bool:
    return True


def _open(channel: Channel, tenant: uuid.UUID = ANA, since: int | None = None) -> AsyncGenerator[bytes]:
    return cast("AsyncGenerator[bytes]", channel.stream(tenant, since, _yes))


async def _take(stream: AsyncGenerator[bytes], count: int) -> list[bytes]:
    return [await asyncio.wait_for(anext(stream), 20) for _ in range(count)]


def _play(scenario: Callable[[Source, Channel], Awaitable[None]], *, always: bool = False) -> None:
    """Run a scenario on a started channel, and close the channel."""

    async def play() -> None:
        source = Source()
        channel = Channel(source.snapshot, tick_s=0, always=always)
        channel.start()
        try:
            await scenario(source, channel)
        finally:
            await channel.close()

    asyncio.run(play())


def test_an_event_is_written_as_browsers_read_it() -> None:
    assert sse("summary", b'{"open":1}') == b'event: summary\ndata: {"open":1}\n\n'
    assert sse("alert", b"{}", "17") == b"id: 17\nevent: alert\ndata: {}\n\n"


def test_a_full_queue_is_replaced_by_one_resync() -> None:
    viewer = Viewer()
    for number in range(65):
        viewer.offer(_message(number))
    assert viewer.queue.qsize() == 1
    assert viewer.queue.get_nowait() == sse("resync", b"{}")


def test_a_slow_viewer_is_told_to_fetch_again_and_others_miss_nothing() -> None:
    async def scenario(_: Source, channel: Channel) -> None:
        fast, slow = _open(channel), _open(channel)
        assert await _take(fast, 2) == await _take(slow, 2) == [RETRY, b"now"]
        for first in (1, 41):
            channel.mark(str(ANA))
            assert await _take(fast, 40) == [_message(number) for number in range(first, first + 40)]
        # 64 messages fit; what did not fit took their place as "resync", and the later ones follow it.
        assert await _take(slow, 16) == [sse("resync", b"{}"), *(_message(number) for number in range(66, 81))]
        await fast.aclose()
        await slow.aclose()

    _play(scenario)


def test_a_viewer_begins_where_it_stopped() -> None:
    async def scenario(source: Source, channel: Channel) -> None:
        stream = _open(channel, since=7)
        assert await _take(stream, 2) == [RETRY, _message(8)]
        assert source.asked == [(ANA, 7)]
        await stream.aclose()

    _play(scenario)


def test_a_snapshot_is_made_once_for_all_viewers_of_a_tenant_and_for_nobody_else() -> None:
    async def scenario(source: Source, channel: Channel) -> None:
        streams = [_open(channel), _open(channel), _open(channel, BUDI)]
        for stream in streams:
            await _take(stream, 2)
        source.asked.clear()
        # From another thread, as notifications come.
        await asyncio.to_thread(channel.mark, str(ANA))
        assert await _take(streams[0], 1) == await _take(streams[1], 1) == [_message(1)]
        assert source.asked == [(ANA, 0)]
        for stream in streams:
            await stream.aclose()

    _play(scenario)


def test_an_empty_mark_means_everybody() -> None:
    async def scenario(_: Source, channel: Channel) -> None:
        streams = [_open(channel), _open(channel, BUDI)]
        for stream in streams:
            await _take(stream, 2)
        channel.mark("")
        for stream in streams:
            assert await _take(stream, 1) == [_message(1)]
            await stream.aclose()

    _play(scenario)


def test_nothing_is_made_for_whoever_has_gone() -> None:
    async def scenario(source: Source, channel: Channel) -> None:
        gone, there = _open(channel), _open(channel, BUDI)
        await _take(gone, 2)
        await _take(there, 2)
        assert channel.viewers() == 2
        await gone.aclose()
        assert channel.viewers() == 1
        source.asked.clear()
        channel.mark(str(ANA))
        channel.mark(str(BUDI))
        await _take(there, 1)
        assert source.asked == [(BUDI, 0)]
        await there.aclose()

    _play(scenario)


def test_a_failed_snapshot_ends_no_stream() -> None:
    async def scenario(source: Source, channel: Channel) -> None:
        stream, other = _open(channel), _open(channel, BUDI)
        await _take(stream, 2)
        await _take(other, 2)
        source.broken = True
        channel.mark(str(ANA))
        assert await asyncio.to_thread(source.failed.wait, 20)
        channel.mark("")
        assert (await _take(stream, 1), await _take(other, 1)) == ([_message(1)], [_message(1)])
        await stream.aclose()
        await other.aclose()

    _play(scenario)


def test_a_stream_that_is_always_fresh_needs_no_mark() -> None:
    async def scenario(_: Source, channel: Channel) -> None:
        stream = _open(channel)
        *opening, unasked = await _take(stream, 3)
        assert opening == [RETRY, b"now"]
        # On a slow machine it may already be behind.
        assert unasked in (_message(1), sse("resync", b"{}"))
        await stream.aclose()

    _play(scenario, always=True)


def test_a_stream_ends_when_its_session_does() -> None:
    async def scenario(_: Source, channel: Channel) -> None:
        answers = iter([True, False])

        async def alive() -> bool:
            return next(answers)

        stream = channel.stream(ANA, None, alive)
        assert [await anext(stream), await anext(stream)] == [RETRY, b"now"]
        channel.mark(str(ANA))
        assert [message async for message in stream] == [_message(1)]
        assert channel.viewers() == 0

    _play(scenario)


def test_a_quiet_stream_shows_that_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.01)

    async def scenario(_: Source, channel: Channel) -> None:
        stream = _open(channel)
        assert (await _take(stream, 4))[2:] == [b"event: heartbeat\ndata: {}\n\n"] * 2
        await stream.aclose()

    _play(scenario)
