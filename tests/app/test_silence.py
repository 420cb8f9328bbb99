"""The watch over a database that answers nobody: when it says so, and when it begins to count anew."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator

import pytest

from finer.app.silence import SilenceWatch, told
from finer.kit.actors import SYSTEM
from finer.kit.database_gone import DatabaseGone
from finer.kit.db import API, DATABASE_GONE, Database, answers, connect, server_answers, server_is_silent

_PATIENCE = 16
"""Looks in eight seconds."""


@pytest.fixture
def watch() -> Iterator[SilenceWatch]:
    """One that never hears anything, and that nobody answers."""
    yield SilenceWatch(lambda: 0.0, lambda: False)
    server_answers(True)


def _look(watch: SilenceWatch, times: int) -> bool:
    """Whether the database is held to be silent after so many looks."""
    for _ in range(times):
        watch.look()
    return server_is_silent()


def test_nothing_heard_for_eight_seconds_is_silence(watch: SilenceWatch) -> None:
    assert not _look(watch, _PATIENCE - 1)
    assert _look(watch, 1)


def test_who_was_answered_before_the_listener_was_is_not_cut_off_again(watch: SilenceWatch) -> None:
    assert _look(watch, 2 * _PATIENCE - 1)
    server_answers(True)  # as whoever opens a connection says
    assert not _look(watch, _PATIENCE)
    assert _look(watch, 1)


def test_a_server_that_is_back_before_its_listener_is_not_silent() -> None:
    # It refused connections for as long, and opens them again; that of the listener is opened within half a second.
    watch = SilenceWatch(lambda: 0.0, lambda: True)
    assert not _look(watch, 3 * _PATIENCE)


def test_asking_once_more_tells_a_server_that_answers_from_one_that_does_not(database_url: str) -> None:
    assert answers(database_url, API)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        port = mute.getsockname()[1]
        assert not answers(f"postgresql://postgres@127.0.0.1:{port}/finer", API)
    assert not answers(f"postgresql://postgres@127.0.0.1:{port}/finer", API)


def test_who_stood_still_in_a_transaction_is_told_that_the_connection_ended(
    database: Database, database_url: str, tenant: uuid.UUID
) -> None:
    # The server ends such a transaction; this process was paused, or the machine slept, and finds that out afterwards.
    # Also whoever goes on after what DATABASE_GONE names, as the keepers and the jobs do. The driver passes on the
    # server's last word, or, when it met the closed connection first, only that it was closed.
    with pytest.raises(DATABASE_GONE, match=r"idle-in-transaction|closed the connection") as raised:
        _stand_still(database, database_url, tenant)
    found = told(raised.value)
    assert isinstance(found, DatabaseGone)
    # By this pages know it, and say it in words of their own (web/src/shared/ui/states.tsx).
    assert found.problem("/")["type"] == "urn:finer:problem:database-gone"
    assert isinstance(told(ExceptionGroup("of a route", [raised.value])), DatabaseGone)
    with database.transaction(tenant, SYSTEM, read_only=True) as tx:
        assert tx.connection.exec_driver_sql("select 1").scalar_one() == 1


def _stand_still(database: Database, database_url: str, tenant: uuid.UUID) -> None:
    with database.transaction(tenant, SYSTEM, read_only=True) as tx, connect(database_url) as watcher:
        process = tx.connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
        tx.connection.exec_driver_sql("set idle_in_transaction_session_timeout = 1")
        for _ in range(20_000):
            if not watcher.execute("select from pg_stat_activity where pid = %s", (process,)).fetchall():
                break
        tx.connection.exec_driver_sql("select 1")
