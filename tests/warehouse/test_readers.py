"""Programs of others read one firm's lake with a role that sees that firm's catalogue and nothing else."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import duckdb
import psycopg
import pytest

from finer.kit.errors import Conflict, InvalidInput, NotFound
from finer.kit.settings import Settings
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.service import lake as service
from finer.warehouse.store import access as lakes
from finer.warehouse.store.access import open_duckdb
from tests.warehouse.samples import order_batch, sample_batch


def _as(url: str, role: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, f"{role}@{parts.netloc.rpartition('@')[2]}", parts.path, parts.query, ""))


def test_c02_a_reader_sees_its_own_firms_lake_and_nothing_else(
    writer: service.LakeWriter, access: service.LakeAccess, database_url: str, tenant: uuid.UUID
) -> None:
    other = uuid.uuid4()
    writer.put(sample_batch(tenant, 0, 20))
    writer.put(sample_batch(other, 0, 5))
    assert writer.flush()
    role, password = service.create_reader(database_url, tenant, "notebook")
    try:
        assert len(password) >= 32
        assert service.list_readers(database_url, tenant) == [role]
        assert service.list_readers(database_url, other) == []
        with pytest.raises(Conflict):
            service.create_reader(database_url, tenant, "notebook")
        with psycopg.connect(_as(database_url, role), autocommit=True) as connection:
            seen = connection.execute(
                "select distinct n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                "where c.relkind in ('r', 'p', 'v', 'm') and n.nspname not in ('pg_catalog', 'information_schema') "
                "and has_schema_privilege(n.oid, 'usage') "
                "and has_table_privilege(c.oid, 'select, insert, update, delete, truncate')"
            ).fetchall()
            assert seen == [(service.schema_name(tenant),)]
            schema = service.schema_name(tenant)
            for statement in (
                f"select * from {service.schema_name(other)}.ducklake_data_file",
                "select * from identity_users",
                "select * from kit_log",
                "set role finer_lake",
                "create table public.mine (n int)",
                f"insert into {schema}.ducklake_metadata values ('a', 'b')",
                "set default_transaction_read_only = off; create schema mine",
            ):
                with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
                    connection.execute(statement)
        # What the how-to says, word for word: DuckDB with its DuckLake extension, read-only.
        duckdb = open_duckdb(memory_mb=256, threads=1)
        duckdb.execute(
            f"attach 'ducklake:postgres:{_as(database_url, role)}' as lake (data_path '{access.address(tenant)}/', "
            f"override_data_path true, metadata_schema '{schema}', meta_schema '{schema}', read_only)"
        )
        assert duckdb.execute("select count(*), max(log_offset) from lake.transactions").fetchall() == [(20, 19)]
        writer.put(order_batch(tenant, 0, 7))
        assert writer.flush()
        assert duckdb.execute("select count(*) from lake.orders").fetchall() == [(7,)]
        duckdb.close()
    finally:
        service.drop_reader(database_url, tenant, "notebook")
    assert service.list_readers(database_url, tenant) == []
    with pytest.raises(NotFound):
        service.drop_reader(database_url, tenant, "notebook")


@pytest.mark.parametrize("name", ["", "A", "1a", "a-b", "a" * 19, 'a"; drop role finer_api'])
def test_a_reader_has_a_plain_name(database_url: str, tenant: uuid.UUID, name: str) -> None:
    with pytest.raises(InvalidInput):
        service.create_reader(database_url, tenant, name)


def test_a_reader_needs_a_lake(database_url: str, settings: Settings, tenant: uuid.UUID) -> None:
    with pytest.raises(LakeEmpty):
        service.create_reader(database_url, tenant, "notebook")


def test_a_signature_is_checked_again_when_the_file_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ducklake.duckdb_extension"
    shutil.copyfile(lakes._extension("ducklake"), file)
    monkeypatch.setattr(lakes, "_extension", lambda name: str(file))
    for _ in range(2):  # the second one relies on the check of the first
        with open_duckdb(memory_mb=64, threads=1, extensions=("ducklake",)) as found:
            assert found.execute("select current_setting('allow_unsigned_extensions')").fetchone() == (False,)
    before = file.stat()
    changed = bytearray(file.read_bytes())
    changed[len(changed) // 2] ^= 1
    file.unlink()
    file.write_bytes(changed)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(duckdb.IOException, match="signature"):
        open_duckdb(memory_mb=64, threads=1, extensions=("ducklake",))
