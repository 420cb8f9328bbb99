"""Closed-model load: a fixed number of viewers, each asking again as soon as it is answered; on one thread, by epoll.

It says how many answers per second a server gives at most. How long viewers wait is said by `bench.load.arrivals`.
"""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass, field


@dataclass
class Answers:
    """Answers in time, what each took in seconds, and first lines of those that were not 200."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def per_s(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds


@dataclass(eq=False)
class _Viewer:
    socket: socket.socket
    asked_at: float = 0.0
    received: bytes = b""


def ask_over_and_over(port: int, path: str, headers: str, *, viewers: int, seconds: float) -> Answers:
    """GET `path` by that many viewers for that long. Raises OSError when a connection breaks."""
    request = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{headers}\r\n".encode()
    epoll, by_fd, found = select.epoll(), {}, Answers()
    begun = time.perf_counter()
    for _ in range(viewers):
        viewer = _Viewer(socket.create_connection(("127.0.0.1", port)))
        viewer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        by_fd[viewer.socket.fileno()] = viewer
        epoll.register(viewer.socket.fileno(), select.EPOLLIN)
        _ask(viewer, request)
    while (now := time.perf_counter()) - begun < seconds:
        for fd, _ in epoll.poll(0.1, 1024):
            viewer = by_fd[fd]
            part = viewer.socket.recv(262_144)
            if not part:
                raise ConnectionError(f"The server closed a connection after {now - begun:.1f} s.")
            viewer.received += part
            if _whole(viewer.received):
                if viewer.received[9:12] != b"200":
                    found.failures.append(viewer.received.split(b"\r\n", 1)[0].decode("latin-1"))
                found.latencies.append(time.perf_counter() - viewer.asked_at)
                _ask(viewer, request)
    found.seconds = time.perf_counter() - begun
    for viewer in by_fd.values():
        viewer.socket.close()
    epoll.close()
    return found


def _ask(viewer: _Viewer, request: bytes) -> None:
    viewer.received, viewer.asked_at = b"", time.perf_counter()
    viewer.socket.sendall(request)


def _whole(received: bytes) -> bool:
    """Whether an answer with an announced length is complete."""
    head, found, body = received.partition(b"\r\n\r\n")
    if not found:
        return False
    lengths = [line[15:] for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:"]
    return len(body) >= int(lengths[0] if lengths else 0)
