"""Keeps the sums of dashboards in `finer jobs`: a consumer of the event log of its own, right behind the pipeline.

What it adds and how far it has come are one transaction, so that every record counts once however often a process
dies. Deciding pays nothing for it, and what came within a fifth of a second is one change of each sum.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

import numpy as np
import structlog

from finer.ingest.service import receipts
from finer.ingest.types.receipts import READER
from finer.kit.actors import SYSTEM
from finer.kit.columns import Columns
from finer.kit.db import NO_TENANT, WORKER, Database, connect
from finer.kit.errors import Conflict
from finer.kit.lock_keys import LockKey
from finer.kit.log import LogReader, LogRow, Position, PostgresLog, decode_columns
from finer.operations.service import rollups

_log = structlog.get_logger(__name__)
_EVERY_S = 0.2
_RETRY_S = 2.0
_ROWS_MAX = 256
_EVENTS_MAX, _EVENTS_MIN = 50_000, 1_000
_NEVER = 2**62  # an offset that no stream reaches


class RollupKeeper:
    """One for each jobs process; the first one works, the others stand by."""

    def __init__(self, database: Database, url: str) -> None:
        self._database, self._url = database, url
        self._reader: LogReader | None = None
        self._most = _EVENTS_MAX
        # Of its own: whoever watches a dashboard does not wait for whatever else this process does.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rollups")

    async def run(self) -> None:
        """Until cancelled. What cannot be added now is added later: its place in the log says where to go on."""
        try:
            while True:
                wait_s = _EVERY_S
                try:
                    if await asyncio.get_running_loop().run_in_executor(self._thread, self.tick):
                        continue
                except Conflict:
                    _log.info("another process keeps the sums")
                except Exception as error:  # noqa: BLE001 - the sums must go on when the cause is gone
                    _log.warning("sums could not be brought up to date", error=str(error))
                    self.close()
                    wait_s = _RETRY_S
                await asyncio.sleep(wait_s)
        finally:
            self.close()
            self._thread.shutdown(wait=False)

    def close(self) -> None:
        """Let go of the connection, and with it of the lock."""
        if self._reader is not None:
            self._reader.connection.close()
            self._reader = None

    def tick(self) -> bool:
        """Add what the pipeline has finished since; True when there may be more at once."""
        reader = self._reader = self._reader or LogReader(connect(self._url, WORKER, name="finer-rollups"))
        locked = reader.connection.execute("select pg_try_advisory_lock(%s)", (LockKey.SUMS.value,)).fetchone()
        if locked is None or not locked[0]:
            return False
        try:
            return self._follow(reader)
        finally:
            reader.connection.execute("select pg_advisory_unlock(%s)", (LockKey.SUMS.value,))

    def _follow(self, reader: LogReader) -> bool:
        finished = PostgresLog.consumed(reader.connection, READER)
        done = PostgresLog.consumed(reader.connection, rollups.CONSUMER)
        behind = {
            position: done.get(position, 0)
            for position, end in finished.items()
            if position[0] in rollups.SUMMED_UP and done.get(position, 0) < end
        }
        if not behind:
            return False
        offsets = {position: behind.get(position, _NEVER) for position in PostgresLog.heads(reader.connection)}
        read = reader.read(offsets, _ROWS_MAX)
        rows = [row for row in read if row.base_offset + row.count <= finished.get((row.stream, row.partition), 0)]
        for group in _groups(rows, self._most):
            position = (group[0].stream, group[0].partition)
            # On a machine without time to spare a smaller transaction gets through where this one does not.
            most, self._most = self._most, max(_EVENTS_MIN, self._most // 4)
            behind[position] = self._add(group, position, behind[position])
            self._most = min(_EVENTS_MAX, most * 2)
        for position in behind.keys() - {(row.stream, row.partition) for row in rows}:
            # What was there has been set aside since.
            with self._database.transaction(NO_TENANT, SYSTEM) as tx:
                PostgresLog.advance(tx, rollups.CONSUMER, position, behind[position], finished[position])
        return len(read) >= _ROWS_MAX

    def _add(self, rows: list[LogRow], position: Position, reached: int) -> int:
        """Add neighbours of one firm and stream in one transaction; returns the offset behind them."""
        first, end = rows[0].base_offset, rows[-1].base_offset + rows[-1].count
        with self._database.transaction(rows[0].tenant, SYSTEM) as tx:
            PostgresLog.advance(tx, rollups.CONSUMER, position, reached, end)
            rollups.begin(tx, position, first)
            again = receipts.seen_before(tx, position, first, end)
            for _, alike in groupby(rows, key=lambda row: row.header):
                same = list(alike)
                offsets = np.concatenate([np.arange(row.base_offset, row.base_offset + row.count) for row in same])
                batch = decode_columns([row.payload for row in same], rollups.READ[position[0]])
                rollups.add(tx, position[0], Columns(batch), ~np.isin(offsets, again))
        return end


def _groups(rows: list[LogRow], most: int) -> list[list[LogRow]]:
    """Neighbours of one firm and stream, about `most` records for one transaction."""
    groups: list[list[LogRow]] = []
    for _, run in groupby(rows, key=lambda row: (row.stream, row.partition, row.tenant)):
        count = most
        for row in run:
            if count >= most:
                groups.append([])
                count = 0
            groups[-1].append(row)
            count += row.count
    return groups
