"""`finer api`: one API process."""

from __future__ import annotations

import click
from granian.constants import Interfaces, Loops
from granian.server import Server as Granian

from finer.app.commands.common import data_dir_option, settings_of
from finer.app.process import prepare_process


@click.command()
@data_dir_option
def api(data_dir: str | None) -> None:
    """Run one API process.

    Example: FINER_DATABASE_URL=postgresql://... finer api
    """
    settings = settings_of(data_dir)
    prepare_process(settings, "api")
    Granian(
        "finer.app.api:create_app",
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=settings.port,
        workers=1,
        loop=Loops.uvloop,
        log_enabled=False,
        # With the default, as many open streams as the backlog has places would freeze the whole API.
        backlog=4096,
        backpressure=20_000,
        workers_kill_timeout=5,
        respawn_failed_workers=False,
        websockets=False,
    ).serve()
