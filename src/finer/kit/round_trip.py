"""Many statements in one round trip: collected first, then written to the socket at once.

psycopg's own pipeline mode hands every statement to the socket when it is executed, so a transaction of seven
statements is seven writes here, as many reads in the server, and a switch between the two processes for each. Here
they are collected, and all of them are one write; the server answers with one as well.
"""

from __future__ import annotations

import re
import select
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

_PLACEHOLDER = re.compile(r"%(?:\((?P<name>\w+)\))?(?P<kind>[sb%])")
_FORMATS = {"s": PyFormat.AUTO, "b": PyFormat.BINARY}
# The types of parameters follow from their values (a small number is an int2), so one statement has a few forms.
_PREPARED_MAX = 200
_Dumped = tuple[bytes, Sequence[Any], tuple[int, ...], Sequence[Any]]


class RoundTrip:
    """Statements on a connection that serves nothing else. Their results are not looked at, only their errors."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._pgconn = connection.pgconn
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        self._transformer = Transformer(connection)
        self._socket = select.poll()
        self._socket.register(self._pgconn.socket, select.POLLIN)
        self._prepared: dict[tuple[bytes, tuple[int, ...]], bytes] = {}
        self._waiting: list[_Dumped] = []

    def add(self, statement: str, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> None:
        """Collect a statement with psycopg's placeholders. Raises what psycopg does for values that it cannot send."""
        query, names, formats = _numbered(statement)
        values = parameters if isinstance(parameters, Sequence) else [parameters[name] for name in names]
        dumped = self._transformer.dump_sequence(values, formats)
        self._waiting.append((query, dumped, self._transformer.types or (), self._transformer.formats or ()))

    def send(self) -> None:
        """Send what was collected. `answers` must have returned before anything else is sent."""
        for query, values, types, formats in self._waiting:
            name = self._prepare(query, types)
            if name is None:
                self._pgconn.send_query_params(query, values, types, formats)
            else:
                self._pgconn.send_query_prepared(name, values, formats)
        self._waiting.clear()
        self._pgconn.pipeline_sync()
        self._flush()

    def _prepare(self, query: bytes, types: tuple[int, ...]) -> bytes | None:
        """The name of the prepared statement; None when there are too many to keep another."""
        key = query, types
        name = self._prepared.get(key)
        if name is None and len(self._prepared) < _PREPARED_MAX:
            name = self._prepared[key] = f"finer_{len(self._prepared)}".encode()
            self._pgconn.send_prepare(name, query, types)
        return name

    def _flush(self) -> None:
        while self._pgconn.flush():
            # More than the socket takes at once. The server may want to answer before it reads on.
            self._socket.modify(self._pgconn.socket, select.POLLIN | select.POLLOUT)
            ready = self._socket.poll()[0][1]
            self._socket.modify(self._pgconn.socket, select.POLLIN)
            if ready & ~select.POLLOUT:
                self._pgconn.consume_input()

    def is_closed(self) -> bool:
        """Whether the server has closed the connection while it was asked nothing."""
        try:
            while self.is_answered():
                self._pgconn.consume_input()
        except psycopg.OperationalError:
            return True
        return self._lost()

    def is_answered(self) -> bool:
        """Whether the server has begun to answer, or is gone."""
        return bool(self._socket.poll(0))

    def answers(self) -> None:
        """Wait for all answers.

        Raises the error of the first statement that failed; those behind it were not run, and the connection is of no
        more use.
        """
        failed: psycopg.Error | None = None
        while True:
            while self._pgconn.is_busy():
                self._socket.poll()
                self._pgconn.consume_input()
            result = self._pgconn.get_result()
            if result is None:
                if self._lost():
                    raise failed if isinstance(failed, psycopg.OperationalError) else _gone(self._pgconn)
                continue  # the end of one statement's results
            if result.status == ExecStatus.PIPELINE_SYNC:
                break
            if failed is None and result.status == ExecStatus.FATAL_ERROR:
                failed = error_from_result(result, self._transformer.encoding)
        if failed is not None:
            raise failed

    def _lost(self) -> bool:
        return self._pgconn.status != psycopg.pq.ConnStatus.OK


def _gone(pgconn: psycopg.pq.abc.PGconn) -> psycopg.OperationalError:
    return psycopg.OperationalError(pgconn.get_error_message() or "The server closed the connection.")


@lru_cache(maxsize=500)
def _numbered(statement: str) -> tuple[bytes, list[str], list[PyFormat]]:
    """The statement with the server's placeholders ($1, $2, ...), and name and format of each parameter."""
    names: list[str] = []
    formats: list[PyFormat] = []

    def numbered(found: re.Match[str]) -> str:
        if found["kind"] == "%":
            return "%"
        names.append(found["name"] or "")
        formats.append(_FORMATS[found["kind"]])
        return f"${len(names)}"

    return _PLACEHOLDER.sub(numbered, statement).encode(), names, formats
