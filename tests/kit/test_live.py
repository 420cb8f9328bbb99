"""Notifications reach the handlers of their channel, and a lost connection is told and mended."""

from __future__ import annotations

import os
import queue
import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from finer.app.silence import SilenceWatch
from finer.kit.db import API, Connection, DatabaseError, answers, connect, server_answers, server_is_silent
from finer.kit.live import Listener, receive

PATIENCE_S = 20.0
_SELECT_MAX = 1024
_NAME = "finer-test-listener"


def _is_closed(connection: Connection) -> bool:
    try:
        receive(connection, PATIENCE_S)
    except DatabaseError:
        return True
    return False


def _notify(database_url: str, channel: str, payload: str) -> None:
    with connect(database_url) as connection:
        connection.execute("select pg_notify(%s, %s)", (channel, payload))


def _listeners(database_url: str) -> list[int]:
    """Backends that wait for notifications of these tests."""
    with connect(database_url) as connection:
        rows = connection.execute(
            "select pid from pg_stat_activity where application_name = %s and state = 'idle'", (_NAME,)
        )
        return [row[0] for row in rows.fetchall()]


@contextmanager
def _listening(database_url: str, received: queue.Queue[str], other: queue.Queue[str]) -> Iterator[Listener]:
    listener = Listener(database_url, API, {"test_one": received.put, "test_other": other.put}, name=_NAME)
    listener.start()
    try:
        # What is sent before it listens is lost, as with any LISTEN.
        assert [one.get(timeout=PATIENCE_S) for one in (received, other)] == ["", ""]
        yield listener
    finally:
        listener.close()


def test_a_handler_hears_its_channel_only_and_in_order(database_url: str) -> None:
    received, other = queue.Queue[str](), queue.Queue[str]()
    with _listening(database_url, received, other):
        for payload in ("a", "b", "c"):
            _notify(database_url, "test_one", payload)
        _notify(database_url, "test_nobody", "x")
        assert [received.get(timeout=PATIENCE_S) for _ in range(3)] == ["a", "b", "c"]
    assert received.empty()


def test_after_a_lost_connection_every_handler_looks_for_itself(database_url: str) -> None:
    received, other = queue.Queue[str](), queue.Queue[str]()
    with _listening(database_url, received, other):
        (backend,) = _listeners(database_url)
        with connect(database_url) as connection:
            connection.execute("select pg_terminate_backend(%s)", (backend,))
        assert received.get(timeout=PATIENCE_S) == ""
        assert other.get(timeout=PATIENCE_S) == ""
        # The handlers are called once the new connection listens, so nothing from now on is missed.
        _notify(database_url, "test_one", "again")
        assert received.get(timeout=PATIENCE_S) == "again"


def test_a_connection_that_is_stuck_while_others_are_answered_is_begun_anew(database_url: str) -> None:
    received, other = queue.Queue[str](), queue.Queue[str]()
    with _listening(database_url, received, other) as listener:
        (backend,) = _listeners(database_url)
        stuck = psutil.Process(backend)
        stuck.suspend()
        try:
            watch = SilenceWatch(lambda: listener.heard_at, lambda: answers(database_url, API), listener.renew)
            for _ in range(16):  # looks in eight seconds
                watch.look()
            assert not server_is_silent()
            assert received.get(timeout=PATIENCE_S) == ""
        finally:
            stuck.resume()
        _notify(database_url, "test_one", "again")
        assert received.get(timeout=PATIENCE_S) == "again"


def test_a_handler_that_fails_does_not_end_the_listening(database_url: str) -> None:
    received, failures = queue.Queue[str](), [LookupError("what it looked for"), OSError("the disk")]

    def handle(payload: str) -> None:
        if failures:
            raise failures.pop()
        received.put(payload)

    listener = Listener(database_url, API, {"test_one": handle}, name=_NAME)
    listener.start()
    try:
        # It begins to listen anew, and who failed looks for itself once more.
        assert received.get(timeout=PATIENCE_S) == ""
        _notify(database_url, "test_one", "again")
        assert received.get(timeout=PATIENCE_S) == "again"
    finally:
        listener.close()


def test_handlers_can_ask_a_database_that_answers_again(database_url: str) -> None:
    received = queue.Queue[str]()

    def ask(_: str) -> None:
        with connect(database_url) as connection:
            received.put(str(connection.execute("select 'asked'").fetchall()[0][0]))

    listener = Listener(database_url, API, {"test_one": ask}, name=_NAME)
    server_answers(False)
    try:
        with pytest.raises(DatabaseError, match="not answered"):
            connect(database_url)
        # The listener is the first to come through. Who waits for what it tells looks for it at once.
        listener.start()
        assert received.get(timeout=PATIENCE_S) == "asked"
    finally:
        server_answers(True)
        listener.close()


def test_a_closed_listener_is_gone(database_url: str) -> None:
    received, other = queue.Queue[str](), queue.Queue[str]()
    with _listening(database_url, received, other):
        assert len(_listeners(database_url)) == 1
    assert _listeners(database_url) == []


def test_waiting_ends_with_the_time_given_or_with_an_error(database_url: str) -> None:
    with connect(database_url, API) as connection:
        connection.execute("listen test_one")
        assert receive(connection, 0) == []
        _notify(database_url, "test_one", "hello")
        assert receive(connection, PATIENCE_S) == [("test_one", "hello")]
        with connect(database_url) as owner:
            owner.execute("select pg_terminate_backend(%s)", (connection.info.backend_pid,))
        # The server's farewell and the end of the connection may come apart.
        assert any(_is_closed(connection) for _ in range(2))


def test_a_listener_works_among_thousands_of_open_connections(database_url: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    with ExitStack() as others:
        # The numbers that select() can take are used up.
        while (others.enter_context(Path(os.devnull).open("rb"))).fileno() < _SELECT_MAX:
            pass
        with connect(database_url) as connection:
            assert connection.fileno() > _SELECT_MAX
            connection.execute("listen test_high")
            assert receive(connection, 0.01) == []
            _notify(database_url, "test_high", "a")
            assert receive(connection, PATIENCE_S) == [("test_high", "a")]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
