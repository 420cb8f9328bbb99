"""Sums made anew from the lake: equal to what was counted as records came, for a firm that lost them or began late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from finer.app.verify import check_sums
from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.kit.db import connect
from finer.kit.errors import Conflict
from finer.kit.log import Position, PostgresLog
from finer.kit.runs import RunState
from finer.operations.service import rollups
from finer.warehouse.service.lake import LakeReader, LakeWriter
from tests.fraud.desk import payment
from tests.operations.conftest import Floor, order

_BACK = {"type": "returned", "quantity": -2, "amount": -20}
_TOLD: tuple[dict[str, Any], ...] = (
    {"product_id": "p0", "channel": "web", "unit_cost": 6},
    {"product_id": "p1", "channel": None},
    {"product_id": "p0", "channel": "web", "unit_cost": 0},
    {"product_id": "p1", "channel": None, "unit_cost": 12.5} | _BACK,
)
"""What four lines say: with a cost, without one, free of cost, and one that came back at a loss."""


@pytest.fixture
def kept(floor: Floor, database_url: str, tmp_path: Path, clock: FixedClock) -> Iterator[Floor]:
    """A firm whose records of many days are in its sums and in its lake."""
    settings = msgspec.structs.replace(floor.firm.settings, data_dir=str(tmp_path), lake_flush_s=0.05)
    floor.firm = replace(floor.firm, settings=settings)
    writer = LakeWriter(database_url, settings)
    floor.pipeline._lake = writer
    now = clock.now()
    for at, age in enumerate((timedelta(minutes=3), timedelta(hours=30), timedelta(days=9), timedelta(days=60))):
        lines = [order(10 * at + n, now - age, **one) for n, one in enumerate(_TOLD)]
        floor.send("order", [*lines, lines[0]])
    floor.send("transaction", [payment(number) for number in range(3)])
    floor.keep()
    assert writer.flush(120)
    yield floor
    writer.close()


def _rows(floor: Floor) -> list[Any]:
    with floor.database.transaction(floor.firm.tenant.id, SYSTEM, read_only=True) as tx:
        return list(
            tx.connection.exec_driver_sql(
                "select contract, grain, step_s, bucket, kind, status, currency, region, channel, product, records, "
                "quantity, amount_minor, costed, costed_minor, cost_minor from operations_rollups "
                "order by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"
            )
        )


def _differences(floor: Floor, url: str) -> list[str]:
    reader = LakeReader(url, floor.firm.settings)
    try:
        return check_sums(floor.database, reader, floor.firm.tenant.id, settle_s=0)
    finally:
        reader.close()


def _lose(floor: Floor, url: str, statement: str) -> None:
    with connect(url) as owner:
        owner.execute(f"{statement} where tenant_id = %s", (floor.firm.tenant.id,))


def test_sums_made_anew_are_those_that_were_counted_and_go_on_from_there(kept: Floor, database_url: str) -> None:
    counted = _rows(kept)
    assert {row.step_s for row in counted} == {60, 3600, 86_400}
    assert _differences(kept, database_url) == []
    _lose(kept, database_url, "delete from operations_rollups")
    assert any(
        "the lake says (12, 24, 24000, 8, 16000, 4800)" in sentence for sentence in _differences(kept, database_url)
    )
    # What comes meanwhile may be in the lake already, and counts when the log is followed again.
    kept.send("order", [order(99, kept.database.clock.now())])
    done = kept.run(rollups.REBUILD_JOB)
    assert (done.state, done.error) == (RunState.SUCCEEDED, "")
    assert _rows(kept) == counted
    kept.keep()
    assert kept.sums("order", 86_400).total() == 17


def test_what_counts_for_another_region_or_product_is_told(kept: Floor, database_url: str) -> None:
    assert _differences(kept, database_url) == []
    # By kind and in whole all is as it was: nobody but who reads of a region or product would be told wrong.
    _lose(kept, database_url, "update operations_rollups set region = case grain when 'place' then 'X' else '' end")
    assert any("Sums of order (placed, PHP, X, web) in a day" in one for one in _differences(kept, database_url))
    # The places are right again, and a part of what p1 cost is with p0.
    assert kept.run(rollups.REBUILD_JOB).state is RunState.SUCCEEDED
    assert _differences(kept, database_url) == []
    moved = "case when kind <> 'placed' then 0 when product = 'p0' then 1 when product = 'p1' then -1 else 0 end"
    _lose(kept, database_url, f"update operations_rollups set cost_minor = cost_minor + {moved}")
    assert any("Sums of order (placed, PHP, p0) in a day" in one for one in _differences(kept, database_url))


def test_what_comes_while_sums_are_compared_is_no_difference(
    kept: Floor, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = PostgresLog.progress

    def then_more_comes(connection: sa.Connection, consumer: str) -> dict[Position, tuple[int, int]]:
        found = progress(connection, consumer)
        monkeypatch.setattr(PostgresLog, "progress", staticmethod(progress))
        kept.send("order", [order(99, kept.database.clock.now())])
        kept.keep()
        assert kept.pipeline._lake is not None
        assert kept.pipeline._lake.flush(120)
        return found

    before = kept.sums("order", 86_400).total()
    monkeypatch.setattr(PostgresLog, "progress", staticmethod(then_more_comes))
    assert _differences(kept, database_url) == []
    assert kept.sums("order", 86_400).total() == before + 1


def test_a_firm_whose_sums_began_late_is_told_and_gets_what_came_before(kept: Floor, database_url: str) -> None:
    counted = _rows(kept)
    _lose(kept, database_url, "delete from operations_rollups")
    _lose(kept, database_url, "update operations_beginnings set from_offset = 1000000000")
    _lose(kept, database_url, "delete from operations_values")
    said = "Sums of order lack 16 records of the lake that came before. The job rebuild_sums adds them."
    assert said in _differences(kept, database_url)
    assert kept.run(rollups.REBUILD_JOB).counts["order"] > 0
    assert _rows(kept) == counted
    assert _differences(kept, database_url) == []


def test_sums_that_grew_while_the_lake_was_read_are_not_replaced(floor: Floor, clock: FixedClock) -> None:
    firm, now = floor.firm.tenant.id, clock.now()
    floor.send("order", [order(1, now)])
    floor.keep()
    with floor.database.transaction(firm, SYSTEM) as tx:
        ends = PostgresLog.held(tx, rollups.CONSUMER, "order")
    # The connection that held the lock is gone, so the sums go on.
    floor.send("order", [order(2, now)])
    floor.keep()
    with pytest.raises(Conflict), floor.database.transaction(firm, SYSTEM) as tx:
        rollups.replace(tx, "order", ends, [], now)
    assert floor.sums("order", 86_400).total() == 2
