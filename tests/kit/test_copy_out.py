"""Rows that are copied out: all of them, some of them, and none when the server fails."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import psycopg
import pytest

from finer.kit.copy_out import copy_out
from finer.kit.db import Connection, connect


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as found:
        yield found


def test_every_row_comes_as_copy_writes_it(connection: Connection) -> None:
    rows = list(copy_out(connection, "copy (select n, e'a\\tb\\n', null from generate_series(1, 20000) n) to stdout"))
    assert len(rows) == 20_000
    assert rows[0] == rb"1" + b"\t" + rb"a\tb\n" + b"\t" + rb"\N"
    assert list(copy_out(connection, "copy (select 1 where false) to stdout")) == []


def test_whoever_has_had_enough_leaves_the_connection_of_use(connection: Connection) -> None:
    rows = copy_out(connection, "copy (select * from generate_series(1, 50000)) to stdout")
    assert list(islice(rows, 3)) == [b"1", b"2", b"3"]
    rows.close()
    assert connection.execute("select 7").fetchone() == (7,)


def test_what_the_server_says_is_raised_before_and_in_the_middle(connection: Connection) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        list(copy_out(connection, "copy nothing to stdout"))
    with pytest.raises(psycopg.errors.DivisionByZero):
        list(copy_out(connection, "copy (select 1 / (n - 3) from generate_series(1, 10) n) to stdout"))
    with pytest.raises(psycopg.errors.ActiveSqlTransaction):
        list(copy_out(connection, "vacuum; select 1"))
    assert connection.execute("select 7").fetchone() == (7,)
