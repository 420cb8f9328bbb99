"""Transactions: begun in one round trip, about one tenant, on a connection that is alive."""

from __future__ import annotations

import uuid

import psycopg
import pytest
import sqlalchemy as sa

from finer.kit.actors import SYSTEM
from finer.kit.db import Database

_TENANT = "select current_setting('finer.tenant', true)"


def test_a_transaction_is_about_its_tenant_and_the_next_one_on_the_connection_about_its_own(
    database: Database,
) -> None:
    for _ in range(3):
        tenant = uuid.uuid4()
        with database.transaction(tenant, SYSTEM) as tx:
            assert tx.connection.exec_driver_sql(_TENANT).scalar() == str(tenant)
    with database.engine.connect() as connection:
        assert not connection.exec_driver_sql(_TENANT).scalar()


def test_what_a_block_that_raises_has_written_is_gone(database: Database) -> None:
    def write_and_fail() -> None:
        with database.transaction(uuid.uuid4(), SYSTEM) as tx:
            tx.connection.exec_driver_sql("create temporary table written (one int)")
            raise KeyError

    with pytest.raises(KeyError):
        write_and_fail()
    with database.transaction(uuid.uuid4(), SYSTEM) as tx:
        assert tx.connection.exec_driver_sql("select to_regclass('pg_temp.written')").scalar() is None


def test_a_transaction_that_reads_cannot_write(database: Database) -> None:
    with (
        pytest.raises(sa.exc.InternalError, match="read-only transaction"),
        database.transaction(uuid.uuid4(), SYSTEM, read_only=True) as tx,
    ):
        tx.connection.exec_driver_sql("create table written (one int)")
    with database.transaction(uuid.uuid4(), SYSTEM) as tx:
        assert tx.connection.exec_driver_sql("show transaction_read_only").scalar() == "off"


def test_a_connection_that_the_server_closed_is_replaced_before_it_is_used(
    database: Database, database_url: str
) -> None:
    with database.transaction(uuid.uuid4(), SYSTEM) as tx:
        backend = tx.connection.exec_driver_sql("select pg_backend_pid()").scalar()
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("select pg_terminate_backend(%s, 20000)", (backend,))
    with database.transaction(uuid.uuid4(), SYSTEM) as tx:
        assert tx.connection.exec_driver_sql("select pg_backend_pid()").scalar() != backend
