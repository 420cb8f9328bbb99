"""The watch over a database that answers nobody: when it says so, and when it begins to count anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from finer.app.silence import SilenceWatch
from finer.kit.db import server_answers, server_is_silent

_PATIENCE = 20
"""Looks in ten seconds."""


@pytest.fixture
def watch() -> Iterator[SilenceWatch]:
    """One that never hears anything."""
    yield SilenceWatch(lambda: 0.0)
    server_answers(True)


def _look(watch: SilenceWatch, times: int) -> bool:
    """Whether the database is held to be silent after so many looks."""
    for _ in range(times):
        watch.look()
    return server_is_silent()


def test_nothing_heard_for_ten_seconds_is_silence(watch: SilenceWatch) -> None:
    assert not _look(watch, _PATIENCE - 1)
    assert _look(watch, 1)


def test_who_was_answered_before_the_listener_was_is_not_cut_off_again(watch: SilenceWatch) -> None:
    assert _look(watch, 2 * _PATIENCE - 1)
    server_answers(True)  # as whoever opens a connection says
    assert not _look(watch, _PATIENCE)
    assert _look(watch, 1)
