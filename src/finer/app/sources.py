"""`finer sources`: reads the sources of all firms, each on a thread of its own, and one process at a time.

What goes wrong with one source stays with it: it is tried again later and later, with chance in between, and the
others go on. A process that dies leaves every source where its last page was committed.
"""

from __future__ import annotations

import hashlib
import signal
import threading
import time
import uuid
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from finer.app.delivery import deliver
from finer.app.keys import keyring, prove_keys
from finer.ingest.types.receipts import READER
from finer.kit.actors import SYSTEM
from finer.kit.db import API, NO_TENANT, Connection, Database, DatabaseError, connect
from finer.kit.log import PostgresLog
from finer.kit.settings import Settings
from finer.kit.stopping import StopEvent
from finer.sources.service.due import list_due

if TYPE_CHECKING:
    from finer.app.source_run import SourceRun

_log = structlog.get_logger(__name__)
_TICK_S = 0.2
_LOOK_S = 1.0
_STOP_S = 10.0
_AGAIN_S = 1.0


class Sources:
    """Starts a reader for every source that is due, and stops those that were changed or paused."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url, self._settings = url, settings
        self._database = Database(
            url, API, connections=settings.database_pool_connections, deliver=deliver, keys=keyring(settings)
        )
        self._stop = StopEvent()
        self._admitted = threading.Event()
        self._runs: dict[uuid.UUID, SourceRun] = {}
        self._woken: dict[uuid.UUID, datetime | None] = {}

    def run(self) -> None:
        """Work until SIGTERM."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        prove_keys(self._database)
        _log.info("sources are read from now on")
        self.work()

    def work(self) -> None:
        """Read what is due until `stop`; a database that goes away is waited for."""
        try:
            while not self._stop.is_set():
                try:
                    with connect(self._url, API, name="finer-sources") as connection:
                        self._serve(connection)
                except DatabaseError as error:
                    _log.warning("the database is gone; sources wait for it", error=str(error))
                    self._end_all()
                    self._stop.wait(_AGAIN_S)
        finally:
            self._end_all()
            self._database.close()

    def stop(self) -> None:
        """End soon; pages under way are taken or not taken, never in part."""
        self._stop.set()

    def _serve(self, connection: Connection) -> None:
        """The locks of all sources are held by this one connection: when it is gone, nothing is ours any more."""
        look_at = 0.0
        while not self._stop.is_set():
            if self._runs:
                self._admit(connection)
            if time.monotonic() >= look_at:
                self._look(connection)
                look_at = time.monotonic() + _LOOK_S
            self._stop.wait(_TICK_S)

    def _admit(self, connection: Connection) -> None:
        """Sources wait as senders do, and sooner: these records have a place to wait at."""
        consumed = sum(PostgresLog.consumed(connection, READER).values())
        behind = sum(PostgresLog.heads(connection).values()) - consumed
        if behind > self._settings.backlog_events_max // 2:
            self._admitted.clear()
        else:
            self._admitted.set()

    def _look(self, connection: Connection) -> None:
        for source, run in list(self._runs.items()):
            if not run.alive:
                run.join(0)
                del self._runs[source], self._woken[source]
                connection.execute("select pg_advisory_unlock(%s)", (_lock(source),))
        with self._database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
            due = {one.id: one for one in list_due(tx)}
        for source, run in self._runs.items():
            # One that waits to be tried again is not due, and has no run.
            if source not in due or due[source].version != run.version:
                run.look_again()
            elif due[source].woken_at != self._woken[source]:
                self._woken[source] = due[source].woken_at
                run.wake()
        for source, one in due.items():
            if source not in self._runs and self._take_lock(connection, source):
                if not self._runs:
                    self._admit(connection)  # nobody has asked while there was no reader
                self._woken[source] = one.woken_at
                self._start(one.tenant, source, one.version)

    def _take_lock(self, connection: Connection, source: uuid.UUID) -> bool:
        row = connection.execute("select pg_try_advisory_lock(%s)", (_lock(source),)).fetchone()
        return row is not None and bool(row[0])

    def _start(self, tenant: uuid.UUID, source: uuid.UUID, version: int) -> None:
        # The parsers are loaded with the first source: a process without any stays small.
        from finer.app.source_run import SourceRun  # noqa: PLC0415

        run = SourceRun(self._database, self._settings, tenant, source, version, self._admitted)
        self._runs[source] = run
        run.start()

    def _end_all(self) -> None:
        for run in self._runs.values():
            run.stop()
        deadline = time.monotonic() + _STOP_S
        for run in self._runs.values():
            run.join(max(0.0, deadline - time.monotonic()))
        self._runs.clear()
        self._woken.clear()


def _lock(source: uuid.UUID) -> int:
    digest = hashlib.blake2b(source.bytes, digest_size=8, person=b"finer-source").digest()
    return int.from_bytes(digest, "big", signed=True)
