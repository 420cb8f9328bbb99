"""A firm whose records come in by a clock that the test moves: into the counts of ingest, and into the lake."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from finer.app.quality_watch import QualityWatch
from finer.identity.types.access import Role, User
from finer.ingest.store.rollups import RollupStore
from finer.kit.actors import SYSTEM, Actor
from finer.kit.clock import FixedClock
from finer.kit.crypto.keyring import Keyring
from finer.kit.db import WORKER, Database
from finer.kit.settings import Settings
from finer.quality.service import incidents, overview
from finer.quality.types import STEP_S, Incident, IncidentFilter, Monitor, MonitorKind
from finer.warehouse.service import lake as warehouse
from finer.warehouse.types import LakeBatch
from tests.quality.flows import START
from tests.support.identity import Firm

PER_STEP = 120
Change = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class Stream:
    """One firm's orders, step by step."""

    firm: Firm
    worker: Database
    clock: FixedClock
    writer: warehouse.LakeWriter
    watch: QualityWatch
    contract: str = "order"
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))
    sent: int = 0
    people: dict[Role, User] = field(default_factory=dict)

    def send(
        self, records: int = PER_STEP, *, refused: int = 0, repeated: int = 0, delay_s: float = 0.3,
        change: Change | None = None,
    ) -> None:  # fmt: skip
        """Records arrive within ten seconds, which pass."""
        begun = self.clock.now()
        with self.worker.transaction(self.firm.tenant.id, SYSTEM) as tx:
            store, at = RollupStore(tx), begun + timedelta(seconds=STEP_S / 2)
            if records or refused:
                store.add_rollup(self.contract, "api", at, received=records + refused, quarantined=refused)
                store.add_rollup(self.contract, "worker", at, accepted=records - repeated, duplicates=repeated)
        if records > repeated:
            self.writer.put(self._batch(records - repeated, delay_s, change))
        self.clock.advance(timedelta(seconds=STEP_S))

    def look(self) -> int:
        """What `finer jobs` does, some seconds after the end of a step."""
        assert self.writer.flush()
        self.clock.advance(timedelta(seconds=4))
        try:
            return self.watch.look(self.firm.tenant.id)
        finally:
            self.clock.advance(timedelta(seconds=-4))

    def steps(self, count: int, **more: Any) -> None:
        """Several steps alike, and one look at them all: what follows from each is the same as step by step."""
        for _ in range(count):
            self.send(**more)
        self.look()

    def _batch(self, rows: int, delay_s: float, change: Change | None) -> LakeBatch:
        numbers = np.arange(self.sent, self.sent + rows)
        self.sent += rows
        arrived = [self.clock.now() + timedelta(seconds=float(s)) for s in np.sort(self.random.uniform(0, 9.9, rows))]
        columns: dict[str, Any] = {
            "event_id": [f"{self.contract}-{n}" for n in numbers],
            "occurred_at": pa.array([at - timedelta(seconds=delay_s) for at in arrived], pa.timestamp("us", "UTC")),
            "received_at": pa.array(arrived, pa.timestamp("us", "UTC")),
            "order_id": [f"o-{n}" for n in numbers],
            "country": pa.array(
                [None if self.random.random() < 0.01 else str(self.random.choice(["PH", "SG", "MY"])) for _ in numbers],
                pa.string(),
            ),
            "quantity": self.random.integers(1, 40, rows),
            "unit_cost_minor": numbers % 7 * 100,
        }
        columns = columns if change is None else change(columns)
        return LakeBatch(
            tenant=self.firm.tenant.id, stream=self.contract, partition=0, next_offset=self.sent, offsets=numbers,
            events=pa.RecordBatch.from_pydict({name: pa.array(values) for name, values in columns.items()}),
        )  # fmt: skip

    def open(self) -> list[Incident]:
        """The open incidents."""
        with self.firm.tx() as tx:
            return incidents.list_incidents(tx, IncidentFilter(open=True))[0]

    def every(self) -> list[Incident]:
        """All incidents, the newest first."""
        with self.firm.tx() as tx:
            return incidents.list_incidents(tx)[0]

    def monitor(self, kind: MonitorKind, name: str = "") -> Monitor:
        """A monitor by what it looks at."""
        with self.firm.tx() as tx:
            every = [one for one, _, _ in overview.list_monitors(tx, self.contract)]
        return next(one for one in every if one.kind is kind and one.field == name)

    def actor(self, role: Role) -> Actor:
        """Somebody of that role."""
        if role not in self.people:
            self.people[role] = self.firm.user(role, None)
        user = self.people[role]
        return Actor(kind="user", id=str(user.id), name=user.name, role=role.value)


def without(name: str, share: float = 0.4, seed: int = 2) -> Change:
    """Records of which so many have no value in a column."""
    random = np.random.default_rng(seed)

    def change(columns: dict[str, Any]) -> dict[str, Any]:
        kept = [None if random.random() < share else one for one in pa.array(columns[name]).to_pylist()]
        return columns | {name: pa.array(kept, pa.array(columns[name]).type)}

    return change


@pytest.fixture
def stream(database_url: str, keys: Keyring, tmp_path: Path) -> Iterator[Stream]:
    """A new firm."""
    settings, clock = Settings(data_dir=str(tmp_path), lake_flush_s=0.02), FixedClock(START)
    database = Database(database_url, "finer_api", connections=2, keys=keys, clock=clock)
    worker = Database(database_url, WORKER, connections=3, keys=keys, clock=clock)
    firm = Firm.made(database, settings, f"quality-{uuid.uuid4().hex[:8]}")
    writer = warehouse.LakeWriter(database_url, settings, clock=clock)
    reader = warehouse.LakeReader(database_url, settings, memory_mb=256, threads=1)
    yield Stream(firm, worker, clock, writer, QualityWatch(worker, reader))
    writer.close()
    reader.close()
    worker.close()
    database.close()


@pytest.fixture
def usual(stream: Stream) -> Stream:
    """A firm of which some minutes were seen: first what fields hold, then for long enough how that differs."""
    for many in (1, 32, 32):
        stream.steps(many)
    return stream
