"""Makes the sums of dashboards anew from the lake: for a firm whose records are older than its sums, or lost them."""

from __future__ import annotations

import time
from typing import Any

from finer.app.job_types import Ground
from finer.kit.actors import SYSTEM
from finer.kit.db import WORKER, Connection, connect
from finer.kit.errors import Unavailable
from finer.kit.lock_keys import LockKey
from finer.kit.log import Position, PostgresLog
from finer.kit.runs import Counts, Run
from finer.operations.service import rollups
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.service import lake as warehouse

_PATIENCE_S = 60.0
_LAST_S = 5.0
_LOOK_S = 0.25


def rebuild_sums(ground: Ground, run: Run) -> Counts:
    """Replace the firm's sums by what its lake adds up to, contract by contract, exactly as far as they have come.

    Nobody's sums follow the log while it reads and replaces; they catch up afterwards, and dashboards say that they are
    behind. Raises Unavailable when the lake does not hold within a minute what is summed up, and Conflict when the lock
    was lost and the sums have grown meanwhile.
    """
    counts: dict[str, int] = {}
    reader = warehouse.LakeReader(ground.url, ground.settings, memory_mb=512, threads=1)
    try:
        with connect(ground.url, WORKER, name="finer-rebuilding") as standing:
            # A lake that is far behind is waited for while everybody's sums go on.
            _wait_for_lake(ground, run, standing, PostgresLog.consumed(standing, rollups.CONSUMER), _PATIENCE_S)
            # Whoever keeps the sums lets go of this after each step. The connection ends, and the lock with it.
            standing.execute("select pg_advisory_lock(%s)", (LockKey.SUMS.value,))
            done = PostgresLog.consumed(standing, rollups.CONSUMER)
            # What was summed up since then is on its way into the lake: a commit or two.
            _wait_for_lake(ground, run, standing, done, ground.settings.lake_flush_s + _LAST_S)
            for place, contract in enumerate(sorted(rollups.SUMMED_UP)):
                run.stop_if_cancelled()
                run.progress(place, len(rollups.SUMMED_UP))
                ends = {partition: end for (stream, partition), end in done.items() if stream == contract}
                counts[contract] = _rebuild(ground, run, reader, contract, ends)
    finally:
        reader.close()
    return counts


def _rebuild(ground: Ground, run: Run, reader: warehouse.LakeReader, contract: str, ends: dict[int, int]) -> int:
    now = ground.database.clock.now()

    def read(statement: str, given: dict[str, Any]) -> dict[str, list[Any]]:
        try:
            found: dict[str, list[Any]] = reader.read(run.tenant, statement, given).to_pydict()
        except LakeEmpty:
            return {}
        return found

    # Read before the transaction begins: the database ends one that is idle for a minute.
    found = rollups.sums_of_lake(read, contract, ends, now)
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        return rollups.replace(tx, contract, ends, found, now)


def _wait_for_lake(
    ground: Ground, run: Run, standing: Connection, done: dict[Position, int], patience_s: float
) -> None:
    """Until the lake holds all records of the firm that its sums hold. Raises Unavailable after `patience_s`."""
    ends = {
        (stream, partition): min(end, done.get((stream, partition), 0))
        for tenant, stream, partition, end in PostgresLog.tenant_ends(standing)
        if tenant == run.tenant and stream in rollups.SUMMED_UP
    }
    deadline = time.monotonic() + patience_s
    while True:
        held = warehouse.lake_offsets(ground.lake(), run.tenant)
        if all(held.get(position, 0) >= end for position, end in ends.items()):
            return
        if time.monotonic() > deadline:
            raise Unavailable("The lake does not hold yet what the sums hold. Try again when it has caught up.")
        time.sleep(_LOOK_S)
