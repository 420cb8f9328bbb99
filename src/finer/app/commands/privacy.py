"""`finer privacy`: subject requests and retention, from the machine itself.

Nothing here goes round the second person: a request is approved in the web app first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from finer.app.commands.common import (
    OPERATOR,
    echo_lines,
    json_option,
    running_database,
    show,
    tenant_id,
    tenant_option,
    writing,
)
from finer.app.commands.options import data_dir_option, settings_of
from finer.app.flow import deliver
from finer.app.keys import keyring
from finer.kit.db import WORKER, Database
from finer.kit.tx import Tx
from finer.privacy.service import erasure, export, requests, retention
from finer.warehouse.service.lake import LakeAccess, LakeReader


@click.group()
def privacy() -> None:
    """Subject requests and retention.

    Example: finer privacy requests --tenant acme
    """


@privacy.command("requests")
@tenant_option
@data_dir_option
@json_option
def list_command(tenant: str, data_dir: str | None, as_json: bool) -> None:
    """List the open subject requests, the most urgent first.

    Example: finer privacy requests --tenant acme
    """
    with _job(data_dir, tenant) as (tx, _):
        found = requests.list_requests(tx, open_only=True)
    show(
        msgspec.to_builtins(found),
        as_json,
        lambda: echo_lines(
            [f"{one.id}  {one.kind:<13} {one.state:<9} due {one.due_at:%Y-%m-%d}" for one in found],
            "No subject request is open.",
        ),
    )


@privacy.command("export")
@click.argument("request")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@tenant_option
@data_dir_option
def export_command(request: str, file: Path, tenant: str, data_dir: str | None) -> None:
    """Write the file of an approved request for access; HTML when its name says so, else JSON.

    Example: finer privacy export prq_0192... ana-cruz.html --tenant acme
    """
    with _job(data_dir, tenant) as (tx, access):
        reader = LakeReader(access.url, access.settings)
        try:
            made = export.export_file(tx, access.settings, reader, request, html=file.suffix == ".html")
        finally:
            reader.close()
        with writing(file):
            file.touch(mode=0o600)
            file.write_bytes(made)
    click.echo(f"{file} holds everything that is kept of the person. Hand it over safely, then delete it.")


@privacy.command("erase")
@click.argument("request")
@tenant_option
@data_dir_option
@json_option
def erase_command(request: str, tenant: str, data_dir: str | None, as_json: bool) -> None:
    """Carry out an erasure that was approved, now and not by the job that waits to do it.

    Example: finer privacy erase prq_0192... --tenant acme
    """
    with _job(data_dir, tenant) as (tx, access):
        report = erasure.carry_out(tx, request, access)
    if report is None:
        none = "There was nothing to do: the request is not approved, or was carried out before."
        show(None, as_json, lambda: click.echo(none))
        return
    lines = [f"{count:>8} {place}" for place, count in report.changed.items()]
    lines.append(f"{report.keys_destroyed:>8} keys destroyed")
    show(msgspec.to_builtins(report), as_json, lambda: echo_lines(lines))


@privacy.command("retention")
@click.option("--run", is_flag=True, help="Let go of what is past its time now; without it nothing is changed.")
@tenant_option
@data_dir_option
@json_option
def retention_command(run: bool, tenant: str, data_dir: str | None, as_json: bool) -> None:
    """Say what is past its time; with --run, let go of it.

    Example: finer privacy retention --tenant acme
    """
    with _job(data_dir, tenant) as (tx, _):
        found = retention.run(tx) if run else retention.report(tx)
    show(
        msgspec.to_builtins(found),
        as_json,
        lambda: echo_lines(f"{one.due:>8} {one.what:<14} kept {one.days} days. {one.describes}" for one in found.rules),
    )


@contextmanager
def _job(data_dir: str | None, slug: str) -> Iterator[tuple[Tx, LakeAccess]]:
    """A transaction of a firm as the role of jobs, which alone may erase and forget."""
    settings = settings_of(data_dir)
    with running_database(settings) as found:
        database = Database(found.url, WORKER, connections=2, deliver=deliver, keys=keyring(settings))
        try:
            with database.transaction(tenant_id(found, slug), OPERATOR) as tx:
                yield tx, LakeAccess(found.url, settings)
        finally:
            database.close()
