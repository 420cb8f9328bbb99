"""A minimal HTTP/1.1 client on a plain socket: a load generator must not cost more than what it measures."""

from __future__ import annotations

import socket


class Connection:
    """One keep-alive connection that sends bodies and reads answers."""

    def __init__(self, port: int, api_key: str, path: str, content_type: str = "application/x-ndjson") -> None:
        self._port = port
        self._head = (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {api_key}\r\n"
            f"content-type: {content_type}\r\ncontent-length: "
        ).encode()
        self._socket = self._connect()

    def _connect(self) -> socket.socket:
        found = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        # Small bodies must not wait for acknowledgements of earlier ones.
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return found

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def post(self, body: bytes) -> tuple[int, bytes]:
        """Send one body; returns the status and the answer's body. Raises OSError when the connection breaks."""
        head = self._head + b"%d\r\n\r\n" % len(body)
        if len(body) < 65_536:
            self._socket.sendall(head + body)
        else:
            self._socket.sendall(head)
            self._socket.sendall(body)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._receive()
        headers, received = received.split(b"\r\n\r\n", 1)
        length = 0
        for line in headers.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(received) < length:
            received += self._receive()
        return int(headers[9:12]), received

    def _receive(self) -> bytes:
        part = self._socket.recv(65_536)
        if not part:
            raise ConnectionError("The server closed the connection.")
        return part
