"""The process that reads sources: what one does wrong stays with it, and each has one reader."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from finer.app.sources import Sources
from finer.sources.service import manage
from finer.sources.types import FolderSettings, State
from tests.sources.conftest import Desk

HEAD = "event_id,occurred_at,customer_id,amount\n"


@contextmanager
def _working(desk: Desk) -> Iterator[Sources]:
    process = Sources(desk.url, desk.firm.settings)
    thread = threading.Thread(target=process.work, daemon=True)
    thread.start()
    try:
        yield process
    finally:
        process.stop()
        thread.join(20)
        assert not thread.is_alive()


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "It did not happen in time."
        threading.Event().wait(0.05)


def test_a_source_that_fails_holds_back_no_other_and_two_processes_share_the_work(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = desk.folder / "good", desk.folder / "bad"
    good.mkdir()
    first = desk.add(FolderSettings(folder=str(good), settle_s=0))
    second = desk.add(FolderSettings(folder=str(bad)))
    (good / "a.csv").write_text(HEAD + "e1,2026-11-20T10:00:00Z,c,1\n")
    with _working(desk), _working(desk):
        _until(lambda: desk.now(first).accepted == 1)
        _until(lambda: desk.now(second).state is State.FAILING)
        assert "cannot be listed" in desk.now(second).error
        (good / "b.csv").write_text(HEAD + "e2,2026-11-20T10:00:00Z,c,1\n")
        _until(lambda: desk.now(first).accepted == 2)
        # What is paused is left alone; what is resumed goes on at once.
        with desk.firm.tx() as tx:
            manage.pause(tx, first.id)
        (good / "c.csv").write_text(HEAD + "e3,2026-11-20T10:00:00Z,c,1\n")
        bad.mkdir()
        with desk.firm.tx() as tx:
            manage.resume(tx, second.id)
        _until(lambda: desk.now(second).state is State.RUNNING)
        assert desk.now(first).accepted == 2
        with desk.firm.tx() as tx:
            manage.resume(tx, first.id)
        _until(lambda: desk.now(first).accepted == 3)
    assert sorted(record["event_id"] for record in desk.logged()) == ["e1", "e2", "e3"]


def test_sources_wait_while_the_pipeline_is_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    behind = {"events": 10**9}
    monkeypatch.setattr("finer.app.sources.PostgresLog.consumed", lambda *_: {("transaction", 0): 0})
    monkeypatch.setattr("finer.app.sources.PostgresLog.heads", lambda *_: {("transaction", 0): behind["events"]})
    source = desk.add(FolderSettings(folder=str(desk.folder), settle_s=0))
    with _working(desk):
        _until(lambda: desk.now(source).failures == 0 and desk.now(source).lag is not None)
        (desk.folder / "a.csv").write_text(HEAD + "e1,2026-11-20T10:00:00Z,c,1\n")
        threading.Event().wait(3)
        assert desk.now(source).accepted == 0
        behind["events"] = 0
        _until(lambda: desk.now(source).accepted == 1)
