"""The pipeline's own page: what a firm is told of the log that it shares with others."""

from __future__ import annotations

import uuid

import pyarrow as pa

from finer.app.monitoring import pipeline_view
from finer.ingest.types.receipts import READER
from finer.kit.actors import SYSTEM
from finer.kit.db import Database
from finer.kit.ids import new_id
from finer.kit.log import PostgresLog


def _sends(database: Database, tenant: uuid.UUID, stream: str, events: int) -> None:
    batch = pa.RecordBatch.from_pydict({"event_id": [f"event-{number}" for number in range(events)]})
    with database.transaction(tenant, SYSTEM) as tx:
        PostgresLog.append(tx.connection, stream, 0, tenant, "x/1", batch)


def _waiting(database: Database, tenant: uuid.UUID) -> int:
    with database.transaction(tenant, SYSTEM, read_only=True) as tx:
        return pipeline_view(tx).lag.events


def test_b08_the_lag_counts_events_of_the_firm_alone(
    database: Database, worker_database: Database, tenant: uuid.UUID
) -> None:
    stream, other = f"stream-{tenant}", new_id()
    _sends(database, tenant, stream, 2)
    _sends(database, other, stream, 40)
    _sends(database, tenant, stream, 3)
    assert _waiting(database, tenant) == 5
    assert _waiting(database, other) == 40
    with worker_database.transaction(tenant, SYSTEM) as tx:
        PostgresLog.advance(tx, READER, (stream, 0), 0, 42)
    assert _waiting(database, tenant) == 3
    assert _waiting(database, other) == 0
    assert _waiting(database, new_id()) == 0
