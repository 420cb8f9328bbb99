"""The log of the embedded PostgreSQL quotes no statement: the lake's catalogue names people in its statistics."""

from __future__ import annotations

import psycopg
import pytest

from finer.kit.postgres import EmbeddedPostgres


def test_a_statement_that_failed_is_not_quoted_in_the_log(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("create temporary table seen (who text primary key)")
        connection.execute("insert into seen values ('kumar.tan@mail.example')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("insert into seen values ('kumar.tan@mail.example')")
    said = postgres.log_file.read_text(errors="replace")
    assert "duplicate key value" in said
    assert "kumar.tan" not in said
