"""`finer doctor`: what keeps Finer from running here."""

from __future__ import annotations

import sys

import click
import msgspec

from finer.app.commands.common import json_option
from finer.app.commands.options import data_dir_option, settings_of
from finer.app.doctor import examine


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
