"""Replacing keys: every value opens at every moment, nothing is lost when it stops half-way, old keys go at the end."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from finer.app import key_upkeep
from finer.identity.service import people
from finer.identity.types.access import Role
from finer.kit.actors import SYSTEM
from finer.kit.clock import FixedClock
from finer.kit.crypto import rotation
from finer.kit.crypto.keyring import Keyring
from finer.kit.db import Database
from finer.kit.schema import metadata
from tests.identity.conftest import clock, clocked, firm, other_firm, settings
from tests.support.identity import Firm

__all__ = ["clock", "clocked", "firm", "other_firm", "settings"]

USERS = next(one for one in rotation.sealed_tables() if one.table.name == "identity_users")


@pytest.fixture
def jobs(worker_database: Database, clock: FixedClock) -> Iterator[Database]:
    """The jobs' database on the clock of the test."""
    found = Database(worker_database.url, worker_database.role, connections=3, clock=clock, keys=worker_database.keys)
    yield found
    found.close()


def _keys_in_use(firm: Firm) -> set[str]:
    statement = "select encode(substring(name_sealed from 3 for 16), 'hex') from identity_users where tenant_id = %s"
    with firm.tx() as tx:
        return set(tx.connection.exec_driver_sql(statement, (firm.tenant.id,)).scalars())


def test_rotation_replaces_every_key_and_every_value_still_opens(
    firm: Firm, other_firm: Firm, jobs: Database, clock: FixedClock
) -> None:
    known = sorted((firm.user() for _ in range(7)), key=lambda user: user.email)
    stranger, before = other_firm.user(), _keys_in_use(firm)
    theirs = _keys_in_use(other_firm)
    clock.advance(timedelta(days=1))
    assert key_upkeep.rotate(jobs, firm.tenant.id, clock.now()) == 7
    assert not before & _keys_in_use(firm)
    assert _keys_in_use(other_firm) == theirs
    with firm.tx() as tx:
        fresh = dataclasses.replace(tx, keys=Keyring(jobs.keys.service))  # type: ignore[union-attr]
        assert people.list_users(fresh) == known
        assert people.list_users(tx) == known
    assert key_upkeep.rotate(jobs, firm.tenant.id, clock.now()) == 0
    assert key_upkeep.status(jobs, firm.tenant.id).superseded == 7
    key_upkeep.keep(jobs, [firm.tenant.id], 90)
    assert key_upkeep.status(jobs, firm.tenant.id).superseded == 7  # not an hour old yet
    clock.advance(timedelta(hours=2))
    key_upkeep.keep(jobs, [firm.tenant.id], 90)
    found = key_upkeep.status(jobs, firm.tenant.id)
    assert (found.person_keys, found.superseded, found.rows_waiting) == (7, 0, 0)
    with firm.tx() as tx, other_firm.tx() as elsewhere:
        assert people.list_users(tx) == known
        assert people.list_users(elsewhere) == [stranger]


def test_a_rotation_that_stops_half_way_goes_on_and_loses_nothing(
    firm: Firm, jobs: Database, clock: FixedClock
) -> None:
    known = sorted((firm.user() for _ in range(6)), key=lambda user: user.email)
    clock.advance(timedelta(days=1))
    with jobs.transaction(firm.tenant.id, SYSTEM) as tx:
        assert rotation.supersede(tx, clock.now(), 4) == 4
    with jobs.transaction(firm.tenant.id, SYSTEM) as tx:
        # Of any three of six rows at least one is among the four.
        after, rows = rotation.reseal(tx, USERS, None, 3)
        assert after is not None
        assert 1 <= rows <= 3
    with firm.tx() as tx:
        assert people.list_users(tx) == known
    assert key_upkeep.status(jobs, firm.tenant.id).rows_waiting == 4 - rows
    assert key_upkeep.rotate(jobs, firm.tenant.id, clock.now()) == 6 - rows
    with firm.tx() as tx:
        assert people.list_users(tx) == known


def test_a_key_that_a_row_still_uses_is_never_dropped(firm: Firm, jobs: Database, clock: FixedClock) -> None:
    user = firm.user()
    clock.advance(timedelta(days=1))
    with jobs.transaction(firm.tenant.id, SYSTEM) as tx:
        assert rotation.supersede(tx, clock.now(), 10) == 1
    clock.advance(timedelta(days=1))
    with jobs.transaction(firm.tenant.id, SYSTEM) as tx:
        assert rotation.drop_superseded(tx) == 0
    with firm.tx() as tx:
        assert people.get_user(tx, user.id) == user


def test_people_are_added_and_read_while_their_keys_are_replaced(firm: Firm, jobs: Database, clock: FixedClock) -> None:
    for _ in range(20):
        firm.user()
    clock.advance(timedelta(days=1))
    failures: list[BaseException] = []
    stop = threading.Event()

    def serve() -> None:
        try:
            while not stop.is_set():
                with firm.tx() as tx:
                    assert all(user.name == "A Person" for user in people.list_users(tx))
                firm.user(Role.AUDITOR, password=None)
        except BaseException as error:  # noqa: BLE001 - told to the test
            failures.append(error)

    served = [threading.Thread(target=serve) for _ in range(2)]
    for thread in served:
        thread.start()
    for _ in range(3):
        key_upkeep.rotate(jobs, firm.tenant.id, clock.now())
        clock.advance(timedelta(seconds=1))
    stop.set()
    for thread in served:
        thread.join()
    assert failures == []


def test_every_sealed_column_can_be_sealed_again_by_jobs(worker_database: Database, tenant: object) -> None:
    with worker_database.engine.connect() as connection:
        for sealed in rotation.sealed_tables():
            assert "tenant_id" in sealed.table.columns, f"{sealed.table.name} has no tenant_id."
            for column in sealed.columns:
                may = connection.exec_driver_sql(
                    "select has_column_privilege('finer_worker', %s, %s, 'SELECT') "
                    "and has_column_privilege('finer_worker', %s, %s, 'UPDATE')",
                    (sealed.table.name, column.name, sealed.table.name, column.name),
                ).scalar_one()
                assert may, f"Grant finer_worker select and update of {sealed.table.name}.{column.name}."
    assert len(metadata.tables) > 10
