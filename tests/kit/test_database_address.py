"""A PostgreSQL of one's own on another machine is reached over TLS that names the server, or not at all."""

from __future__ import annotations

import pytest

from finer.kit.database_address import check_database_address
from finer.kit.errors import InvalidInput
from finer.kit.settings import load_settings


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@db.example/finer?sslmode=verify-full",
        "postgresql://u:p@db.example:5432,db2.example/finer?sslmode=verify-full&sslrootcert=system",
        "postgresql://u:p@localhost/finer", "postgresql://u:p@127.0.0.1:5432/finer", "postgresql://u@[::1]/finer",
        "postgresql:///finer?host=/var/run/postgresql", "host=/tmp dbname=finer", "dbname=finer",
    ],
)  # fmt: skip
def test_what_stays_here_or_is_verified_is_used(url: str) -> None:
    assert check_database_address(load_settings({}, database_url=url)) == url


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@db.example/finer", "postgresql://u:p@db.example/finer?sslmode=require",
        "postgresql://u:p@db.example/finer?sslmode=verify-ca", "postgresql://u:p@10.0.0.5/finer?sslmode=prefer",
        "postgresql://u:p@localhost,db.example/finer", "host=localhost hostaddr=10.0.0.5 dbname=finer",
        "postgresql://u:p@localhost.evil.example/finer", "postgresql://u:p@[2001:db8::1]/finer",
    ],
)  # fmt: skip
def test_what_somebody_in_between_could_read_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="sslmode=verify-full") as told:
        check_database_address(load_settings({}, database_url=url))
    assert "u:p" not in told.value.detail
    assert check_database_address(load_settings({}, database_url=url, database_tls="any")) == url


def test_an_address_that_cannot_be_read_is_told_without_its_password() -> None:
    with pytest.raises(InvalidInput, match="cannot be read") as told:
        check_database_address(load_settings({}, database_url="postgresql://u:hush@db.example:port/finer?x=y"))
    assert "hush" not in told.value.detail
