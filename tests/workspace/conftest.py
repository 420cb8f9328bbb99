"""A firm with a lake and people who ask it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from finer.app.queries import Queries
from finer.identity.rules.grants import permissions_of
from finer.identity.types.access import Principal, Role, User
from finer.kit.actors import Actor
from finer.kit.db import Database
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.warehouse.service import lake as warehouse
from finer.warehouse.types import LakeBatch
from finer.workspace.service import runs
from finer.workspace.types import NewRun, Run
from tests.support.identity import Firm
from tests.warehouse.samples import START, order_batch, sample_batch


@dataclass
class Desk:
    """One firm whose lake holds 60 transactions, 20 orders and two customers."""

    firm: Firm
    queries: Queries
    settings: Settings
    people: dict[Role, User] = field(default_factory=dict)

    def actor(self, role: Role = Role.DATA_ENGINEER, teams: tuple[uuid.UUID, ...] = ()) -> Actor:
        """Somebody of that role, always the same person."""
        if role not in self.people:
            self.people[role] = self.firm.user(role, None)
        user = self.people[role]
        return Actor(kind="user", id=str(user.id), name=user.name, role=role.value, teams=teams)

    def tx(self, role: Role = Role.DATA_ENGINEER, teams: tuple[uuid.UUID, ...] = ()) -> AbstractContextManager[Tx]:
        """A transaction of that person."""
        return self.firm.tx(self.actor(role, teams))

    def ask(self, statement: str, role: Role = Role.DATA_ENGINEER, **more: Any) -> Run:
        """The run of a statement, worked off."""
        actor = self.actor(role)
        principal = Principal(
            kind="user", id=uuid.UUID(actor.id), tenant_id=self.firm.tenant.id, name=actor.name, role=role,
            permissions=permissions_of(role), credential="test",
        )  # fmt: skip
        wait_s = more.pop("wait_s", 20.0)
        return asyncio.run(self.queries.ask(principal, NewRun(statement=statement, **more), wait_s))

    def rows(self, statement: str, role: Role = Role.DATA_ENGINEER, **more: Any) -> list[list[Any]]:
        """The answer of a statement."""
        run = self.ask(statement, role, **more)
        assert not run.error, run.error
        with self.tx(role) as tx:
            return runs.read_page(tx, run.id, 0, 10_000).rows


def customers(tenant: uuid.UUID) -> LakeBatch:
    """Two customers."""
    columns = {
        "event_id": pa.array(["c1", "c2"]),
        "occurred_at": pa.array([START] * 2, pa.timestamp("us", "UTC")),
        "customer_id": pa.array(["CUST-0011223344", "CUST-0055667788"]),
        "full_name": pa.array(["Maria Clara Santos", "Juan dela Cruz"]),
        "email": pa.array(["maria@example.com", "juan@example.com"]),
        "received_at": pa.array([START] * 2, pa.timestamp("us", "UTC")),
    }
    return LakeBatch(
        tenant=tenant, stream="customer_profile", partition=0, next_offset=2,
        events=pa.RecordBatch.from_pydict(columns), offsets=pa.array([0, 1]).to_numpy(),
    )  # fmt: skip


@pytest.fixture(scope="session")
def make_desk(
    database: Database, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Desk]]:
    """Makes firms with a lake."""
    made: list[Desk] = []

    def make(slug: str) -> Desk:
        settings = Settings(data_dir=str(tmp_path_factory.mktemp("lake")), lake_flush_s=0.05, sql_timeout_s=20)
        firm = Firm.made(database, settings, f"{slug}-{uuid.uuid4().hex[:8]}")
        writer = warehouse.LakeWriter(database_url, settings)
        for batch in (sample_batch(firm.tenant.id, 0, 60), order_batch(firm.tenant.id, 0, 20)):
            writer.put(batch)
        writer.put(customers(firm.tenant.id))
        assert writer.flush()
        writer.close()
        made.append(Desk(firm, Queries(database, settings), settings))
        return made[-1]

    yield make
    for one in made:
        one.queries.close()


@pytest.fixture(scope="session")
def desk(make_desk: Callable[[str], Desk]) -> Desk:
    """The firm of all tests that change nothing of it but add."""
    return make_desk("desk")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of this test."""
    return tmp_path
