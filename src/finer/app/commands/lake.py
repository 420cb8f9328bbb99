"""Commands about the lake: export, and the roles of programs that read it by themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from finer.app.commands.common import (
    OPERATOR,
    as_of_option,
    echo_lines,
    json_option,
    moment,
    running_database,
    show,
    tenant_id,
    tenant_option,
    writing,
)
from finer.app.commands.options import data_dir_option, settings_of
from finer.app.process import database_url
from finer.identity.service.audit import record_audit
from finer.identity.service.authorisation import masking_of
from finer.identity.types.access import Role
from finer.ingest.service import contracts
from finer.kit.actors import Actor
from finer.kit.crypto.fields import blind
from finer.kit.database_address import reached_at
from finer.kit.errors import InvalidInput
from finer.warehouse.service import exports
from finer.warehouse.service import lake as lakes
from finer.warehouse.service.shown import shown_to
from finer.warehouse.types import ExportFormat, Wanted


@click.command()
@click.argument("table")
@click.option("--from", "since", type=moment, metavar="WHEN", help="Rows that occurred at this moment or later.")
@click.option("--to", "until", type=moment, metavar="WHEN", help="Rows that occurred before this moment.")
@click.option(
    "--format", "form", type=click.Choice([one.value for one in ExportFormat]), default="parquet", show_default=True,
    help="Kind of file.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="The file; standard output without it.",
)  # fmt: skip
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    help="Mask what this role may not see.",
)
@as_of_option
@tenant_option
@data_dir_option
def export(
    table: str, since: datetime | None, until: datetime | None, form: str, out: Path | None, role: str | None,
    as_of: datetime | int | None, tenant: str, data_dir: str | None,
) -> None:  # fmt: skip
    """Write a table of the lake, or a part of it, to a file.

    Example: finer export transactions --from 2026-03-01 --to 2026-04-01 --format csv --out march.csv --tenant acme
    """
    wanted = Wanted(table=table, format=ExportFormat(form), since=since, until=until, as_of=as_of)
    settings = settings_of(data_dir)
    viewer = OPERATOR if role is None else Actor(kind="user", id="", name="", role=role)
    with running_database(settings) as database:
        firm = tenant_id(database, tenant)
        access = lakes.LakeAccess(database.url, settings)
        with database.transaction(firm, OPERATOR) as tx:
            secret, shown = blind(tx, "warehouse.tokens", ""), shown_to(masking_of(viewer), contracts.load(tx))
            record_audit(tx, "lake:export", table, {"by": "finer export", "role": role or "operator"})
        with _target(out) as target:
            rows = exports.write_export(secret, access, firm, wanted, shown, target, _progress(out))
    click.echo(f"{rows:,} rows written.", err=True)


@contextmanager
def _target(out: Path | None) -> Iterator[Any]:
    if out is None:
        yield sys.stdout.buffer
        return
    if out.exists() and not out.is_file():
        # It would be replaced by the file, for everybody on this machine.
        raise InvalidInput(f"{out} is a pipe or a device, and not a file. Leave --out away for standard output.")
    # Under another name until it is whole, so that nobody takes a part for all.
    unfinished = out.with_name(f".{out.name}.part")
    with writing(out):
        opened = unfinished.open("wb")
    try:
        with opened as file:
            yield file
        unfinished.rename(out)
    finally:
        unfinished.unlink(missing_ok=True)


def _progress(out: Path | None) -> exports.Progress:
    shown = out is not None and sys.stderr.isatty()

    def told(rows: int, total: int) -> None:
        if shown:
            click.echo(f"\r{rows:,} of {total:,} rows", nl=rows == total, err=True)

    return told


@click.group()
def lake() -> None:
    """The lake: who reads it by other programs.

    Example: finer lake reader create notebook --tenant acme
    """


@lake.group()
def reader() -> None:
    """Roles of PostgreSQL that read one firm's catalogue of the lake, unmasked, and nothing else.

    Example: finer lake reader create notebook --tenant acme
    """


@reader.command("create")
@click.argument("name")
@tenant_option
@data_dir_option
@json_option
def reader_create(name: str, tenant: str, data_dir: str | None, as_json: bool) -> None:
    """Make a role, and print its password once.

    Example: finer lake reader create notebook --tenant acme
    """
    settings = settings_of(data_dir)
    with running_database(settings) as database:
        firm = tenant_id(database, tenant)
        address, _ = database_url(settings)
        role, password = lakes.create_reader(address, firm, name)
        with database.transaction(firm, OPERATOR) as tx:
            record_audit(tx, "lake:reader_create", role)
        access = lakes.LakeAccess(database.url, settings)
        made = {
            "database": reached_at(address), "role": role, "password": password, "schema": lakes.schema_name(firm),
            "files": access.address(firm),
        }  # fmt: skip

    def text() -> None:
        for what, value in made.items():
            click.echo(f"{what:<9} {value}")
        click.echo("The password is shown this once. docs/how-to/read-the-lake.md says how to use it.", err=True)

    show(made, as_json, text)


@reader.command("list")
@tenant_option
@data_dir_option
@json_option
def reader_list(tenant: str, data_dir: str | None, as_json: bool) -> None:
    """List the roles that read a firm's lake.

    Example: finer lake reader list --tenant acme
    """
    settings = settings_of(data_dir)
    with running_database(settings) as database:
        found = lakes.list_readers(database_url(settings)[0], tenant_id(database, tenant))
    none = "No role reads the lake of this firm. `finer lake reader create` makes one."
    show(found, as_json, lambda: echo_lines(found, none))


@reader.command("drop")
@click.argument("name")
@tenant_option
@data_dir_option
def reader_drop(name: str, tenant: str, data_dir: str | None) -> None:
    """Delete a role and end its connections.

    Example: finer lake reader drop notebook --tenant acme
    """
    settings = settings_of(data_dir)
    with running_database(settings) as database:
        firm = tenant_id(database, tenant)
        role = lakes.drop_reader(database_url(settings)[0], firm, name)
        with database.transaction(firm, OPERATOR) as tx:
            record_audit(tx, "lake:reader_drop", role)
    click.echo(f"{role} is gone.")
