"""Live signals between processes: PostgreSQL NOTIFY received by one listening connection per process."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Mapping

import psycopg
import structlog

from finer.kit.db import Connection, connect
from finer.kit.socket_ends import end_connection

_log = structlog.get_logger(__name__)
_RECONNECT_S = 0.5
_ASK_S = 0.5
"""How often the server is asked whether there was anything, beside what it tells by itself."""


def receive(connection: Connection, timeout_s: float, *, beside: int | None = None) -> list[tuple[str, str]]:
    """The notifications (channel, payload) that are there or come within `timeout_s`; it returns at the first ones.

    It returns as well, with none, when there is something to be read from the socket `beside`.

    Raises DatabaseError when the server has closed the connection, at the latest at the call after the one that
    the closing ended.
    """
    # What came together with the answer to a statement was read from the socket with it.
    found = _arrived(connection)
    if not found and _has_data(connection, timeout_s, beside):
        connection.pgconn.consume_input()
        found = _arrived(connection)
    if connection.pgconn.status != psycopg.pq.ConnStatus.OK:
        raise psycopg.OperationalError("The server closed the connection.")
    return found


def overhear(connection: Connection, handler: Callable[[str, str], object]) -> None:
    """Call a handler with the channel and payload of what the driver takes from the socket with an answer.

    It does so at each `execute`, before `receive` can see it, and keeps it for ever where it has no handler.
    """

    def tell(heard: psycopg.Notify) -> None:
        handler(heard.channel, heard.payload)

    connection.add_notify_handler(tell)


def _has_data(connection: Connection, timeout_s: float, beside: int | None) -> bool:
    # Not select(): with thousands of open streams this connection may have a number that is too high for it.
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    if beside is not None:
        waiting.register(beside, select.POLLIN)
    return any(number != beside for number, _ in waiting.poll(timeout_s * 1000))


def _arrived(connection: Connection) -> list[tuple[str, str]]:
    found = []
    while (notification := connection.pgconn.notifies()) is not None:
        found.append((notification.relname.decode(), notification.extra.decode()))
    return found


class Listener:
    """Calls `handlers[channel](payload)` for every notification, on its own thread.

    Whenever it begins to listen, so also after a lost connection, it calls every handler with an empty payload: "look
    for yourself".
    """

    heard_at: float = float("-inf")
    """In monotonic seconds: what was notified before it, handlers were told. It stands still while nothing is heard."""

    def __init__(
        self, url: str, role: str, handlers: Mapping[str, Callable[[str], None]], *, name: str = "finer-listener"
    ) -> None:
        self._url, self._role, self._handlers, self._name = url, role, handlers, name
        self._connection: Connection | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening and wait for the thread."""
        self._stop.set()
        self._thread.join(timeout=5)

    def renew(self) -> None:
        """End a connection on which nothing is heard, though the server answers on others; another one is opened."""
        if (connection := self._connection) is not None:
            end_connection(connection)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with connect(self._url, self._role, name=self._name, to_hear=True) as connection:
                    self._connection = connection
                    for channel in self._handlers:
                        connection.execute(f'listen "{channel}"')
                    now = time.monotonic()
                    # Of the first connection too: what was notified before it, nobody was told.
                    for handler in self._handlers.values():
                        handler("")
                    self.heard_at = now
                    self._receive(connection)
            except psycopg.Error as error:
                _log.warning("listener lost its connection", error=str(error))
                self._stop.wait(_RECONNECT_S)
            except Exception:  # noqa: BLE001 - without this thread nobody would be told anything for ever
                _log.exception("a handler of notifications failed; the listener begins anew, and tells all to look")
                self._stop.wait(_RECONNECT_S)

    def _receive(self, connection: Connection) -> None:
        while not self._stop.is_set():
            self._tell(receive(connection, _ASK_S))
            now = time.monotonic()
            if now - self.heard_at >= _ASK_S:
                # The server sends what was notified before it answers, and a connection that is lost does not answer.
                connection.pgconn.exec_(b"select 1")
                self._tell(receive(connection, 0))
                self.heard_at = now

    def _tell(self, found: list[tuple[str, str]]) -> None:
        for channel, payload in found:
            handler = self._handlers.get(channel)
            if handler is not None:
                handler(payload)
