"""Transactions: about one tenant, on a connection that is alive."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from finer.kit.actors import SYSTEM
from finer.kit.db import API, Database


@pytest.fixture
def single(database_url: str) -> Iterator[Database]:
    """A database with one connection, so that each transaction is on the connection of the one before."""
    found = Database(database_url, API, connections=1)
    yield found
    found.close()


_TENANT = "select current_setting('finer.tenant', true)"


def test_a_transaction_is_about_its_tenant_and_the_next_one_on_the_connection_about_its_own(
    single: Database,
) -> None:
    for _ in range(3):
        tenant = uuid.uuid4()
        with single.transaction(tenant, SYSTEM) as tx:
            assert tx.connection.exec_driver_sql(_TENANT).scalar() == str(tenant)
    with single.engine.connect() as connection:
        assert not connection.exec_driver_sql(_TENANT).scalar()


def test_what_a_block_that_raises_has_written_is_gone(single: Database) -> None:
    def write_and_fail() -> None:
        with single.transaction(uuid.uuid4(), SYSTEM) as tx:
            tx.connection.exec_driver_sql("create temporary table written (one int)")
            raise KeyError

    with pytest.raises(KeyError):
        write_and_fail()
    with single.transaction(uuid.uuid4(), SYSTEM) as tx:
        assert tx.connection.exec_driver_sql("select to_regclass('pg_temp.written')").scalar() is None


def test_a_transaction_that_reads_cannot_write(single: Database) -> None:
    with (
        pytest.raises(sa.exc.InternalError, match="read-only transaction"),
        single.transaction(uuid.uuid4(), SYSTEM, read_only=True) as tx,
    ):
        tx.connection.exec_driver_sql("create table written (one int)")
    with single.transaction(uuid.uuid4(), SYSTEM) as tx:
        assert tx.connection.exec_driver_sql("show transaction_read_only").scalar() == "off"


def test_a_connection_that_the_server_closed_is_replaced_before_it_is_used(single: Database, database_url: str) -> None:
    with single.transaction(uuid.uuid4(), SYSTEM) as tx:
        backend = tx.connection.exec_driver_sql("select pg_backend_pid()").scalar()
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("select pg_terminate_backend(%s, 20000)", (backend,))
    with single.transaction(uuid.uuid4(), SYSTEM) as tx:
        assert tx.connection.exec_driver_sql("select pg_backend_pid()").scalar() != backend


def test_a_connection_that_is_lost_after_it_was_looked_at_is_replaced(single: Database, database_url: str) -> None:
    killed: list[int] = []

    def kill(connection: psycopg.Connection, _record: object, _fairy: object) -> None:
        if not killed:
            killed.append(connection.info.backend_pid)
            with psycopg.connect(database_url, autocommit=True) as owner:
                owner.execute("select pg_terminate_backend(%s, 20000)", (killed[0],))

    sa.event.listen(single.engine, "checkout", kill)
    tenant = uuid.uuid4()
    with single.transaction(tenant, SYSTEM) as tx:
        assert tx.connection.exec_driver_sql(_TENANT).scalar() == str(tenant)
        assert tx.connection.exec_driver_sql("select pg_backend_pid()").scalar() not in killed
    assert killed


def test_a_connection_that_was_only_told_something_is_kept(single: Database, database_url: str) -> None:
    with single.transaction(uuid.uuid4(), SYSTEM) as tx:
        backend = tx.connection.exec_driver_sql("select pg_backend_pid()").scalar()
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("alter system set datestyle = 'SQL, DMY'")  # a setting that the server tells every client
        owner.execute("select pg_reload_conf()")
        _told_of(single, "SQL, DMY")
        owner.execute("alter system reset datestyle")
        owner.execute("select pg_reload_conf()")
        _told_of(single, "ISO, MDY")
    with single.transaction(uuid.uuid4(), SYSTEM) as tx:
        assert tx.connection.exec_driver_sql("select pg_backend_pid()").scalar() == backend


def _told_of(single: Database, style: str) -> None:
    for _ in range(2000):
        with single.transaction(uuid.uuid4(), SYSTEM) as tx:
            if tx.connection.exec_driver_sql("show datestyle").scalar() == style:
                return
    pytest.fail(f"the server did not come to {style}")
