"""Every hostile statement of the catalogue is stopped, and the walls behind DuckDB's own hold by themselves."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finer.kit.errors import FinerError
from finer.kit.masking import PARTIAL
from finer.kit.settings import Settings
from finer.warehouse.errors import SqlCancelled, SqlFailed, SqlNotAllowed, SqlTimeout, SqlTooLarge
from finer.warehouse.service import lake as service
from finer.warehouse.store import sandbox_child
from finer.warehouse.store.shown import expressions
from finer.warehouse.types import LakeColumn, LakeTable
from tests.warehouse import hostile
from tests.warehouse.samples import order_batch, sample_batch

_MEMORY_MB = 256
_TOLD = ("root:", "PATH=", "/lake", "schema = MAP", "allowed_paths =", "finer-test")


@pytest.fixture(scope="module")
def tenant() -> uuid.UUID:
    """The tenant of all tests of this module: its lake is only read."""
    return uuid.uuid4()


@pytest.fixture(scope="module")
def lake(database_url: str, tmp_path_factory: pytest.TempPathFactory, tenant: uuid.UUID) -> service.LakeAccess:
    """A lake with a few transactions and orders."""
    chosen = Settings(data_dir=str(tmp_path_factory.mktemp("lake")), lake_flush_s=0.05)
    writer = service.LakeWriter(database_url, chosen)
    writer.put(sample_batch(tenant, 0, 60))
    writer.put(order_batch(tenant, 0, 20))
    assert writer.flush()
    writer.close()
    return service.LakeAccess(database_url, chosen)


@pytest.fixture(scope="module")
def pool() -> Iterator[service.Sandboxes]:
    """Warm processes, so that hundreds of queries take seconds."""
    found = service.Sandboxes(2)
    yield found
    found.close()


def _stopped(lake: service.LakeAccess, tenant: uuid.UUID, pool: service.Sandboxes, statements: list[str]) -> list[str]:
    """What the statements were answered with that is no refusal, or a refusal that tells too much."""
    answered = []

    def ask(statement: str) -> None:
        try:
            found = service.sql(lake, tenant, statement, memory_mb=_MEMORY_MB, timeout_s=2.0, pool=pool)
        except (SqlNotAllowed, SqlFailed, SqlTooLarge, SqlTimeout) as error:
            if any(word in error.detail.replace(statement, "") for word in _TOLD):
                answered.append(f"{statement[:200]!r} told {error.detail[:300]}")
        else:
            answered.append(f"{statement[:200]!r} was answered with {found.table.slice(0, 3).to_pylist()}")

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(ask, statements))
    return answered


def test_c02_no_file_or_address_is_read(lake: service.LakeAccess, tenant: uuid.UUID, pool: service.Sandboxes) -> None:
    assert _stopped(lake, tenant, pool, hostile.READS) == []


def test_c03_nothing_is_written(lake: service.LakeAccess, tenant: uuid.UUID, pool: service.Sandboxes) -> None:
    before = sorted(str(path) for path in Path(lake.address(tenant)).rglob("*"))
    assert _stopped(lake, tenant, pool, hostile.WRITES) == []
    assert sorted(str(path) for path in Path(lake.address(tenant)).rglob("*")) == before
    assert list(Path("/var/tmp").glob("finer-hostile*")) == []


def test_c05_nothing_is_smuggled_in(lake: service.LakeAccess, tenant: uuid.UUID, pool: service.Sandboxes) -> None:
    assert _stopped(lake, tenant, pool, hostile.SMUGGLED) == []


def test_c06_nothing_tells_paths_settings_or_other_firms(
    lake: service.LakeAccess, tenant: uuid.UUID, pool: service.Sandboxes
) -> None:
    assert _stopped(lake, tenant, pool, hostile.LEAKS) == []


def test_c04_a_greedy_query_is_stopped_and_its_process_is_gone(
    lake: service.LakeAccess, tenant: uuid.UUID, pool: service.Sandboxes
) -> None:
    assert _stopped(lake, tenant, pool, hostile.GREEDY[:8]) == []
    deadline = time.monotonic() + 5
    while len(_children()) > 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(_children()) <= 3  # those that wait for the next query


def _children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if str(sandbox_child.__file__) in " ".join(_command(one))]


def _command(process: psutil.Process) -> list[str]:
    try:
        found: list[str] = process.cmdline()
    except psutil.Error:
        return []
    return found


def test_c04_a_query_is_cancelled_from_outside(
    lake: service.LakeAccess, tenant: uuid.UUID, pool: service.Sandboxes
) -> None:
    stop = service.Stop()
    with ThreadPoolExecutor(1) as thread:
        asked = thread.submit(
            service.sql, lake, tenant, "select count(*) from range(10000000000000)", pool=pool, stop=stop
        )
        stop.stop()
        with pytest.raises(SqlCancelled):
            asked.result(timeout=20)
    with pytest.raises(SqlCancelled):
        service.sql(lake, tenant, "select 1", pool=pool, stop=stop)


def test_c02_the_kernel_lets_the_process_open_its_files_only(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.write_text("mine")
    other.write_text("other")
    program = (
        "import importlib.util, socket, sys; spec = importlib.util.spec_from_file_location('child', sys.argv[1]);"
        "child = importlib.util.module_from_spec(spec); spec.loader.exec_module(child); child.isolate()\n"
        "if not child.lock_files([sys.argv[2]]): print('no landlock'); sys.exit()\n"
        "print(open(sys.argv[2]).read())\n"
        "for path, mode in ((sys.argv[3], 'r'), ('/etc/passwd', 'r'), (sys.argv[2], 'w'), (sys.argv[2] + 'x', 'w')):\n"
        "    try: open(path, mode); print('open', path)\n"
        "    except PermissionError: print('refused')\n"
        "try: socket.create_connection(('127.0.0.1', 22), 1); print('connected')\n"
        "except OSError as error: print(type(error).__name__)\n"
    )
    command = [sys.executable, "-I", "-c", program, str(sandbox_child.__file__), str(mine), str(other)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    if lines == ["no landlock"]:
        pytest.skip("this kernel has no Landlock, and DuckDB's own lock is what is left")
    assert lines[:5] == ["mine", "refused", "refused", "refused", "refused"]
    assert lines[5] != "connected"


def test_masked_columns_are_masked_before_the_query_meets_them(
    lake: service.LakeAccess, tenant: uuid.UUID, pool: service.Sandboxes
) -> None:
    shown = {"transactions": {"account_id": "token", "merchant_name": "gone", "amount_minor": "rounded"}}

    def ask(statement: str) -> list[dict[str, object]]:
        found = service.sql(lake, tenant, statement, shown=lambda _: shown, secret=b"firm", pool=pool)
        rows: list[dict[str, object]] = found.table.to_pylist()
        return rows

    tokens = ask("select distinct account_id as a from transactions order by 1")
    assert len(tokens) == 7
    assert all(str(row["a"]).startswith("****nt-") and "~" in str(row["a"]) for row in tokens)
    # B05: no filter, order, join or function brings the value back.
    assert ask("select count(*) as n from transactions where account_id like 'account-%'") == [{"n": 0}]
    assert ask("select count(*) as n from transactions where account_id = 'account-3'") == [{"n": 0}]
    assert ask("select count(*) as n from transactions where merchant_name is not null") == [{"n": 0}]
    assert ask("select count(*) as n from transactions where amount_minor = 1205") == [{"n": 0}]
    assert ask("select min(amount_minor) as a from transactions where amount_minor > 1000") == [{"a": 2000}]
    (error,) = _stopped_with(lake, tenant, pool, "select account_id::integer from transactions", shown)
    assert "account-" not in error
    # The same value is the same token everywhere of one firm, and another one for another firm.
    again = ask("select count(distinct a.account_id) as n from transactions a join transactions b using (account_id)")
    assert again == [{"n": 7}]
    lowest = "select min(account_id) as a from transactions"
    other = service.sql(lake, tenant, lowest, shown=lambda _: shown, secret=b"other", pool=pool)
    assert other.table.to_pylist()[0]["a"] not in [row["a"] for row in tokens]


@given(
    texts=st.lists(st.none() | st.text(max_size=30) | st.emails(), max_size=40),
    numbers=st.lists(st.none() | st.integers(-(10**9), 10**9), max_size=40),
)
@settings(max_examples=25)
def test_masks_of_queries_are_those_of_everything_else(texts: list[str | None], numbers: list[int | None]) -> None:
    """The forms in SQL are those of finer.kit.masking, value by value."""
    columns = (LakeColumn("t", "VARCHAR"), LakeColumn("n", "BIGINT"))
    texts = [None if text is None else text.replace("\0", "") for text in texts]
    with duckdb.connect() as connection:
        for form, column, values in (
            ("tail", "t", texts), ("email", "t", texts), ("gone", "t", texts), ("same", "t", texts),
            ("rounded", "n", numbers), ("tail", "n", numbers),
        ):  # fmt: skip
            table = LakeTable(name="x", rows=0, columns=columns)
            shown = expressions([table], {"x": {column: form}}, b"")["x"][column]
            kind = {one.name: one.type for one in columns}[column]
            found = connection.execute(
                f"select {shown} from (select unnest(?::{kind}[]) as {column})", [values]
            ).fetchall()
            expected = [None if value is None else PARTIAL[form](value) for value in values]
            assert [row[0] for row in found] == expected


def _stopped_with(
    lake: service.LakeAccess, tenant: uuid.UUID, pool: service.Sandboxes, statement: str, shown: service.Shown
) -> list[str]:
    try:
        service.sql(lake, tenant, statement, shown=lambda _: shown, secret=b"firm", pool=pool)
    except FinerError as error:
        return [error.detail]
    return []


def test_parameters_are_values(lake: service.LakeAccess, tenant: uuid.UUID, pool: service.Sandboxes) -> None:
    text = "'; drop view transactions; --"
    found = service.sql(lake, tenant, "select $text as t, $n + 1 as n", parameters={"text": text, "n": 41}, pool=pool)
    assert found.table.to_pylist() == [{"t": text, "n": 42}]
    with pytest.raises(SqlFailed, match="missing"):
        service.sql(lake, tenant, "select $text as t", parameters={"other": 1, "text": 2, "missing": 1}, pool=pool)


def test_what_a_query_cost_is_told(lake: service.LakeAccess, tenant: uuid.UUID, pool: service.Sandboxes) -> None:
    cost = service.sql(lake, tenant, "select sum(amount_minor) from transactions", pool=pool).cost
    assert cost.rows_read == 60
    assert cost.bytes_read > 500
    assert cost.memory_bytes > 2**20
    assert 0 < cost.cpu_s < 60


def test_a_process_that_died_while_it_waited_is_replaced(lake: service.LakeAccess, tenant: uuid.UUID) -> None:
    pool = service.Sandboxes(1)
    first = pool.take()
    os.kill(first.pid, 9)
    first.wait()
    pool._ready.put(first)
    for _ in range(3):
        assert service.sql(lake, tenant, "select 1 as n", pool=pool).table.to_pylist() == [{"n": 1}]
    pool.close()
