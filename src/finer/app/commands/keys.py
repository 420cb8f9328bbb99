"""`finer keys`: the keys of sealed columns."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import click
import msgspec
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from finer.app import key_upkeep
from finer.app.commands.common import (
    OPERATOR,
    echo_lines,
    json_option,
    moment,
    running_database,
    show,
    tenant_id,
)
from finer.app.commands.options import data_dir_option, settings_of
from finer.app.flow import deliver
from finer.app.keys import keyring
from finer.identity.service import audit, tenants
from finer.kit.db import NO_TENANT, WORKER, Database
from finer.kit.ids import show_id

_tenant_option = click.option("--tenant", metavar="SLUG", help="One firm only; all of them when left out.")


@click.group()
def keys() -> None:
    """Keys of sealed columns: how they stand, and replacing them.

    Example: finer keys status
    """


@keys.command("status")
@_tenant_option
@data_dir_option
@json_option
def status_command(tenant: str | None, data_dir: str | None, as_json: bool) -> None:
    """Say for each firm how many keys there are, how old, and how many rows wait for a newer one.

    Example: finer keys status --json
    """
    with _open(data_dir, tenant) as (database, firms):
        found = {slug: key_upkeep.status(database, firm) for slug, firm in firms.items()}
    rows = [{"tenant": slug, **msgspec.to_builtins(one)} for slug, one in found.items()]
    show(
        rows,
        as_json,
        lambda: echo_lines(
            f"{slug:<20} {one.firm_keys} of the firm, {one.person_keys} of people, {one.superseded} superseded, "
            f"{one.rows_waiting} rows wait; oldest of {one.oldest:%Y-%m-%d}"
            if one.oldest
            else f"{slug:<20} no keys yet"
            for slug, one in found.items()
        ),
    )


@keys.command("rotate")
@_tenant_option
@click.option("--master", is_flag=True, help="Replace the master key too; the data keys are wrapped again.")
@click.option(
    "--before",
    type=moment,
    metavar="WHEN",
    help="Only keys made before this moment (UTC); now when left out. An interrupted rotation goes on with its moment.",
)
@data_dir_option
@json_option
def rotate_command(
    tenant: str | None, master: bool, before: datetime | None, data_dir: str | None, as_json: bool
) -> None:
    """Replace the data keys and seal every row again, in small steps beside all else that goes on.

    Example: finer keys rotate --tenant acme
    """
    done: dict[str, int] = {}
    with _open(data_dir, tenant) as (database, firms):
        end = before or database.clock.now()
        click.echo(f"Keys made before {end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} are replaced.", err=True)
        if master:
            key_upkeep.rotate_master(database, list(firms.values()))
        columns = (TextColumn("{task.description} {task.completed} rows"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            for slug, firm in firms.items():
                task = bar.add_task(slug, total=None)
                done[slug] = key_upkeep.rotate(database, firm, end, partial(bar.advance, task))
                with database.transaction(firm, OPERATOR) as tx:
                    audit.record_audit(tx, "keys:rotate", show_id("ten", firm), {"rows": done[slug], "master": master})
    show(done, as_json, lambda: echo_lines(f"{slug:<20} {rows} rows sealed again" for slug, rows in done.items()))


@contextmanager
def _open(data_dir: str | None, slug: str | None) -> Iterator[tuple[Database, dict[str, uuid.UUID]]]:
    """The database as the role that may replace keys, and the firms meant."""
    settings = settings_of(data_dir)
    with running_database(settings) as found:
        database = Database(found.url, WORKER, connections=2, deliver=deliver, keys=keyring(settings))
        try:
            with found.transaction(NO_TENANT, OPERATOR, read_only=True) as tx:
                firms = {one.slug: one.id for one in tenants.list_tenants(tx)}
            yield database, firms if slug is None else {slug: tenant_id(found, slug)}
        finally:
            database.close()
