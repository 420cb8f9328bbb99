"""`finer verify`: whether everything holds that must."""

from __future__ import annotations

import sys

import click
import msgspec

from finer.app.commands.common import json_option, running_database
from finer.app.commands.options import data_dir_option, settings_of
from finer.app.process import database_url
from finer.app.verify import verify


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
        violations = verify(url, settings, _say_part)
    if as_json:
        click.echo(msgspec.json.encode({"ok": not violations, "violations": violations}).decode())
    else:
        for violation in violations:
            click.echo(f"  {violation}")
        click.echo("Everything holds." if not violations else f"{len(violations)} violations.")
    sys.exit(1 if violations else 0)


def _say_part(what: str, done: int, total: int) -> None:
    """Say on standard error what is checked next: a part of a large firm takes a minute."""
    click.echo(f"{done + 1} of {total}  {what}", err=True)
