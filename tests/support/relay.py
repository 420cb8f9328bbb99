"""A TCP port on loopback that leads to another port or to a Unix socket, and can be cut in the middle of a transfer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Relay:
    """Carries bytes both ways until it is cut."""

    def __init__(self, target: str | int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        self._left: int | None = None
        self._lost = False
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection now; new ones are accepted again."""
        with self._lock:
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def cut_after(self, size: int) -> None:
        """End every connection after so many more bytes from the server."""
        self._left = size

    def lose(self) -> None:
        """End every connection now, and every new one at once until `restore`."""
        self._lost = True
        self.cut()

    def restore(self) -> None:
        """Carry again what comes from now on."""
        self._lost = False

    def close(self) -> None:
        """Stop listening, and cut."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._lost:
                    client.close()
                    continue
                server = self._connect()
                self._open += [client, server]
            threading.Thread(target=self._carry, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, True), daemon=True).start()

    def _connect(self) -> socket.socket:
        if isinstance(self._target, int):
            return socket.create_connection(("127.0.0.1", self._target))
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._target)
        return server

    def _carry(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                if counted and self._left is not None:
                    self._left -= len(data)
                    if self._left < 0:
                        self._left = None
                        self.cut()
                        break
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def relaying(target: str | int) -> Iterator[Relay]:
    """A relay to a Unix socket or to a port of loopback, until the block ends."""
    relay = Relay(target)
    try:
        yield relay
    finally:
        relay.close()
