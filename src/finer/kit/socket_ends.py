"""Ending connections of this process by where they lead, also those that a library has opened by itself."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psycopg


def end_all_that_lead_where(connections: Iterable[psycopg.Connection]) -> None:
    """End these connections, and all others of this process that lead where one of these does, such as DuckDB's."""
    peers = {peer for one in connections if (peer := _peer_of(one))}
    for file in Path("/dev/fd").iterdir():
        number = int(file.name)
        with suppress(OSError):  # others open and close theirs meanwhile
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as end:
                    if end.getpeername() in peers:
                        end.shutdown(socket.SHUT_RDWR)


def end_connection(connection: psycopg.Connection) -> None:
    """End a connection that another thread waits on, which finds out at once; nothing of one that has ended."""
    with suppress(OSError, psycopg.Error):
        number = connection.fileno()
        with socket.socket(fileno=os.dup(number)) as end:
            # Its owner may have closed it meanwhile, as in `_peer_of`.
            if connection.fileno() == number:
                end.shutdown(socket.SHUT_RDWR)


def _peer_of(connection: psycopg.Connection) -> object:
    """Where a connection leads; nothing of one that has ended."""
    with suppress(OSError, psycopg.Error):
        number = connection.fileno()
        with socket.socket(fileno=os.dup(number)) as end:
            # Its owner may have closed it meanwhile, and the number be that of somebody's request. What is open now had
            # it all along.
            return end.getpeername() if connection.fileno() == number else None
    return None
