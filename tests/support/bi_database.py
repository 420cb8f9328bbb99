"""A PostgreSQL for BI tools: a server beside Finer's own, where nobody but its owner comes in without a password."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
