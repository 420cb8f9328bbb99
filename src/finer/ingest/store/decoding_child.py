"""The process that takes Parquet and Arrow IPC of others apart. Started as a program, never imported by Finer.

It loads what it needs once, and makes a copy of itself for each file: the copy has limits of the operating system on
its memory, can write to no file, and reads the file only by asking for its bytes, through a socket. A file that takes
more than its share, or that breaks the library which reads it, ends the copy and nothing else.

The copy is told the kind of file, its size, the bytes that its values may take (0: any) and its limit of memory. It
sends messages of one byte of kind and two numbers of eight bytes: `R` place and length of bytes that it wants, `B` the
bytes that a batch takes when written out and the length of the Arrow IPC stream that follows, `X` the kind of failure
and the length of the sentence that follows, `E` at the end.
"""

from __future__ import annotations

import ctypes
import io
import os
import resource
import signal
import socket
import struct
import sys

import pyarrow as pa

from finer.ingest.errors import UnreadableBody
from finer.ingest.rules.table_batches import table_batches
from finer.kit.errors import TooLarge

BEGIN = struct.Struct(">7sQQQ")
MESSAGE = struct.Struct(">cQQ")
BYTES = struct.Struct(">Q")
UNREADABLE, TOO_LARGE, NO_MEMORY = 1, 2, 3
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


def main() -> None:
    """Make a copy for each socket that comes, until nobody can send one any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # copies that have ended are not waited for
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    control = socket.socket(fileno=int(sys.argv[1]))
    while True:
        told, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not told:
            return
        if os.fork() == 0:
            control.close()
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            serve(socket.socket(fileno=descriptors[0]))
            os._exit(0)
        os.close(descriptors[0])


def serve(peer: socket.socket) -> None:
    """Take one file apart, and send what it holds."""
    kind, size, bytes_max, memory_bytes = BEGIN.unpack(_received(peer, BEGIN.size))
    _limit(memory_bytes)
    name = kind.rstrip(b"\0").decode()
    try:
        for batch, batch_bytes in table_batches(
            name, io.BufferedReader(_Remote(peer, size), 1 << 16), bytes_max or None
        ):
            sink = io.BytesIO()
            with pa.ipc.new_stream(sink, batch.schema) as writer:
                writer.write_batch(batch)
            content = sink.getbuffer()
            peer.sendall(MESSAGE.pack(b"B", batch_bytes, len(content)))
            peer.sendall(content)
    except UnreadableBody as error:
        out_of_memory = isinstance(error.__cause__, MemoryError)
        _fail(peer, NO_MEMORY if out_of_memory else UNREADABLE, error.detail)
    except TooLarge as error:
        _fail(peer, TOO_LARGE, error.detail)
    except MemoryError:
        _fail(peer, NO_MEMORY, "")
    else:
        peer.sendall(MESSAGE.pack(b"E", 0, 0))


def _fail(peer: socket.socket, kind: int, detail: str) -> None:
    told = detail.encode()[:4096]
    peer.sendall(MESSAGE.pack(b"X", kind, len(told)) + told)


def _limit(memory_bytes: int) -> None:
    """Limits for this one file; none of them can be raised again."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - pathlib is not needed for anything else
        mapped = {line.split(":")[0]: line.split()[1] for line in status if line.startswith("Vm")}
    resource.setrlimit(resource.RLIMIT_DATA, ((int(mapped["VmData"]) << 10) + memory_bytes,) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


class _Remote(io.RawIOBase):
    """The file, whose bytes the other side has."""

    def __init__(self, peer: socket.socket, size: int) -> None:
        super().__init__()
        self._peer = peer
        self._size = size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = max(min(len(buffer), self._size - self._place), 0)
        if wanted == 0:
            return 0
        self._peer.sendall(MESSAGE.pack(b"R", self._place, wanted))
        length = int(BYTES.unpack(_received(self._peer, BYTES.size))[0])
        view = memoryview(buffer).cast("B")[:length]
        while view:
            taken = self._peer.recv_into(view)
            if not taken:
                raise EOFError
            view = view[taken:]
        self._place += length
        return length


def _received(peer: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        more = peer.recv(size - len(found))
        if not more:
            os._exit(0)  # whoever asked has gone
        found += more
    return bytes(found)


def _prctl(option: int, value: int) -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main()
