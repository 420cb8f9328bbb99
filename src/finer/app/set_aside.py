"""What the worker does with a row of the log that it cannot process: try it alone, set it aside, and go on.

A failure may have half changed the worker's state, so each try begins with a new process, which restores it. The
second try takes the row alone, which tells it from its neighbours. A fault of ours that meets every row must not empty
the log one row after the other: beyond a few rows an hour nothing more is set aside, and the worker stops instead.
"""

from __future__ import annotations

import traceback
import uuid
from collections.abc import Sequence

import structlog

from finer.identity.service.audit import record_audit
from finer.identity.types.access import Permission
from finer.ingest.service import receipts
from finer.ingest.types.receipts import READER
from finer.kit import log_failures
from finer.kit.actors import SYSTEM, Actor
from finer.kit.db import DATABASE_GONE, Connection, Database
from finer.kit.errors import Conflict, Unavailable
from finer.kit.log import CHANNEL, LogRow, PostgresLog
from finer.kit.log_failures import Place, place_of
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.notifications.types import NewNotification, Severity

_log = structlog.get_logger(__name__)
TRIES_MAX = 3
AN_HOUR_MAX = 20
_KEY = "pipeline.set_aside"
# What says nothing about the row: the database or the lake is away, another worker was quicker, memory ran out.
_NOT_THE_ROW: tuple[type[BaseException], ...] = (*DATABASE_GONE, Conflict, Unavailable, MemoryError)


class Failures:
    """What this worker knows of rows that failed. For one thread."""

    def __init__(self, connection: Connection, database: Database) -> None:
        self._connection, self._database = connection, database
        self._tries: dict[Place, int] = {}

    def recall(self) -> None:
        """Look up what failed before this process began."""
        self._tries = log_failures.tries(self._connection)
        if self._tries:
            _log.warning("rows of the event log have failed before and are tried alone", rows=len(self._tries))

    def alone(self, row: LogRow) -> bool:
        """Whether a row failed before, so that it is not to be taken together with others."""
        return bool(self._tries) and place_of(row) in self._tries

    def hopeless(self, row: LogRow) -> bool:
        """Whether a row has failed too often to be tried once more."""
        return bool(self._tries) and self._tries.get(place_of(row), 0) >= TRIES_MAX

    def note(self, rows: Sequence[LogRow], error: Exception) -> None:
        """Count a failed try of these rows, if the failure may be theirs."""
        if isinstance(error, _NOT_THE_ROW):
            return
        log_failures.note_failure(self._connection, rows, _where(error))
        _log.error(
            "rows of the event log could not be processed; the worker starts again",
            stream=rows[0].stream, base_offset=rows[0].base_offset, rows=len(rows), exc_info=error,
        )  # fmt: skip

    def set_aside(self, row: LogRow, consumed: int) -> None:
        """Take a hopeless row out of the log, move the consumer past it, and tell the firm's data people.

        Raises Unavailable when so many were set aside lately that the fault must be another one.
        """
        lately = log_failures.set_aside_lately(self._connection)
        if lately >= AN_HOUR_MAX:
            raise Unavailable(
                f"{lately} rows of the event log were set aside within an hour, so the fault is hardly theirs. "
                "The worker stops here, nothing is lost. `finer doctor` says more; after mending, start it again."
            )
        with self._database.transaction(row.tenant, SYSTEM) as tx:
            log_failures.set_aside(tx, row)
            PostgresLog.advance(tx, READER, (row.stream, row.partition), consumed, row.base_offset + row.count)
            notifications.notify(tx, _told(row))
        del self._tries[place_of(row)]
        _log.error("a row of the event log was set aside", stream=row.stream, base_offset=row.base_offset)


def _told(row: LogRow) -> NewNotification:
    return NewNotification(
        kind="pipeline.set_aside",
        severity=Severity.CRITICAL,
        title=f"{row.count} records of {row.stream} could not be processed",
        text=f"They failed {TRIES_MAX} times and were set aside, whole, so that those behind them are decided. "
        "An operator sees why with `finer log list` and puts them back with `finer log replay`.",
        link="/pipeline",
        permission=Permission.PIPELINE_READ,
        key=_KEY,
    )


def _where(error: Exception) -> str:
    """What failed and where. Not the error's own words: they may quote a record."""
    frames = traceback.extract_tb(error.__traceback__)
    at = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    return f"{type(error).__name__}{at}"


def replay(database: Database, tenant: uuid.UUID, actor: Actor) -> tuple[int, int]:
    """Put everything of a firm that was set aside back into the log, at its end: (rows, records)."""
    rows = records = 0
    with database.transaction(tenant, actor, read_only=True) as tx:
        waiting = log_failures.list_set_aside(tx)
    for one in waiting:
        with database.transaction(tenant, actor) as tx:
            moved_to = log_failures.put_back(tx, one)
            if moved_to is None:
                continue
            position = (one.stream, one.partition)
            receipts.move(tx, position, one.base_offset, one.base_offset + one.count, moved_to)
            record_audit(tx, "log:replay", f"{one.stream}/{one.partition}/{one.base_offset}", {"records": one.count})
            tx.notify(CHANNEL, [one.stream])
        rows, records = rows + 1, records + one.count
    if rows:
        with database.transaction(tenant, actor) as tx:
            notifications.settle(tx, _KEY)
    return rows, records


def nothing_is_set_aside(tx: Tx) -> list[str]:
    """What of a firm the pipeline could not process, as sentences for `finer verify`."""
    return [
        f"{one.count} records of {one.stream} at offset {one.base_offset} are set aside since "
        f"{one.set_aside_at:%Y-%m-%d %H:%M:%S} UTC: {one.error}. Mend it, then `finer log replay`."
        for one in log_failures.list_set_aside(tx)
    ]
