"""`finer worker`: one pipeline worker."""

from __future__ import annotations

import click

from finer.app.commands.options import data_dir_option, settings_of
from finer.app.process import database_url, prepare_process
from finer.app.worker import Worker


@click.command()
@data_dir_option
def worker(data_dir: str | None) -> None:
    """Run one pipeline worker.

    Example: FINER_DATABASE_URL=postgresql://... finer worker
    """
    settings = settings_of(data_dir)
    prepare_process(settings, "worker")
    url, _ = database_url(settings)
    Worker(url, settings).run()
