"""Queries that people write see just their own tables, and nothing that they write does harm."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from finer.kit.errors import FinerError
from finer.kit.settings import Settings
from finer.warehouse import service
from finer.warehouse.errors import LakeEmpty, SqlFailed, SqlNotAllowed, SqlTimeout, SqlTooLarge
from tests.warehouse.samples import order_batch, sample_batch


@pytest.fixture(scope="module")
def tenant() -> uuid.UUID:
    """The tenant of all tests of this module: its lake is only read."""
    return uuid.uuid4()


@pytest.fixture(scope="module")
def lake(database_url: str, tmp_path_factory: pytest.TempPathFactory, tenant: uuid.UUID) -> service.LakeAccess:
    """A lake with 100 transactions in two files and 20 orders."""
    settings = Settings(data_dir=str(tmp_path_factory.mktemp("lake")), lake_flush_s=0.05)
    writer = service.LakeWriter(database_url, settings)
    writer.put(sample_batch(tenant, 0, 60))
    assert writer.flush()
    writer.put(sample_batch(tenant, 60, 40))
    writer.put(order_batch(tenant, 0, 20))
    assert writer.flush()
    writer.close()
    return service.LakeAccess(database_url, settings)


def test_one_query_over_all_tables(lake: service.LakeAccess, tenant: uuid.UUID) -> None:
    found = service.sql(
        lake,
        tenant,
        "with blocked as (select * from decisions where list_contains(rules, 'velocity')) "
        "select action, count(*) as n, sum(t.amount_minor)::bigint as amount, max(account_sum_24h) as sum_24h "
        "from blocked join transactions t using (log_partition, log_offset) group by action",
    )
    assert found.table.to_pylist() == [
        {"action": "block", "n": 10, "amount": sum(n * 100 + 5 for n in range(0, 100, 10)), "sum_24h": 90 * 0.1}
    ]
    assert not found.truncated


def test_statements_that_describe(lake: service.LakeAccess, tenant: uuid.UUID) -> None:
    assert service.sql(lake, tenant, "show tables").table.column("name").to_pylist() == [
        "decisions",
        "orders",
        "transactions",
    ]
    described = service.sql(lake, tenant, "describe orders").table.to_pylist()
    assert [row["column_name"] for row in described][-2:] == ["log_partition", "log_offset"]
    assert service.sql(lake, tenant, "from orders select count(*) as n").table.to_pylist() == [{"n": 20}]


def test_an_answer_is_cut_at_the_row_limit(lake: service.LakeAccess, tenant: uuid.UUID) -> None:
    found = service.sql(lake, tenant, "select log_offset from transactions order by log_offset", rows_max=30)
    assert found.truncated
    assert found.table.column(0).to_pylist() == list(range(30))
    whole = service.sql(lake, tenant, "select log_offset from transactions", rows_max=100)
    assert not whole.truncated
    # The limit stops the query itself: all of this would take hours.
    endless = service.sql(lake, tenant, "select * from range(10000000000000)", rows_max=5)
    assert endless.truncated


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from read_blob('/etc/hostname')",
        "select * from glob('/*')",
        "select * from sniff_csv('/etc/passwd')",
        "select * from read_parquet('**/*.parquet')",
        "select * from parquet_metadata('x.parquet')",
        "select * from '/etc/passwd'",
        'select * from "/etc/passwd.csv"',
        'with "/etc/x.csv" as (select 1) select * from "/etc/x.csv"',
        "select * from query('select 1')",
        "select * from query_table('transactions')",
        "select * from duckdb_views()",
        "select * from duckdb_settings()",
        "select * from information_schema.views",
        "select * from duckdb_views",
        "select (select count(*) from duckdb_secrets())",
        "select * from transactions where account_id in (select content from read_text('/etc/passwd'))",
        "describe select * from read_csv('/etc/passwd')",
        "summarize select * from read_csv('/etc/passwd')",
        "copy (select 1) to 'out.csv'",
        "copy transactions to '/dev/stdout'",
        "export database 'there'",
        "import database 'there'",
        "attach 'there.duckdb'",
        "attach 'postgres:host=/var/run' as pg",
        "install httpfs",
        "load httpfs",
        "load '/usr/lib/x.duckdb_extension'",
        "pragma database_list",
        "pragma enable_profiling",
        "call pragma_version()",
        "set enable_external_access = true",
        "reset enable_external_access",
        "create table t as select 1",
        "create secret s (type s3)",
        "create macro m() as table select * from read_text('/etc/passwd')",
        "drop view transactions",
        "insert into transactions select * from transactions",
        "delete from transactions",
        "update transactions set amount_minor = 0",
        "select 1; select 2",
        "select 1; drop view transactions",
        "begin",
        "explain analyze select 1",
        "checkpoint",
        "vacuum",
        "use memory",
        "prepare p as select 1",
        "",
        "-- nothing",
    ],
)
def test_everything_else_is_refused(lake: service.LakeAccess, tenant: uuid.UUID, statement: str) -> None:
    with pytest.raises((SqlNotAllowed, SqlFailed)) as refused:
        service.sql(lake, tenant, statement)
    assert "root:" not in refused.value.detail


def test_mistakes_are_told(lake: service.LakeAccess, tenant: uuid.UUID) -> None:
    with pytest.raises(SqlFailed, match="amount_mynor"):
        service.sql(lake, tenant, "select amount_mynor from transactions")
    with pytest.raises(SqlFailed, match="syntax error"):
        service.sql(lake, tenant, "selec 1")
    with pytest.raises(SqlNotAllowed, match="no table 'invoices'"):
        service.sql(lake, tenant, "select * from invoices")


@pytest.mark.parametrize(
    "statement",
    [
        "select string_agg(repeat('x', 1000) || i, '') from range(100000000) t(i)",
        "select repeat('x', 4000000000)",
        "select list(i) from range(10000000000) t(i)",
        "select repeat('x', 100000000) || i from range(1000) t(i)",
    ],
)
def test_memory_is_bounded(lake: service.LakeAccess, tenant: uuid.UUID, statement: str) -> None:
    with pytest.raises(SqlTooLarge):
        service.sql(lake, tenant, statement, memory_mb=256)


@pytest.mark.parametrize(
    "statement",
    [
        "with recursive r as (select 1 as n union all select n + 1 from r) select max(n) from r",
        "select count(*) from range(1000000000) a, range(1000000000) b where a.range * b.range = 7",
    ],
)
def test_time_is_bounded(lake: service.LakeAccess, tenant: uuid.UUID, statement: str) -> None:
    with pytest.raises((SqlTimeout, SqlTooLarge)):
        service.sql(lake, tenant, statement, timeout_s=1.0, memory_mb=512)


def test_a_tenant_sees_only_its_own(lake: service.LakeAccess, tenant: uuid.UUID) -> None:
    other = uuid.uuid4()
    with pytest.raises(LakeEmpty):
        service.sql(lake, other, "select 1")
    writer = service.LakeWriter(lake.url, lake.settings)
    writer.put(sample_batch(other, 500, 3))
    assert writer.flush()
    writer.close()
    assert service.sql(lake, other, "select count(*) as n from transactions").table.to_pylist() == [{"n": 3}]
    assert service.sql(lake, tenant, "select max(log_offset) as n from transactions").table.to_pylist() == [{"n": 99}]
    # Even the other's file names do not help.
    path = next(Path(lake.address(tenant)).rglob("*.parquet"))
    for statement in (f"select * from '{path}'", f"select * from read_parquet('{path}')"):
        with pytest.raises(FinerError) as refused:
            service.sql(lake, other, statement)
        assert isinstance(refused.value, SqlNotAllowed)


def test_the_process_has_no_secrets(
    lake: service.LakeAccess, tenant: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINER_DATABASE_URL", "postgresql://user:secret@host/db")
    with pytest.raises(SqlFailed, match="getenv"):
        service.sql(lake, tenant, "select getenv('FINER_DATABASE_URL')")
    settings = service.sql(lake, tenant, "select current_setting('secret_directory') as place").table.to_pylist()
    assert "secret@" not in str(settings)
