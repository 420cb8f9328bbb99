"""Where the writer's thread puts batches: append to the lake, then say how fresh its tables are."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import psycopg
import pyarrow.compute as pc
import structlog

from finer.kit.clock import Clock
from finer.kit.db import WORKER, connect
from finer.kit.late import LateModule
from finer.kit.moments import from_microseconds
from finer.warehouse.rules import DECISIONS, table_of
from finer.warehouse.store.access import LakeAccess, unavailable
from finer.warehouse.store.append import Appended, Appender, Step
from finer.warehouse.store.freshness import Committed, record_commit
from finer.warehouse.store.reading import LakeReader
from finer.warehouse.types import Label, LakeBatch

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = LateModule("duckdb")

_log = structlog.get_logger(__name__)
_MEMORY_MB = 512  # for the payments of labels, which are read


class LakeSink:
    """Connections that are made when needed and thrown away after a failure. For one thread."""

    def __init__(self, access: LakeAccess, clock: Clock, before_commit: Step | None) -> None:
        self._access, self._clock, self._before_commit = access, clock, before_commit
        self._appender: Appender | None = None
        self._freshness: psycopg.Connection | None = None

    def write(self, tenant: uuid.UUID, batches: list[LakeBatch]) -> None:
        """Bring batches of one tenant into its lake, where they are not there yet.

        Raises LakeUnavailable when that is not sure; then calling it again with the same batches is right.
        """
        try:
            if self._appender is None:
                self._appender = Appender(self._access, before_commit=self._before_commit)
            done = self._appender.append(batches)
        except _failures() as error:
            self.close()
            raise unavailable("The lake cannot be written to.", error) from error
        if done.added:
            self._say(tenant, batches, done)

    def close(self) -> None:
        """Close all connections; the next write makes new ones."""
        for resource in (self._appender, self._freshness):
            try:
                if resource is not None:
                    resource.close()
            except _failures() as error:
                _log.debug("a connection to the lake did not close cleanly", error=str(error))
        self._appender = self._freshness = None

    def _say(self, tenant: uuid.UUID, batches: list[LakeBatch], done: Appended) -> None:
        try:
            if self._freshness is None or self._freshness.closed:
                self._freshness = connect(self._access.url, WORKER, name="finer-lake-freshness")
            now = self._clock.now()
            record_commit(self._freshness, tenant, now, _committed(batches, done, now))
        except psycopg.Error as error:
            # The rows are in the lake; only the number that says so is late. The next commit corrects it.
            _log.warning("lake freshness was not recorded", error=str(error))
            self._freshness = None


@contextmanager
def with_labels(access: LakeAccess, tenant: uuid.UUID, labels: Sequence[Label]) -> Iterator[LakeReader]:
    """Append labels, in one commit, and read what is in the lake then over the same connections.

    Raises LakeUnavailable; doing it again is right.
    """
    appender = Appender(access, capacity=1, memory_mb=_MEMORY_MB)
    try:
        try:
            appender.append_labels(tenant, labels)
        except _failures() as error:
            raise unavailable("The lake cannot be written to.", error) from error
        yield LakeReader(access.url, access.settings, attachments=appender.attachments)
    finally:
        appender.close()


def _committed(batches: list[LakeBatch], done: Appended, now: datetime) -> list[Committed]:
    """The state of each table that a commit added to, from when its records were received."""
    spans: dict[str, tuple[int, int]] = {}
    for batch in batches:
        span = _received(batch)
        if span is None:
            continue
        for name in (table_of(batch.stream), *([DECISIONS] if batch.decisions is not None else [])):
            low, high = spans.get(name, span)
            spans[name] = (min(low, span[0]), max(high, span[1]))
    found = []
    for name in done.added:
        oldest, newest = spans.get(name, (None, None))
        delay = 0.0 if oldest is None else (now - from_microseconds(oldest)).total_seconds()
        newest_at = None if newest is None else from_microseconds(newest)
        found.append(Committed(table=name, rows=done.totals[name], newest=newest_at, delay_s=max(0.0, delay)))
    return found


def _received(batch: LakeBatch) -> tuple[int, int] | None:
    """When the first and the last record of a batch was received, in microseconds; None when that is not known."""
    if "received_at" not in batch.events.schema.names:
        return None
    span = pc.min_max(batch.events.column("received_at").cast("int64")).as_py()
    return None if span["min"] is None else (span["min"], span["max"])


def _failures() -> tuple[type[Exception], ...]:
    """What writing to a lake can end in; asked for when something failed."""
    return duckdb.Error, psycopg.Error, OSError
