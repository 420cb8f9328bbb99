"""Jobs that ask the lake, and a lake that takes its time."""

from __future__ import annotations

import uuid
from typing import Any

import pyarrow as pa
import pytest

from finer.kit.db import WORKER, connect
from finer.kit.runs import RunState
from finer.operations.service import behaviour, executive, orders
from tests.operations.conftest import Floor, order


@pytest.mark.parametrize("job", [orders.AGES_JOB, executive.OUTCOMES_JOB, behaviour.SESSIONS_JOB])
def test_a_lake_that_takes_long_loses_no_job(
    floor: Floor, database_url: str, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    floor.send("order", [order(1, floor.database.clock.now())])
    floor.keep()
    asked = []

    class SlowLake:
        """When it answers, the server has ended every transaction that has been idle meanwhile, as it does."""

        def __init__(self, *_: Any, **__: Any) -> None: ...

        def read(self, tenant: uuid.UUID, statement: str, _: dict[str, Any]) -> pa.Table:
            asked.append((tenant, statement))
            with connect(database_url) as server:
                server.execute(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() "
                    "and application_name = %s and state like 'idle in transaction%%'",
                    (WORKER,),
                )
            return pa.Table.from_pylist([])

        def close(self) -> None: ...

    monkeypatch.setattr("finer.warehouse.service.lake.LakeReader", SlowLake)
    done = floor.run(job)
    assert (done.state, done.error) == (RunState.SUCCEEDED, "")
    assert {tenant for tenant, _ in asked} == {floor.firm.tenant.id}
