"""Dashboards: one snapshot for all who see the same, changes in order, and nobody who waits for a slow reader."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, cast

import msgspec
import pytest

from finer.app import boards, viewers
from finer.app.boards import Boards, Scope
from finer.app.live import HEARTBEAT_S, STILL_HERE
from finer.app.viewers import Viewer
from finer.kit.errors import Unavailable

ANA, BUDI = uuid.UUID(int=1), uuid.UUID(int=2)


def scope(tenant: uuid.UUID = ANA, **changes: Any) -> Scope:
    return msgspec.structs.replace(Scope(tenant=tenant, board="orders", sees=("finance:read",), span="24h"), **changes)


class Source:
    """A document of two parts, of which one counts how often it was asked for."""

    def __init__(self) -> None:
        self.asked: list[Scope] = []
        self.broken = False
        self.still = False
        self.gate: threading.Event | None = None

    def compute(self, wanted: Scope) -> Mapping[str, msgspec.Raw]:
        self.asked.append(wanted)
        if self.gate is not None:
            assert self.gate.wait(20)
        if self.broken:
            self.broken = False
            raise ConnectionError("the database went away")
        number = 1 if self.still else len(self.asked)
        return {"count": msgspec.Raw(b"%d" % number), "name": msgspec.Raw(b'"same"')}


async def _yes() -> bool:
    return True


def _open(
    found: Boards, wanted: Scope | None = None, last: str = "", alive: Callable[[], Awaitable[bool]] = _yes
) -> AsyncGenerator[bytes]:
    return cast("AsyncGenerator[bytes]", found.stream(wanted or scope(), last, alive))


async def _take(stream: AsyncGenerator[bytes], count: int) -> list[tuple[str, str, Any]]:
    """The next events, as (name, id, data)."""
    found: list[tuple[str, str, Any]] = []
    while len(found) < count:
        fields = dict(
            line.split(": ", 1) for line in (await asyncio.wait_for(anext(stream), 20)).decode().splitlines() if line
        )
        if "event" in fields:
            found.append((fields["event"], fields["id"], msgspec.json.decode(fields["data"])))
    return found


def _play(scenario: Callable[[Source, Boards], Awaitable[None]]) -> None:
    async def play() -> None:
        source = Source()
        found = Boards(source.compute, tick_s=0)
        found.start()
        try:
            await scenario(source, found)
        finally:
            await found.close()

    asyncio.run(play())


def test_all_viewers_of_a_scope_get_the_same_and_it_is_made_once() -> None:
    async def scenario(source: Source, found: Boards) -> None:
        streams = [_open(found) for _ in range(20)]
        first = await asyncio.gather(*(_take(stream, 1) for stream in streams))
        assert all(events == first[0] for events in first)
        assert first[0][0][0] == "board"
        assert first[0][0][2] == {"count": 1, "name": "same"}
        await asyncio.to_thread(found.mark, str(ANA))
        second = await asyncio.gather(*(_take(stream, 1) for stream in streams))
        assert all(events == second[0] for events in second)
        # Only what changed is sent.
        assert second[0][0][0] == "change"
        assert second[0][0][2] == {"count": 2}
        assert len(source.asked) == 2
        assert found.viewers() == 20
        for stream in streams:
            await stream.aclose()
        assert found.viewers() == 0

    _play(scenario)


def test_what_moves_slowly_is_not_made_at_every_change() -> None:
    async def play() -> None:
        source = Source()
        found = Boards(source.compute, tick_s=0, pace_s=lambda wanted: 3600.0 if wanted.board == "slow" else 0.0)
        found.start()
        try:
            slow, quick = scope(board="slow"), scope()
            streams = [_open(found, slow), _open(found, quick)]
            for stream in streams:
                await _take(stream, 1)
            found.mark(str(ANA))
            await _take(streams[1], 1)
            # Who comes meanwhile gets what there is.
            assert (await found.snapshot(slow)).version == 1
            assert [one.board for one in source.asked] == ["slow", "orders", "orders"]
            for stream in streams:
                await stream.aclose()
        finally:
            await found.close()

    asyncio.run(play())


def test_scopes_and_firms_share_nothing() -> None:
    async def scenario(source: Source, found: Boards) -> None:
        wanted = [scope(), scope(sees=()), scope(region="PH"), scope(BUDI)]
        streams = [_open(found, one) for one in wanted]
        for stream in streams:
            await _take(stream, 1)
        source.asked.clear()
        found.mark(str(BUDI))
        await _take(streams[3], 1)
        assert source.asked == [wanted[3]]
        for stream in streams:
            await stream.aclose()

    _play(scenario)


def test_who_comes_back_gets_what_was_missed_and_a_stranger_the_whole() -> None:
    async def scenario(_: Source, found: Boards) -> None:
        stream = _open(found)
        begun = (await _take(stream, 1))[0][1]
        for _again in range(3):
            found.mark(str(ANA))
            await _take(stream, 1)
        back = _open(found, last=begun)
        assert [data for _, _, data in await _take(back, 3)] == [{"count": 2}, {"count": 3}, {"count": 4}]
        for odd in ("ffffffff-1", begun + "0", "-", "x" * 64, begun.split("-", maxsplit=1)[0] + "--1"):
            other = _open(found, last=odd)
            assert [name for name, _, _ in await _take(other, 1)] == ["board"]
            await other.aclose()
        await back.aclose()
        await stream.aclose()

    _play(scenario)


def test_a_poller_gets_what_is_known_until_something_is_told() -> None:
    async def scenario(source: Source, found: Boards) -> None:
        one = await found.snapshot(scope())
        assert (await found.snapshot(scope())).etag == one.etag
        assert len(source.asked) == 1
        stream = _open(found)
        await _take(stream, 1)
        found.mark(str(ANA))
        await _take(stream, 1)
        again = await found.snapshot(scope())
        assert again.etag != one.etag
        assert len(source.asked) == 2
        await stream.aclose()

    _play(scenario)


def test_what_is_made_anew_and_is_the_same_is_no_change() -> None:
    async def scenario(source: Source, found: Boards) -> None:
        source.still = True
        stream = _open(found)
        await _take(stream, 1)
        before = await found.snapshot(scope())
        found.mark(str(ANA))
        while len(source.asked) < 2:  # noqa: ASYNC110 - it is asked on a thread, which tells nobody
            await asyncio.sleep(0)
        assert (await found.snapshot(scope())).etag == before.etag
        await stream.aclose()

    _play(scenario)


def test_many_who_ask_at_once_wait_for_one_answer() -> None:
    async def scenario(source: Source, found: Boards) -> None:
        source.gate = threading.Event()
        asking = [asyncio.create_task(found.snapshot(scope())) for _ in range(50)]
        asking[0].cancel()
        while not source.asked:  # noqa: ASYNC110 - it is asked on a thread, which tells nobody
            await asyncio.sleep(0)
        source.gate.set()
        assert len({one.etag for one in await asyncio.gather(*asking[1:])}) == 1
        assert len(source.asked) == 1

    _play(scenario)


def test_a_viewer_that_does_not_read_finds_the_whole_and_holds_little() -> None:
    viewer = Viewer(_yes)
    for number in range(100):
        viewer.offer(b"change %d" % number, b"whole %d" % number)
    held = viewer.held()
    assert len(held) <= viewers._HELD_MAX
    assert held[0] is not None
    assert held[0].startswith(b"whole ")
    first = int(held[0].split()[1])
    assert held[1:] == [b"change %d" % number for number in range(first + 1, 100)]


def test_a_failed_snapshot_is_made_again_and_ends_no_stream() -> None:
    async def scenario(source: Source, found: Boards) -> None:
        stream = _open(found)
        await _take(stream, 1)
        source.broken = True
        found.mark(str(ANA))
        assert [data for _, _, data in await _take(stream, 1)] == [{"count": 3}]
        await stream.aclose()

    _play(scenario)


def test_whoever_loses_the_right_is_cut_at_once_and_others_stay() -> None:
    async def scenario(_: Source, found: Boards) -> None:
        good = True

        async def alive() -> bool:
            return good

        leaving, staying = _open(found, alive=alive), _open(found)
        await _take(leaving, 1)
        await _take(staying, 1)
        good = False
        await asyncio.to_thread(found.suspect, str(ANA))
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(leaving), 5)
        assert found.viewers() == 1
        found.mark(str(ANA))
        await _take(staying, 1)
        await staying.aclose()

    _play(scenario)


@pytest.mark.parametrize("turns", range(6))
def test_a_change_at_the_moment_of_the_end_does_not_hold_it_up(turns: int) -> None:
    async def scenario(_source: Source, found: Boards) -> None:
        for _ in range(5):  # it waits for a change by now
            await asyncio.sleep(0)
        found.mark(str(ANA))
        for _ in range(turns):
            await asyncio.sleep(0)
        await asyncio.wait_for(found.close(), 5)

    _play(scenario)


def test_only_those_whose_rights_changed_are_looked_at() -> None:
    async def scenario(_source: Source, found: Boards) -> None:
        looked_at: list[str] = []

        def of(name: str, tenant: uuid.UUID, person: uuid.UUID) -> AsyncGenerator[bytes]:
            async def alive() -> bool:
                looked_at.append(name)
                return True

            return cast("AsyncGenerator[bytes]", found.stream(scope(tenant), "", alive, person))

        one, two = uuid.UUID(int=11), uuid.UUID(int=12)
        streams = [of("one", ANA, one), of("two", ANA, two), of("elsewhere", BUDI, one)]
        for stream in streams:
            await _take(stream, 1)
        for payload, expected in (
            (f"{ANA} {one}", ["one"]),
            (f"{ANA}", ["one", "two"]),
            ("", ["elsewhere", "one", "two"]),
        ):
            looked_at.clear()
            await asyncio.to_thread(found.suspect, payload)
            async with asyncio.timeout(20):
                while len(looked_at) < len(expected):  # noqa: ASYNC110 - a look tells nobody
                    await asyncio.sleep(0)
            for _ in range(50):  # nobody else is looked at after it
                await asyncio.sleep(0)
            assert sorted(looked_at) == expected
        for stream in streams:
            await stream.aclose()

    _play(scenario)


def test_looking_again_at_sessions_holds_no_number_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewers, "_LOOK_EVERY_S", 1)
    monkeypatch.setattr(viewers, "_PASS_S", 0.01)

    async def scenario(_: Source, found: Boards) -> None:
        looking, may = asyncio.Event(), asyncio.Event()

        async def alive() -> bool:
            looking.set()
            await may.wait()
            return False

        stream = _open(found, alive=alive)
        await _take(stream, 1)
        await asyncio.wait_for(looking.wait(), 20)
        found.mark(str(ANA))
        assert [name for name, _, _ in await _take(stream, 1)] == ["change"]
        may.set()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(stream), 20)

    _play(scenario)


def test_a_look_that_hangs_keeps_nobody_else_without_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewers, "_PASS_S", 0.01)
    monkeypatch.setattr(viewers, "HEARTBEAT_S", 0.0)

    async def scenario(_source: Source, found: Boards) -> None:
        looking, never = asyncio.Event(), asyncio.Event()

        async def alive() -> bool:
            looking.set()
            await never.wait()
            return True

        hanging, other = _open(found, alive=alive), _open(found)
        await _take(hanging, 1)
        await _take(other, 1)
        await asyncio.to_thread(found.suspect, str(ANA))
        await asyncio.wait_for(looking.wait(), 20)
        for _ in range(3):
            assert await asyncio.wait_for(anext(other), 20) == STILL_HERE
        await hanging.aclose()
        await other.aclose()

    _play(scenario)


def test_a_look_that_fails_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewers, "_PASS_S", 0.01)
    monkeypatch.setattr(viewers, "_LOOK_S", 0.01)
    monkeypatch.setattr(viewers, "_AGAIN_S", 0.0)

    async def scenario(_: Source, found: Boards) -> None:
        looks = 0

        async def alive() -> bool:
            nonlocal looks
            looks += 1
            if looks == 1:
                await asyncio.Event().wait()  # longer than it may take
            if looks == 2:
                raise ConnectionError("the database went away")
            return False

        stream = _open(found, alive=alive)
        await _take(stream, 1)
        await asyncio.to_thread(found.suspect, str(ANA))
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(stream), 20)
        assert looks == 3

    _play(scenario)


def test_a_right_that_is_lost_while_a_stream_is_being_opened_ends_it() -> None:
    async def scenario(_source: Source, found: Boards) -> None:
        async def alive() -> bool:
            return False

        person = uuid.UUID(int=11)
        stream = cast("AsyncGenerator[bytes]", found.stream(scope(), "", alive, person))
        await asyncio.to_thread(found.suspect, f"{ANA} {person}")  # nobody reads it yet
        other = _open(found)
        await _take(other, 1)
        for _ in range(50):  # the notification has been heard
            await asyncio.sleep(0)

        async def read_on() -> None:
            while True:
                await asyncio.wait_for(anext(stream), 20)

        with pytest.raises(StopAsyncIteration):
            await read_on()
        await other.aclose()

    _play(scenario)


def test_the_end_of_a_slow_reader_is_not_lost_among_what_it_has_not_read() -> None:
    viewer = Viewer(_yes)
    viewer.offer(b"change")
    viewer.end()
    for number in range(100):
        viewer.offer(b"change %d" % number, b"whole")
    assert viewer.held() == [None]


def test_a_sign_of_life_comes_where_nothing_is_told_and_takes_the_place_of_nothing() -> None:
    viewer = Viewer(_yes)
    viewer.say_still_here(viewer.told_at + HEARTBEAT_S / 2)
    assert viewer.held() == []
    late = viewer.told_at + HEARTBEAT_S * 2
    viewer.say_still_here(late)
    viewer.say_still_here(late + 1)
    assert viewer.held() == [STILL_HERE]
    changes = [b"change %d" % number for number in range(viewers._HELD_MAX)]
    for change in changes:
        viewer.offer(change, b"whole")
    viewer.say_still_here(late * 2)
    assert viewer.held() == changes


def test_a_tick_that_takes_longer_than_its_interval_is_followed_by_one_and_not_by_all_that_were_due() -> None:
    async def scenario(source: Source, found: Boards) -> None:
        stream, other = _open(found), _open(found, scope(BUDI))
        await _take(stream, 1)
        await _take(other, 1)
        source.gate = threading.Event()
        found.mark(str(ANA))
        while len(source.asked) < 3:  # noqa: ASYNC110 - it is asked on a thread, which tells nobody
            await asyncio.sleep(0)
        for _ in range(50):  # much happens while the tick is at work, and more ticks would be due
            found.mark(str(ANA))
            await asyncio.sleep(0)
        source.gate.set()
        assert [name for name, _, _ in await _take(stream, 2)] == ["change", "change"]
        assert source.asked[2:] == [scope(), scope()]
        # Whoever looks at something else is served as ever.
        found.mark(str(BUDI))
        await _take(other, 1)
        await stream.aclose()
        await other.aclose()

    _play(scenario)


def test_draining_ends_every_stream() -> None:
    async def scenario(_: Source, found: Boards) -> None:
        stream = _open(found)
        await _take(stream, 1)
        found.end()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(stream), 5)

    _play(scenario)


def test_scopes_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "_SCOPES_MAX", 3)

    async def scenario(_: Source, found: Boards) -> None:
        for number in range(3):
            await found.snapshot(scope(region=str(number)))
        with pytest.raises(Unavailable, match="different views"):
            _open(found, scope(region="one more"))
        await found.snapshot(scope(BUDI))

    _play(scenario)


def test_who_tries_views_without_end_takes_none_from_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "_SCOPES_MAX", 5)
    monkeypatch.setattr(boards, "_SCOPES_EACH_MAX", 3)
    eager, calm = uuid.UUID(int=7), uuid.UUID(int=8)

    async def scenario(source: Source, found: Boards) -> None:
        stream = cast("AsyncGenerator[bytes]", found.stream(scope(region="open"), "", _yes, eager))
        await _take(stream, 1)
        for number in range(20):
            await found.snapshot(scope(region=str(number)), eager)
        for number in range(2):
            await found.snapshot(scope(region=f"calm {number}"), calm)
        before = len(source.asked)
        await found.snapshot(scope(region="calm 0"), eager)  # what a colleague asked for is nobody's share
        await found.snapshot(scope(region="19"), eager)
        assert len(source.asked) == before
        found.mark(str(ANA))
        await _take(stream, 1)  # what is looked at stays

    _play(scenario)


def test_who_looks_at_a_whole_share_of_views_closes_one_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "_SCOPES_EACH_MAX", 2)
    eager = uuid.UUID(int=7)

    async def scenario(_: Source, found: Boards) -> None:
        streams = [
            cast("AsyncGenerator[bytes]", found.stream(scope(region=str(number)), "", _yes, eager))
            for number in range(2)
        ]
        for stream in streams:
            await _take(stream, 1)
        with pytest.raises(Unavailable, match="Close one of them"):
            await found.snapshot(scope(region="one more"), eager)
        await streams[0].aclose()
        await found.snapshot(scope(region="one more"), eager)

    _play(scenario)
