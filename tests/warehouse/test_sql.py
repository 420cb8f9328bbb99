"""Queries that people write see just their own tables, and nothing that they write does harm."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from finer.kit.errors import FinerError
from finer.kit.settings import Settings
from finer.warehouse.errors import LakeEmpty, SqlFailed, SqlNotAllowed, SqlTimeout, SqlTooLarge
from finer.warehouse.service import lake as service
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
    # Arrow has no such type, and DuckDB hands out its bits as a number with a sign.
    large = service.sql(
        lake, tenant, f"select {2**128 - 1}::uhugeint as a, 5::uhugeint as b, null::uhugeint as c, 1 as d"
    )
    assert large.table.to_pylist() == [{"a": 2**128 - 1, "b": 5, "c": None, "d": 1}]


def test_a_cost_counts_the_rows_of_all_files_whatever_their_sizes(lake: service.LakeAccess, tenant: uuid.UUID) -> None:
    for statement, rows in (
        ("select count(*) from transactions", 100),
        ("select currency, sum(amount_minor) from transactions group by 1", 100),
        ("select (select max(amount_minor) from transactions) + (select max(amount_minor) from orders)", 120),
    ):
        assert service.sql(lake, tenant, statement).cost.rows_read == rows
    # What a condition lets reading leave out was not read.
    some = service.sql(lake, tenant, "select event_id from transactions where log_offset >= 70")
    assert some.cost.rows_read == 30


def test_an_answer_is_cut_at_the_row_limit(lake: service.LakeAccess, tenant: uuid.UUID) -> None:
    found = service.sql(lake, tenant, "select log_offset from transactions order by log_offset", rows_max=30)
    assert found.truncated
    assert found.table.column(0).to_pylist() == list(range(30))
    whole = service.sql(lake, tenant, "select log_offset from transactions", rows_max=100)
    assert not whole.truncated
    # The limit stops the query itself: all of this would take hours.
    endless = service.sql(lake, tenant, "select * from range(10000000000000)", rows_max=5)
    assert endless.truncated


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
    with pytest.raises(SqlNotAllowed, match="getenv"):
        service.sql(lake, tenant, "select getenv('FINER_DATABASE_URL')")
    with pytest.raises(SqlNotAllowed, match="current_setting"):
        service.sql(lake, tenant, "select current_setting('secret_directory')")
