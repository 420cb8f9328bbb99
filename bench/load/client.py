"""A browser's connection as cheap as it can be: HTTP/1.1 on a plain socket, any method, one request at a time."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

_IDLE_MAX_S = 3.0
"""A connection that idled for longer is opened anew, as the other side may be about to close it."""


@dataclass(frozen=True)
class Call:
    """One request: what kind it counts as, and the answers that are good."""

    kind: str
    method: str
    path: str
    headers: str = ""
    """Lines of headers, each ended by CR LF."""
    body: bytes = b""
    good: tuple[int, ...] = (200,)


@dataclass(frozen=True)
class Answer:
    """Status, header lines in lower case, and body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Browser:
    """One keep-alive connection to a port of this machine, from any loopback address."""

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        self._port, self._address = port, address
        self._socket: socket.socket | None = None
        self._used_at = 0.0

    def ask(self, call: Call) -> Answer:
        """Send a request and read its answer. Raises OSError when the connection breaks."""
        host = f"127.0.0.1:{self._port}"
        head = f"{call.method} {call.path} HTTP/1.1\r\nhost: {host}\r\n{call.headers}"
        if call.body or call.method in ("POST", "PUT"):
            head += f"content-length: {len(call.body)}\r\n"
        if call.method != "GET":
            head += f"origin: http://{host}\r\nx-requested-with: finer\r\n"
        connection = self._connected()
        try:
            connection.sendall(head.encode() + b"\r\n" + call.body)
            answer = _read(connection)
        except OSError:
            self.close()
            raise
        if answer.headers.get("connection") == "close":
            self.close()
        self._used_at = time.monotonic()
        return answer

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        if self._socket is not None and time.monotonic() - self._used_at > _IDLE_MAX_S:
            self.close()
        if self._socket is None:
            self._socket = socket.create_connection(
                ("127.0.0.1", self._port), timeout=30, source_address=(self._address, 0)
            )
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket


def _read(connection: socket.socket) -> Answer:
    received = b""
    while b"\r\n\r\n" not in received:
        received += _receive(connection)
    head, body = received.split(b"\r\n\r\n", 1)
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    status = int(first.split()[1])
    wanted = 0 if status in (204, 304) else int(headers.get("content-length", "0"))
    while len(body) < wanted:
        body += _receive(connection)
    return Answer(status, headers, body)


def _receive(connection: socket.socket) -> bytes:
    part = connection.recv(262_144)
    if not part:
        raise ConnectionError("The server closed the connection.")
    return part
