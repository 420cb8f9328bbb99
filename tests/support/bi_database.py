"""A PostgreSQL for BI tools: a server beside Finer's own, where nobody but its owner comes in without a password."""

from __future__ import annotations

import socket
import socketserver
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from finer.kit.postgres import EmbeddedPostgres

_ACCESS = "local all postgres trust\nlocal all all scram-sha-256\n"


@contextmanager
def bi_database() -> Iterator[str]:
    """The owner's address of a new server."""
    with tempfile.TemporaryDirectory(prefix="finer-bi-") as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder))
        server.start()
        try:
            (server.cluster / "pg_hba.conf").write_text(_ACCESS)
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute("select pg_reload_conf()")
            yield server.url
        finally:
            server.stop()


@contextmanager
def over_tcp(url: str) -> Iterator[int]:
    """A port of this machine behind which that server answers, for drivers that know no Unix socket (JDBC)."""
    path = Path(parse_qs(urlsplit(url).query)["host"][0]) / ".s.PGSQL.5432"

    class Bridge(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as there:
                there.connect(str(path))
                asking = threading.Thread(target=_carry, args=(self.request, there))
                asking.start()
                _carry(there, self.request)
                asking.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Bridge) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            serving.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # either end may go first
        while piece := source.recv(65536):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
