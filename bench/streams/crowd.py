"""Thousands of viewers of live streams on one thread: non-blocking sockets, epoll, and no parsing but a search.

A viewer whose stream ends opens it anew after the time that browsers wait, with the id of the last event that it saw.
"""

from __future__ import annotations

import contextlib
import heapq
import re
import resource
import select
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

RETRY_S = 2.0
_CONNECTS_PER_S = 1_500
_PER_ADDRESS = 20_000  # below the number of ports that outgoing connections of one address may have
_ID = re.compile(rb"(?:^|\n)id: ([^\r\n]+)\r?\n")
_TAIL = 128
_END = b"\r\n0\r\n\r\n"
"""The end of a body in chunks; the connection itself may stay open."""


def allow_open_files(wanted: int) -> None:
    """Let this process and those that it starts have that many open files. Raises OSError when they may not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))


@dataclass(eq=False)
class _Viewer:
    number: int
    path: str
    headers: str
    socket: socket.socket | None = None
    answered: bool = False
    reads: bool = True
    last: bytes = b""
    tail: bytes = b""


@dataclass
class Marks:
    """When each viewer saw a text, by `time.perf_counter`; 0 for who has not."""

    text: bytes
    seen_at: np.ndarray
    complete: threading.Event = field(default_factory=threading.Event)
    missing: int = 0


class Crowd(threading.Thread):
    """Viewers of one port. `viewers` are (path, header lines); `stalled` of them never read what they are sent."""

    def __init__(self, port: int, viewers: Sequence[tuple[str, str]], *, addresses: int = 1, stalled: int = 0) -> None:
        super().__init__(daemon=True)
        self._port, self._addresses = port, addresses
        self._viewers = [_Viewer(number, *one) for number, one in enumerate(viewers)]
        for viewer in self._viewers[len(viewers) - stalled :]:
            viewer.reads = False
        self._stop_asked = threading.Event()
        self._epoll = select.epoll()
        self._by_fd: dict[int, _Viewer] = {}
        self._due: list[tuple[float, int]] = []
        self._marks: Marks | None = None
        self.all_open = threading.Event()
        self.open = 0
        self.bytes = 0
        self.reopened = 0
        self.resumed_with = 0
        """Streams that were opened anew with the id of an event."""
        self.refused: list[str] = []
        """First lines of answers that were not 200, and what broke before an answer."""

    def stop(self) -> None:
        """Close all streams and end the thread."""
        self._stop_asked.set()
        self.join()

    def look_for(self, text: bytes) -> Marks:
        """From now on, note when each viewer that reads first gets this text."""
        readers = sum(viewer.reads for viewer in self._viewers)
        self._marks = Marks(text, np.zeros(len(self._viewers)), missing=readers)
        return self._marks

    def run(self) -> None:
        begun = time.monotonic()
        self._due = [(begun + number / _CONNECTS_PER_S, number) for number in range(len(self._viewers))]
        while not self._stop_asked.is_set():
            now = time.monotonic()
            while self._due and self._due[0][0] <= now:
                self._connect(self._viewers[heapq.heappop(self._due)[1]])
            for fd, _ in self._epoll.poll(0.02, 4096):
                self._read(self._by_fd[fd])
        for viewer in self._by_fd.values():
            if viewer.socket is not None:
                viewer.socket.close()
        self._epoll.close()

    def _connect(self, viewer: _Viewer) -> None:
        host = f"127.0.0.1:{self._port}"
        again = f"last-event-id: {viewer.last.decode()}\r\n" if viewer.last else ""
        head = f"GET {viewer.path} HTTP/1.1\r\nhost: {host}\r\naccept: text/event-stream\r\n{viewer.headers}{again}\r\n"
        address = f"127.0.1.{1 + max(viewer.number % self._addresses, viewer.number // _PER_ADDRESS)}"
        viewer.socket = socket.socket()
        viewer.answered, viewer.tail = False, b""
        try:
            viewer.socket.bind((address, 0))
            viewer.socket.connect(("127.0.0.1", self._port))
            viewer.socket.sendall(head.encode())
        except OSError as error:
            self._ended(viewer, f"could not connect: {error!r}")
            return
        viewer.socket.setblocking(False)
        self.resumed_with += bool(again)
        self._by_fd[viewer.socket.fileno()] = viewer
        self._epoll.register(viewer.socket.fileno(), select.EPOLLIN)

    def _read(self, viewer: _Viewer) -> None:
        assert viewer.socket is not None
        try:
            data = viewer.socket.recv(262_144)
        except BlockingIOError:
            return
        except OSError as error:
            self._ended(viewer, "" if viewer.answered else f"broke before an answer: {error!r}")
            return
        if not data:
            self._ended(viewer, "" if viewer.answered else "ended before an answer")
            return
        self.bytes += len(data)
        if not viewer.answered:
            self._answered(viewer, data)
        joined = viewer.tail + data
        if found := _ID.findall(joined):
            viewer.last = found[-1]
        viewer.tail = joined[-_TAIL:]
        marks = self._marks
        if marks is not None and not marks.seen_at[viewer.number] and marks.text in joined:
            marks.seen_at[viewer.number] = time.perf_counter()
            marks.missing -= 1
            if not marks.missing:
                marks.complete.set()
        if joined.endswith(_END):
            self._ended(viewer, "")

    def _answered(self, viewer: _Viewer, data: bytes) -> None:
        viewer.answered = True
        first = data.split(b"\r\n", 1)[0]
        if b" 200" not in first:
            self.refused.append(first.decode("latin-1"))
            return
        self.open += 1
        if self.open == len(self._viewers):
            self.all_open.set()
        if not viewer.reads and viewer.socket is not None:
            self._epoll.unregister(viewer.socket.fileno())

    def _ended(self, viewer: _Viewer, wrong: str) -> None:
        """A stream has ended, in order when nothing is `wrong`: it is opened anew."""
        if viewer.socket is not None:
            self._by_fd.pop(viewer.socket.fileno(), None)
            with contextlib.suppress(OSError, ValueError):
                self._epoll.unregister(viewer.socket.fileno())
            viewer.socket.close()
            viewer.socket = None
        if wrong:
            self.refused.append(wrong)
        elif viewer.answered:
            self.open -= 1
        self.reopened += 1
        heapq.heappush(self._due, (time.monotonic() + RETRY_S, viewer.number))
