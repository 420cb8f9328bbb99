"""`finer migrate`: the database at the newest schema."""

from __future__ import annotations

import click

from finer.app.commands.common import running_database
from finer.app.commands.options import data_dir_option, settings_of
from finer.app.keys import keyring, prove_keys_at
from finer.app.log_partitions import prepare_log
from finer.app.process import database_url
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
