"""`finer log`: rows of the event log that could not be processed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import click
import msgspec

from finer.app import set_aside
from finer.app.commands.common import OPERATOR, echo_lines, json_option, running_database, show
from finer.app.commands.options import data_dir_option, settings_of
from finer.identity.service import tenants
from finer.kit import log_failures
from finer.kit.db import NO_TENANT, WORKER, Database

_tenant_option = click.option("--tenant", metavar="SLUG", help="One firm only; all of them when left out.")


@click.group()
def log() -> None:
    """Rows of the event log that were set aside because the worker failed on them.

    Example: finer log list
    """


@log.command("list")
@_tenant_option
@data_dir_option
@json_option
def list_command(tenant: str | None, data_dir: str | None, as_json: bool) -> None:
    """List what is set aside, and where the worker failed on it.

    Example: finer log list --json
    """
    found = []
    with _open(data_dir, tenant) as (database, firms):
        for slug, firm in firms.items():
            with database.transaction(firm, OPERATOR, read_only=True) as tx:
                rows = log_failures.list_set_aside(tx)
            found += [{"tenant": slug, **msgspec.to_builtins(row)} for row in rows]
    lines = [
        f"{row['tenant']:<20} {row['stream']}/{row['partition']} at {row['base_offset']}: {row['count']} records, "
        f"set aside {row['set_aside_at']}, {row['error']}"
        for row in found
    ]
    show(found, as_json, lambda: echo_lines(lines, "Nothing is set aside."))


@log.command("replay")
@_tenant_option
@data_dir_option
@json_option
def replay_command(tenant: str | None, data_dir: str | None, as_json: bool) -> None:
    """Put what was set aside back into the log, at its end; what fails again is set aside again.

    Example: finer log replay --tenant acme
    """
    found = []
    with _open(data_dir, tenant) as (database, firms):
        for slug, firm in firms.items():
            rows, records = set_aside.replay(database, firm, OPERATOR)
            found.append({"tenant": slug, "rows": rows, "records": records})
    lines = [f"{one['tenant']:<20} {one['records']} records in {one['rows']} rows put back" for one in found]
    show(found, as_json, lambda: echo_lines(lines, "There is no firm."))


@contextmanager
def _open(data_dir: str | None, tenant: str | None) -> Iterator[tuple[Database, dict[str, uuid.UUID]]]:
    """The database as the worker, and the firms that are meant, by short name."""
    with running_database(settings_of(data_dir)) as running:
        with running.transaction(NO_TENANT, OPERATOR, read_only=True) as tx:
            firms = [tenants.tenant_by_slug(tx, tenant)] if tenant is not None else tenants.list_tenants(tx)
        database = Database(running.url, WORKER, connections=1)
        try:
            yield database, {firm.slug: firm.id for firm in firms}
        finally:
            database.close()
