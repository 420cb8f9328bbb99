"""Addresses and names of people are sealed in the table, found by blind index, and sealed when they were not."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command

from finer.identity.service import people
from finer.kit.actors import SYSTEM
from finer.kit.crypto.errors import KeysUnavailable
from finer.kit.crypto.keyring import Keyring
from finer.kit.crypto.kms import KeyFile
from finer.kit.db import API, Database
from finer.kit.migration import _config, migrate
from finer.kit.passwords import hash_password
from finer.kit.settings import Settings
from tests.support.identity import PASSWORD, Door, Firm


def test_the_table_shows_neither_address_nor_name(firm: Firm, database_url: str) -> None:
    user = firm.user()
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("select u::text from identity_users u where id = %s", (user.id,)).fetchall()
    text = str(rows)
    for secret in (user.email, user.name):
        assert secret not in text
        assert secret.encode().hex() not in text
    with firm.tx() as tx:
        assert people.list_users(tx) == [user]
        assert people.get_user(tx, user.id).name == "A Person"


@pytest.fixture
def older(database_url: str) -> Iterator[str]:
    """A database as the version before left it, with one firm and one person in plain text."""
    name = f"older_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    url = database_url.replace("/finer?", f"/{name}?")
    command.upgrade(_config(url), "0008_keys")
    yield url
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


def test_people_of_an_older_version_are_sealed_and_still_sign_in(
    older: str, settings: Settings, tmp_path: Path
) -> None:
    firm, person = uuid.uuid4(), uuid.uuid4()
    with psycopg.connect(older) as connection:
        connection.execute(
            "insert into identity_tenants values (%s, 'old', 'Old', 'PHP', 'UTC', '{}', now())",
            (firm,),
        )
        connection.execute(
            "insert into identity_users (tenant_id, id, email, name, role, password_hash, created_at) "
            "values (%s, %s, 'zoe@old.example', 'Zoë', 'auditor', %s, now())",
            (firm, person, hash_password(PASSWORD, settings)),
        )
    with pytest.raises(KeysUnavailable):
        migrate(older)
    migrate(older, Keyring(KeyFile(tmp_path / "master.key")))
    migrate(older)
    database = Database(older, API, connections=2, keys=Keyring(KeyFile(tmp_path / "master.key")))
    principal, _ = Door(database, settings).sign_in("ZOE@old.example", PASSWORD, "127.0.0.1", "")
    assert (principal.id, principal.name) == (person, "Zoë")
    with database.transaction(firm, SYSTEM) as tx:
        assert [user.email for user in people.list_users(tx)] == ["zoe@old.example"]
    database.close()
