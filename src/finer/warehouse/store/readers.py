"""Roles of PostgreSQL for programs of others that read one firm's lake by themselves: its catalogue, and nothing else.

What such a role reads is not masked, and it needs the files too; so it is made by the operator, not by the web app.
"""

from __future__ import annotations

import re
import secrets
import uuid

import psycopg
from psycopg import sql

from finer.kit.db import LAKE
from finer.kit.errors import Conflict, InvalidInput, NotFound, Unavailable
from finer.warehouse.errors import LakeEmpty
from finer.warehouse.store.access import schema_name

_NAME = re.compile(r"[a-z][a-z0-9_]{0,17}\Z")
_LIMITS = "login nosuperuser nobypassrls nocreatedb nocreaterole noinherit connection limit 10"
_SETTINGS = {"default_transaction_read_only": "on", "statement_timeout": "15min"}
_ROLES = "select rolname from pg_roles where rolname like %s order by 1"


def create_reader(url: str, tenant: uuid.UUID, name: str) -> tuple[str, str]:
    """Make a role, and return its name and its password, which is kept nowhere. `url` is that of the owner.

    Raises InvalidInput for a name that cannot be, Conflict for one that is taken, LakeEmpty, or Unavailable when the
    owner of the database may not make roles.
    """
    role, password = _role(tenant, name), secrets.token_urlsafe(24)
    schema = sql.Identifier(schema_name(tenant))
    statements: list[sql.SQL | sql.Composed] = [
        sql.SQL("create role {role} " + _LIMITS + " password {password}"),
        *(
            sql.SQL("alter role {role} set {name} = {value}").format(
                role=sql.Identifier(role), name=sql.Identifier(setting), value=sql.Literal(value)
            )
            for setting, value in _SETTINGS.items()
        ),
        sql.SQL("grant connect on database {database} to {role}"),
        sql.SQL("grant usage on schema {schema} to {role}"),
        sql.SQL("grant select on all tables in schema {schema} to {role}"),
        # DuckLake makes further tables when it needs them.
        sql.SQL("alter default privileges for role {owner} in schema {schema} grant select on tables to {role}"),
    ]
    try:
        with psycopg.connect(url) as connection:
            row = connection.execute(
                "select current_database(), to_regnamespace(%s)", (schema_name(tenant),)
            ).fetchone()
            if row is None or row[1] is None:
                raise LakeEmpty("This firm has no lake yet. Send records first.")
            for statement in statements:
                filled = statement if isinstance(statement, sql.Composed) else statement.format(
                    role=sql.Identifier(role), password=sql.Literal(password), schema=schema,
                    database=sql.Identifier(row[0]), owner=sql.Identifier(LAKE),
                )  # fmt: skip
                connection.execute(filled)
    except psycopg.errors.DuplicateObject as error:
        raise Conflict(f"There is a reader {name!r} already. Drop it first, or choose another name.") from error
    except psycopg.Error as error:
        raise _unavailable(error) from error
    return role, password


def list_readers(url: str, tenant: uuid.UUID) -> list[str]:
    """The roles of a firm's readers."""
    with psycopg.connect(url) as connection:
        prefix = _prefix(tenant)
        return [row[0] for row in connection.execute(_ROLES, (prefix.replace("_", r"\_") + "%",)).fetchall()]


def drop_reader(url: str, tenant: uuid.UUID, name: str) -> str:
    """Delete a role, end its connections, and return what it was called. Raises NotFound."""
    role = _role(tenant, name)
    try:
        with psycopg.connect(url) as connection:
            if connection.execute("select from pg_roles where rolname = %s", (role,)).fetchone() is None:
                raise NotFound(f"There is no reader {name!r} of this firm. `finer lake reader list` shows them.")
            connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", (role,))
            connection.execute(sql.SQL("drop owned by {}").format(sql.Identifier(role)))
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))
    except psycopg.Error as error:
        raise _unavailable(error) from error
    return role


def _prefix(tenant: uuid.UUID) -> str:
    return f"finer_read_{tenant.hex}_"


def _role(tenant: uuid.UUID, name: str) -> str:
    if not _NAME.match(name):
        raise InvalidInput("A reader's name has up to 18 small letters, digits and underscores, a letter first.")
    return _prefix(tenant) + name


def _unavailable(error: psycopg.Error) -> Unavailable:
    return Unavailable(
        f"The database refused: {str(error).splitlines()[0]}. The role in FINER_DATABASE_URL makes roles."
    )
