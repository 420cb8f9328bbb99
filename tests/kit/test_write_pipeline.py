"""A transaction sent in one round trip is like every other: whole or not there, and told only afterwards."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator

import psycopg
import pytest

from finer.kit.actors import SYSTEM
from finer.kit.db import DATABASE_GONE, WORKER, Database, connect
from finer.kit.errors import Conflict
from finer.kit.live import receive
from finer.kit.log import PostgresLog
from finer.kit.write_pipeline import Durable, WritePipeline

_ADD = (
    "insert into ingest_rollups (tenant_id, contract, step_s, bucket, writer, received, accepted, duplicates, "
    "quarantined, latency, last_at) values (%s, %s, 5, now(), 'test', 0, 0, 0, 0, '{}', now())"
)

_ADD_MOMENT = _ADD.replace("values (%s, %s", "values (%s, pg_current_wal_insert_lsn()::text")


@pytest.fixture
def effects(database_url: str) -> Iterator[WritePipeline]:
    pipeline = WritePipeline(database_url, WORKER, name="test")
    yield pipeline
    pipeline.close()


def _contracts(database: Database, tenant: uuid.UUID) -> list[str]:
    with database.transaction(tenant, SYSTEM) as tx:
        return list(tx.connection.exec_driver_sql("select contract from ingest_rollups order by 1").scalars())


def test_what_is_written_is_there_and_only_for_its_tenant(
    effects: WritePipeline, worker_database: Database, tenant: uuid.UUID
) -> None:
    with effects.transaction(tenant, SYSTEM) as tx:
        tx.write(_ADD, (tenant, "a"))
        tx.write(_ADD, (tenant, "b"))
    with effects.transaction(tenant, SYSTEM) as tx:
        tx.write(_ADD, (tenant, "c"))
    assert _contracts(worker_database, tenant) == ["a", "b", "c"]
    assert _contracts(worker_database, uuid.uuid4()) == []


def _write_for(effects: WritePipeline, tenant: uuid.UUID, *rows: tuple[uuid.UUID, str]) -> None:
    with effects.transaction(tenant, SYSTEM) as tx:
        for row in rows:
            tx.write(_ADD, row)
        tx.notify("test_pipeline", [str(tenant)])


def test_one_bad_statement_takes_all_with_it_and_the_next_transaction_works(
    effects: WritePipeline, database_url: str, worker_database: Database, tenant: uuid.UUID
) -> None:
    with connect(database_url) as listening:
        listening.execute("listen test_pipeline")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            _write_for(effects, tenant, (tenant, "a"), (uuid.uuid4(), "somebody else's"), (tenant, "b"))
        assert _contracts(worker_database, tenant) == []
        _write_for(effects, tenant, (tenant, "c"))
        # The failed one has woken nobody.
        assert receive(listening, 20) == [("test_pipeline", str(tenant))]
    assert _contracts(worker_database, tenant) == ["c"]


def _on_the_disk(database: Database, tenant: uuid.UUID) -> bool:
    """Whether the server's log is on the disk up to behind the moments at which `_ADD_MOMENT` was run."""
    query = "select bool_and(contract::pg_lsn < pg_current_wal_flush_lsn()) from ingest_rollups"
    with database.transaction(tenant, SYSTEM) as tx:
        return bool(tx.connection.exec_driver_sql(query).scalar())


def test_who_is_told_when_a_block_ends_is_told_of_what_is_kept(
    database_url: str, worker_database: Database, tenant: uuid.UUID
) -> None:
    # The server of the tests waits for no disk, unless it is asked to.
    waiting = f"{database_url}&options=-c%20synchronous_commit%3Don"
    one, another = (WritePipeline(waiting, WORKER, name="durable") for _ in range(2))
    with connect(database_url) as listening, contextlib.closing(one), contextlib.closing(another):
        listening.execute("listen test_durable")

        def write(effects: WritePipeline, durable: Durable) -> None:
            with effects.transaction(tenant, SYSTEM, durable) as tx:
                tx.write(_ADD_MOMENT, (tenant,))
                tx.notify("test_durable", [durable.name])
            assert receive(listening, 20) == [("test_durable", durable.name)]

        write(one, Durable.FIRST)
        assert _on_the_disk(worker_database, tenant)
        write(one, Durable.LAST)
        assert _on_the_disk(worker_database, tenant)
        # What is durable later is with the next transaction that saw it.
        write(one, Durable.LATER)
        assert len(_contracts(worker_database, tenant)) == 3
        write(another, Durable.FIRST)
        assert _on_the_disk(worker_database, tenant)


