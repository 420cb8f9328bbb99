"""`finer sources`: the process that reads sources."""

from __future__ import annotations

import click

from finer.app.commands.options import data_dir_option, settings_of
from finer.app.process import database_url, prepare_process
from finer.app.sources import Sources


@click.command()
@data_dir_option
def sources(data_dir: str | None) -> None:
    """Run the process that reads the sources of all firms. Several may run: each source has one reader at a time.

    Example: FINER_DATABASE_URL=postgresql://... finer sources
    """
    settings = settings_of(data_dir)
    prepare_process(settings, "sources")
    url, _ = database_url(settings)
    Sources(url, settings).run()
