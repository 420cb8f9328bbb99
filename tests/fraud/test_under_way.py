"""A batch is decided while the effects of the one before are on their way to the disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import psycopg
import pyarrow as pa
import pytest

from finer.app.worker import Worker, _groups
from finer.kit.log import LogRow
from finer.kit.settings import Settings
from tests.fraud.desk import Desk, payment
from tests.identity.conftest import clock, clocked, firm, other_firm, settings

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]


def _two_batches(desk: Desk) -> list[list[LogRow]]:
    """One that raises an alert, and one that does not."""
    desk.send([payment(0, 50_000)])
    desk.send([payment(1, 20)])
    return _groups(desk.rows(), 1, desk.pipeline.starts_anew, lambda _: False)


@contextmanager
def _nothing_commits(url: str) -> Iterator[None]:
    """The consumer's position is held by somebody else, so that whoever moves it has to wait."""
    with psycopg.connect(url) as holding:
        holding.execute("select 1 from kit_log_consumers for update")
        yield
        holding.rollback()


@contextmanager
def _no_alert_is_kept(desk: Desk, url: str) -> Iterator[None]:
    """The database refuses every alert of the firm."""
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(
            "create function pg_temp.refuse() returns trigger language plpgsql as "
            "$$ begin raise exception 'no alert of this' using errcode = 'data_exception'; end $$"
        )
        owner.execute(
            "create trigger refuse before insert on decisions_alerts for each row "
            f"when (new.tenant_id = '{desk.firm.tenant.id}') execute function pg_temp.refuse()"
        )
        try:
            yield
        finally:
            owner.execute("drop trigger refuse on decisions_alerts")


def test_the_next_batch_is_decided_meanwhile_and_the_lake_waits(desk: Desk, database_url: str) -> None:
    first, second = _two_batches(desk)
    with _nothing_commits(database_url):
        desk.pipeline.process(first)
        assert not desk.effects.is_answered()
        assert desk.lake.batches == []
    desk.pipeline.process(second)
    # The second is sent once the first is committed; the lake has what is committed.
    assert "e0" in desk.alerts()
    assert [batch.next_offset for batch in desk.lake.batches] == [first[-1].base_offset + 1]
    desk.pipeline.finish()
    desk.pipeline.finish()
    assert [batch.next_offset for batch in desk.lake.batches] == [row.base_offset + 1 for row in (*first, *second)]


def test_what_fails_on_its_way_is_the_fault_of_its_own_rows(desk: Desk, database_url: str) -> None:
    first, second = _two_batches(desk)
    with _no_alert_is_kept(desk, database_url):
        desk.pipeline.process(first)
        with pytest.raises(psycopg.errors.DataException, match="no alert of this"):
            desk.pipeline.process(second)
    assert desk.pipeline.at_work == first
    assert desk.lake.batches == []
    # As a new process does: what was ahead of the database is forgotten.
    desk.start()
    desk.work()
    assert set(desk.alerts()) == {"e0"}
    assert [batch.next_offset for batch in desk.lake.batches] == [second[-1].base_offset + 1]


def test_both_are_counted_when_the_next_batch_fails_as_well(desk: Desk, database_url: str, tmp_path: Path) -> None:
    (first,), (second,) = _two_batches(desk)
    rows = [first, msgspec.structs.replace(second, payload=b"nothing that can be read")]
    worker = Worker(database_url, Settings(data_dir=str(tmp_path), worker_batch_events=1))
    worker.pipeline, worker._log = desk.pipeline, cast(Any, SimpleNamespace(read=lambda *_: rows))
    with psycopg.connect(database_url, autocommit=True) as owner:
        with _no_alert_is_kept(desk, database_url), pytest.raises(pa.ArrowInvalid):
            worker._turn()
        failed = owner.execute(
            "delete from kit_log_failures where tenant_id = %s returning base_offset", (desk.firm.tenant.id,)
        )
        assert {base for (base,) in failed} == {row.base_offset for row in rows}
    worker.close()
    assert desk.lake.batches == []
    desk.start()
    desk.work()
    assert set(desk.alerts()) == {"e0"}