def test_leaving_by_an_error_writes_nothing(
    effects: WritePipeline, worker_database: Database, tenant: uuid.UUID
) -> None:
    def change_of_mind() -> None:
        with effects.transaction(tenant, SYSTEM) as tx:
            tx.write(_ADD, (tenant, "a"))
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        change_of_mind()
    assert _contracts(worker_database, tenant) == []


def test_a_position_that_another_worker_moved_keeps_every_effect_out(
    effects: WritePipeline, worker_database: Database, tenant: uuid.UUID
) -> None:
    position = (f"stream-{tenant}", 0)

    def advance(old: int, new: int, contract: str) -> None:
        with effects.transaction(tenant, SYSTEM) as tx:
            PostgresLog.advance(tx, "pipeline", position, old, new)
            tx.write(_ADD, (tenant, contract))

    advance(0, 10, "first")
    with pytest.raises(Conflict, match=r"Another worker has moved stream-.*/0 of consumer pipeline past offset 5"):
        advance(5, 20, "late")
    advance(10, 20, "second")
    assert _contracts(worker_database, tenant) == ["first", "second"]


def test_reading_is_refused_at_once(effects: WritePipeline, tenant: uuid.UUID) -> None:
    with (
        pytest.raises(RuntimeError, match="only writes"),
        effects.transaction(tenant, SYSTEM) as tx,
    ):
        tx.connection.exec_driver_sql("select 1")


def test_a_connection_that_the_server_ended_is_told_as_such_and_replaced(
    effects: WritePipeline, database_url: str, worker_database: Database, tenant: uuid.UUID
) -> None:
    _write_for(effects, tenant, (tenant, "a"))
    with connect(database_url) as owner:
        owner.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'test'")
    with pytest.raises(DATABASE_GONE):
        _write_for(effects, tenant, (tenant, "lost"))
    _write_for(effects, tenant, (tenant, "b"))
    assert _contracts(worker_database, tenant) == ["a", "b"]


def test_who_connects_again_writes_as_if_nothing_had_been_and_hears_of_what_is_lost_from_then_on(
    effects: WritePipeline, database_url: str, worker_database: Database, tenant: uuid.UUID
) -> None:
    def lose() -> None:
        with connect(database_url) as owner:
            owner.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity "
                          "where application_name = 'test'")  # fmt: skip

    _write_for(effects, tenant, (tenant, "a"))
    lose()
    effects.connect()
    effects.connect()
    _write_for(effects, tenant, (tenant, "b"))
    lose()
    effects.connect()
    lose()
    with pytest.raises(DATABASE_GONE):
        _write_for(effects, tenant, (tenant, "lost"))
    assert _contracts(worker_database, tenant) == ["a", "b"]


def test_what_was_only_sent_is_answered_later(
    effects: WritePipeline, worker_database: Database, tenant: uuid.UUID
) -> None:
    def send(*rows: tuple[uuid.UUID, str]) -> None:
        with effects.transaction(tenant, SYSTEM, wait=False) as tx:
            for row in rows:
                tx.write(_ADD, row)

    send((tenant, "a"))
    assert effects.awaits is not None
    with pytest.raises(RuntimeError, match="under way"):
        send((tenant, "too early"))
    effects.finish()
    assert _contracts(worker_database, tenant) == ["a"]
    send((tenant, "b"), (uuid.uuid4(), "somebody else's"))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        effects.finish()
    _write_for(effects, tenant, (tenant, "c"))
    assert _contracts(worker_database, tenant) == ["a", "c"]


def test_a_server_that_goes_away_in_the_middle_is_told_as_such(
    effects: WritePipeline, worker_database: Database, tenant: uuid.UUID
) -> None:
    def cut() -> None:
        with effects.transaction(tenant, SYSTEM) as tx:
            tx.write(_ADD, (tenant, "lost"))
            tx.write("select pg_terminate_backend(pg_backend_pid())", ())

    with pytest.raises(DATABASE_GONE):
        cut()
    _write_for(effects, tenant, (tenant, "kept"))
    assert _contracts(worker_database, tenant) == ["kept"]


def test_more_than_a_socket_takes_at_once_arrives_whole(
    effects: WritePipeline, worker_database: Database, tenant: uuid.UUID
) -> None:
    names = [f"{number:06d}{'x' * 5_000}" for number in range(800)]
    with effects.transaction(tenant, SYSTEM) as tx:
        for name in names:
            tx.write("insert into ingest_rollups (tenant_id, contract, step_s, bucket, writer, received, accepted, "
                     "duplicates, quarantined, latency, last_at) values (%(tenant)s, left(%(name)s, 6), 5, now(), "
                     "'100%%', 0, 0, 0, 0, '{}', now())", {"name": name, "tenant": tenant})  # fmt: skip
    assert _contracts(worker_database, tenant) == [name[:6] for name in names]
