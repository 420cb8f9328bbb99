"""Which snapshots of the worker's state are of the history that the log has had."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import psycopg
import pytest

from finer.app.worker import Snapshots
from finer.kit.db import WORKER, connect
from finer.kit.log import PostgresLog
from finer.kit.settings import Settings
from tests.fraud.desk import Desk, payment
from tests.identity.conftest import clock, clocked, firm, other_firm, settings

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]


@pytest.mark.parametrize("restored", [False, True])
def test_a_snapshot_of_a_history_that_a_restore_dropped_is_put_aside(
    desk: Desk, database_url: str, tmp_path: Path, restored: bool
) -> None:
    began = dict(desk.pipeline.consumed)
    desk.send([payment(1)])
    desk.work()
    held = dict(desk.pipeline.consumed)
    snapshots = Snapshots(tmp_path, desk.database.clock, "this log")
    snapshots.write_now(desk.pipeline)
    if restored:
        # A worker that took nothing after it began writes down what the snapshot that it began with says.
        snapshots = Snapshots(tmp_path, desk.database.clock, "this log")
        assert snapshots.restore(Settings(), {}) is not None
        (written,) = tmp_path.glob("[0-9]*")
        desk.start()
        desk.pipeline.applied = held
        written.rename(tmp_path / "0")
        snapshots.write_now(desk.pipeline)

    def usable(expected: int) -> bool:
        with connect(database_url, WORKER) as reader:
            snapshots.put_aside_strangers(desk.pipeline.consumed, partial(PostgresLog.appended_at_us, reader))
        return len(list(tmp_path.glob("[0-9]*"))) == expected

    assert usable(1 + restored)
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("delete from kit_log where tenant_id = %s", (desk.firm.tenant.id,))
        # What the log has dropped cannot be told from what it had.
        assert usable(1 + restored)
        for table in ("kit_log_heads", "kit_log_consumers"):
            offset = began.get(("transaction", 0), 0)
            owner.execute(f"update {table} set next_offset = %s where stream = 'transaction'", (offset,))
    desk.start()
    desk.send([payment(2)])
    desk.work()
    assert desk.pipeline.consumed == held
    assert usable(0)
