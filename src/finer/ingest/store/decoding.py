"""Parquet and Arrow IPC of others, taken apart in a process with limits: see decoding_child.

Both formats can ask for far more memory than they have bytes, in page headers, dictionaries and buffers that are only
believed when they are read, and their readers are large programs. One process waits warm and makes a copy of itself for
each file, which costs some milliseconds.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from finer.ingest.errors import UnreadableBody
from finer.ingest.rules.table_batches import Sized
from finer.ingest.store.decoding_child import BEGIN, BYTES, MESSAGE, NO_MEMORY, TOO_LARGE
from finer.kit.errors import TooLarge, Unavailable

MEMORY_BYTES_MAX = 1 << 30
"""What one file may take while it is read, beside what the process itself takes."""
_WAIT_S = 60.0  # between two messages; the largest batch takes a fraction of a second
_START = "from finer.ingest.store.decoding_child import main; main()"
_MESSAGE_BYTES_MAX = 1 << 30
_TOO_MUCH = "takes more than its {} MB of memory to be read, or more than {:.0f} s for a part of it. Send smaller row "
_TOO_MUCH += "groups or batches."


class Decoder:
    """The process that makes copies, started when the first file comes. Safe to use from several threads."""

    def __init__(self, memory_bytes_max: int = MEMORY_BYTES_MAX) -> None:
        self._memory_bytes_max = memory_bytes_max
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def batches(self, kind: str, source: BinaryIO, bytes_max: int | None = None) -> Iterator[Sized]:
        """Record batches of an open Parquet or Arrow IPC file, each with the bytes of its values when written out.

        Raises UnreadableBody, and TooLarge for what takes more than `bytes_max` or than the process may have.
        """
        size = source.seek(0, os.SEEK_END)
        with self._copy() as peer:
            try:
                peer.sendall(BEGIN.pack(kind.encode(), size, bytes_max or 0, self._memory_bytes_max))
                yield from self._answers(peer, kind, source)
            except (OSError, EOFError) as error:
                # It was ended by a limit, or the library that reads such files was.
                raise self._too_much(kind) from error

    def close(self) -> None:
        """End the process, and its copies with it."""
        with self._lock:
            if self._control is not None and self._process is not None and self._owner == os.getpid():
                self._control.close()
                self._process.kill()
                self._process.wait()
            self._control = self._process = None

    def _answers(self, peer: socket.socket, kind: str, source: BinaryIO) -> Iterator[Sized]:
        while True:
            what, first, length = MESSAGE.unpack(_received(peer, MESSAGE.size))
            if what == b"E":
                return
            if length > _MESSAGE_BYTES_MAX:
                raise EOFError
            if what == b"R":
                source.seek(first)
                found = source.read(length)
                peer.sendall(BYTES.pack(len(found)))
                peer.sendall(found)
            elif what == b"B":
                content = _received(peer, length)
                yield pa.ipc.open_stream(pa.py_buffer(content)).read_next_batch(), first
            else:
                detail = _received(peer, length).decode("utf-8", "replace")
                if first == NO_MEMORY:
                    raise self._too_much(kind)
                raise TooLarge(detail) if first == TOO_LARGE else UnreadableBody(detail)

    def _too_much(self, kind: str) -> TooLarge:
        name = "Parquet" if kind == "parquet" else "Arrow"
        return TooLarge(f"The {name} data {_TOO_MUCH.format(self._memory_bytes_max >> 20, _WAIT_S)}")

    @contextlib.contextmanager
    def _copy(self) -> Iterator[socket.socket]:
        """The socket of a copy that waits for its file."""
        ours, theirs = socket.socketpair()
        with ours:
            ours.settimeout(_WAIT_S)
            with theirs, self._lock:
                self._hand_over(theirs)
            yield ours

    def _hand_over(self, theirs: socket.socket) -> None:
        for attempt in range(2):
            control = self._started()
            try:
                socket.send_fds(control, [b"+"], [theirs.fileno()])
            except OSError as error:
                # The process has ended, for whatever reason; another one takes its place.
                control.close()
                self._control = None
                if attempt:
                    raise Unavailable("The process that reads Parquet and Arrow files does not start.") from error
            else:
                return

    def _started(self) -> socket.socket:
        if self._control is None or self._owner != os.getpid():
            if self._process is not None and self._owner == os.getpid():
                self._process.wait()
            self._control, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                    # Isolated mode: neither PYTHON* variables nor the current folder reach the child.
                    [sys.executable, "-I", "-c", _START, str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    # Arrow's own allocator keeps what it was given, which the limit of memory would count.
                    env={"HOME": "/nonexistent", "LANG": "C.UTF-8", "ARROW_DEFAULT_MEMORY_POOL": "system"},
                    cwd="/",
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            self._owner = os.getpid()
            atexit.register(self.close)
        return self._control


def _received(peer: socket.socket, size: int) -> bytearray:
    found = bytearray(size)
    view = memoryview(found)
    while view:
        taken = peer.recv_into(view)
        if not taken:
            raise EOFError
        view = view[taken:]
    return found


DECODER = Decoder()
"""The one of this process."""
