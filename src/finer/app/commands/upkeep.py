"""Commands that look after an installation: migrate, verify, doctor."""

from __future__ import annotations

import sys

import click
import msgspec

from finer.app.commands.common import json_option, running_database
from finer.app.commands.options import data_dir_option, settings_of
from finer.app.doctor import examine
from finer.app.keys import keyring, prove_keys_at
from finer.app.log_partitions import prepare_log
from finer.app.process import database_url
from finer.app.verify import verify
from finer.kit.clock import SystemClock
from finer.kit.migration import migrate as migrate_database


@click.command()
@data_dir_option
def migrate(data_dir: str | None) -> None:
    """Bring the database to the newest schema.

    Example: FINER_DATABASE_URL=postgresql://... finer migrate
    """
    settings = settings_of(data_dir)
    with running_database(settings, may_make=True):
        url, _ = database_url(settings)
        migrate_database(url, keyring(settings))
        prove_keys_at(url, settings)
        prepare_log(url, SystemClock().now())
    click.echo("The database has the newest schema.")


@click.command("verify")
@data_dir_option
@json_option
def verify_command(data_dir: str | None, as_json: bool) -> None:
    """Check every invariant and recompute a sample of windows from the lake.

    Example: finer verify --json
    """
    settings = settings_of(data_dir)
    with running_database(settings):
        url, _ = database_url(settings)
        violations = verify(url, settings)
    if as_json:
        click.echo(msgspec.json.encode({"ok": not violations, "violations": violations}).decode())
    else:
        for violation in violations:
            click.echo(f"  {violation}")
        click.echo("Everything holds." if not violations else f"{len(violations)} violations.")
    sys.exit(1 if violations else 0)


@click.command()
@data_dir_option
@json_option
def doctor(data_dir: str | None, as_json: bool) -> None:
    """Say what of this machine and these settings would keep Finer from working.

    Example: finer doctor
    """
    found = examine(settings_of(data_dir))
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        for finding in found:
            click.echo(f"{'ok  ' if finding.good else 'BAD '} {finding.what}: {finding.says}")
    sys.exit(0 if all(finding.good for finding in found) else 1)
