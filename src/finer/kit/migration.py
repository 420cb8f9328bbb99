"""What migrations share: row-level security for tenant tables, and running them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from finer.kit.crypto.keyring import Keyring
from finer.kit.db import has_tables, metadata
from finer.kit.errors import InvalidInput

_OWN_TENANT = "tenant_id = nullif(current_setting('finer.tenant', true), '')::uuid"


def protect(op: Any, table: str, *, api: str = "", worker: str = "") -> None:
    """Wall a tenant table in: row-level security enabled and forced, one policy, and just the grants named.

    `api` and `worker` are privilege lists as in GRANT, e.g. "select, insert"; empty grants nothing.
    """
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy tenant on {table} using ({_OWN_TENANT}) with check ({_OWN_TENANT})")
    for role, privileges in (("finer_api", api), ("finer_worker", worker)):
        if privileges:
            op.execute(f"grant {privileges} on {table} to {role}")


def migrations_folder() -> Path:
    """Where the migration files are: beside the package in a checkout, inside it in a wheel."""
    inside = Path(__file__).resolve().parent.parent / "migrations"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[3] / "migrations"


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.attributes["url"] = url
    return config


def migrate(url: str, keys: Keyring | None = None) -> None:
    """Bring the database to the newest schema. Waits at most five seconds for a lock, then fails without harm.

    `keys` seal what older versions kept in plain text; a database without such rows needs none. Raises InvalidInput
    when the user of the database may not make what it takes, NotOurs for a database of another program.
    """
    has_tables(url)
    config = _config(url)
    config.attributes["keys"] = keys
    try:
        command.upgrade(config, "head")
    except sa.exc.ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        raise InvalidInput(
            f"The user of the database may not make the schema: {str(error.orig).splitlines()[0]}. It has to own the "
            "database and be allowed to make roles: create role ... login createrole; create database ... owner ..."
        ) from error


def pending(connection: sa.Connection) -> list[str]:
    """Migrations of this code that the database does not have yet, oldest first."""
    script = ScriptDirectory.from_config(_config(""))
    current = MigrationContext.configure(connection).get_current_revision()
    revisions: Iterable[Any] = script.iterate_revisions("head", current or "base")
    return [revision.revision for revision in reversed(list(revisions))]


def drift(connection: sa.Connection) -> list[str]:
    """Where the tables that the code describes differ from the database; empty when they agree.

    Described is what has been imported: every domain's `tables` must have been, or its tables are reported as unknown.
    """

    def ours(_object: Any, name: str | None, kind: str, reflected: bool, _compare_to: Any) -> bool:
        foreign = kind == "table" and reflected and (name or "").startswith(("procrastinate_", "alembic_", "ducklake_"))
        return not foreign and not (kind == "table" and reflected and "_p_" in (name or ""))

    context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
    return [str(difference) for difference in compare_metadata(context, metadata)]
