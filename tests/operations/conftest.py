"""A firm with a log and a pipeline, and the sums that its records add up to."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, cast

import pytest

from finer.app.job_types import Ground
from finer.app.pipeline import Pipeline
from finer.app.rollup_keeper import RollupKeeper
from finer.app.runner import Runner
from finer.app.scheduled import JOBS
from finer.app.tenants import Tenants
from finer.features import service as features
from finer.fraud.service import verdicts as fraud
from finer.ingest.service import contracts, parsing, receipts
from finer.ingest.types.receipts import READER, Receipt
from finer.ingest.types.records import Body
from finer.kit import runs
from finer.kit.actors import SYSTEM
from finer.kit.db import WORKER, Connection, Database, connect
from finer.kit.deduplication import Deduplicator
from finer.kit.log import LogReader, LogRow, PostgresLog
from finer.kit.runs import JobRun
from finer.kit.settings import Settings
from finer.kit.write_pipeline import WritePipeline
from finer.warehouse.service.lake import LakeWriter
from finer.warehouse.types import LakeBatch
from tests.identity.conftest import clock, clocked, firm, other_firm, settings
from tests.security.world import World
from tests.support.identity import Firm

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]


class NoLake:
    """Takes what would go to the lake."""

    def put(self, batch: LakeBatch) -> None:
        """Let it go."""


class Floor:
    """One firm's records on their way into its sums."""

    def __init__(self, firm: Firm, url: str, reader: Connection) -> None:
        self.firm, self._url, self._reader = firm, url, reader
        self._log = LogReader(reader)
        self.database = Database(url, WORKER, connections=3, clock=firm.database.clock)
        self.effects = WritePipeline(url, WORKER, name="floor", clock=firm.database.clock)
        self.start()

    def start(self) -> None:
        """Begin with a new worker that remembers nothing."""
        engine = features.Engine(fraud.windows(), pool_events=4096)
        lake = cast(LakeWriter, NoLake())
        self.pipeline = Pipeline(self.effects, Tenants(self.database), engine, Deduplicator(4096), lake)
        self.pipeline.consumed = PostgresLog.consumed(self._reader, READER)
        self.keeper = RollupKeeper(self.database, self._url)

    def close(self) -> None:
        """Let go of the connections."""
        self.keeper.close()
        self.effects.close()
        self.database.close()

    def send(self, contract: str, records: Iterable[dict[str, Any]]) -> None:
        """Records go into the log and through the pipeline, as one batch."""
        data = "\n".join(json.dumps(record) for record in records).encode()
        parsed = parsing.parse_bodies(contracts.contract(contract), [Body(data=data)], self.firm.settings)
        with self.firm.tx() as tx:
            (answer,) = receipts.append(tx, parsed, 1)
        assert isinstance(answer, Receipt), answer
        assert not answer.problems, answer.problems
        self.pipeline.process(self.rows())
        self.pipeline.finish()

    def rows(self) -> list[LogRow]:
        """Everything of the firm that the log holds and this worker has not seen."""
        found = self._log.read(self.pipeline.applied, 10_000)
        return [row for row in found if row.tenant == self.firm.tenant.id]

    def keep(self) -> None:
        """What `finer jobs` does a few times a second, until there is nothing left to add."""
        while self.keeper.tick():
            pass

    def run(self, job: str) -> JobRun:
        """A job is asked for and carried out, as `finer jobs` does it."""
        with self.database.transaction(self.firm.tenant.id, SYSTEM) as tx:
            asked = runs.start(tx, job)
        assert asked is not None
        Runner(Ground(self.database, self._url, self.firm.settings), JOBS).run(self.firm.tenant.id, asked)
        with self.database.transaction(self.firm.tenant.id, SYSTEM) as tx:
            found = runs.get(tx, asked)
        assert found is not None
        return found

    def sums(self, contract: str, step_s: int, *by: str, grain: str = "place") -> Counter[tuple[Any, ...]]:
        """Records by bucket and columns of the table."""
        with self.database.transaction(self.firm.tenant.id, SYSTEM, read_only=True) as tx:
            rows = tx.connection.exec_driver_sql(
                f"select bucket, {''.join(f'{name}, ' for name in by)} sum(records) from operations_rollups "
                "where contract = %s and step_s = %s and grain = %s group by "
                + ", ".join(map(str, range(1, len(by) + 2))),
                (contract, step_s, grain),
            ).all()
        return Counter({tuple(row[:-1]): int(row[-1]) for row in rows})


@pytest.fixture
def floor(firm: Firm, database_url: str) -> Iterator[Floor]:
    """The sums of a firm, from nothing."""
    with connect(database_url, WORKER) as reader:
        found = Floor(firm, database_url, reader)
        yield found
        found.close()


@pytest.fixture(scope="module")
def world(database: Database, worker_database: Database, app_settings: Settings) -> World:
    mark = f"o{uuid.uuid4().hex[:16]}"
    return World(Firm.made(database, app_settings, mark), worker_database, mark).furnish()


def order(number: int, at: datetime, **changes: Any) -> dict[str, Any]:
    """One line of an order."""
    return {
        "event_id": f"o{number}", "order_id": f"order-{number}", "type": "placed", "occurred_at": at.isoformat(),
        "customer_id": f"c{number}", "product_id": "p1", "quantity": 2, "unit_price": 10, "amount": 20,
        "currency": "PHP", "country": "Philippines", "channel": "web",
    } | changes  # fmt: skip
