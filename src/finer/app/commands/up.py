"""`finer up`: everything on this machine."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from finer.app.commands.options import data_dir_option, settings_of, tls_options
from finer.app.log_file import open_log
from finer.app.log_partitions import prepare_log
from finer.app.ports import refuse_taken_port
from finer.app.process import check_data_folder, prepare_process
from finer.app.readiness import is_ready
from finer.app.supervisor import Supervisor, lock_data_folder
from finer.app.tls import tls_files
from finer.kit.clock import SystemClock
from finer.kit.errors import InvalidInput
from finer.kit.settings import Settings

_READY_S = 120.0


@click.command()
@click.option(
    "--demo", is_flag=True, help="Add a demo firm with a simulated world, and print sign-in links for every role."
)
@click.option(
    "--demo-rate", type=click.FloatRange(0, 100_000), default=20.0, show_default=True, help="Live events per second."
)
@click.option(
    "--demo-days", type=click.IntRange(0, 365), default=90, show_default=True, help="Days of history to load."
)
@data_dir_option
@click.option("--host", metavar="H", help="Address to listen on (FINER_HOST).")
@click.option("--port", type=int, metavar="N", help="Port to listen on (FINER_PORT).")
@click.option(
    "--api-processes", type=int, metavar="N",
    help="API processes, on this port and those after it, for a proxy before them (FINER_API_PROCESSES).",
)  # fmt: skip
@tls_options
def up(demo: bool, demo_rate: float, demo_days: int, data_dir: str | None, **given: Any) -> None:
    """Run everything on this machine, PostgreSQL included. SIGUSR2 restarts the API processes one after another.

    Example: finer up --demo --port 8000
    """
    settings = settings_of(data_dir, **given)
    check_data_folder(settings, written=True)
    log = open_log(settings)
    prepare_process(settings, "supervisor", log)
    if tls_files(settings) is not None and demo:
        raise InvalidInput("The demo is for trying Finer out on one machine, without TLS. Leave out one of the two.")
    with lock_data_folder(settings):
        for taken in settings.api_ports:
            refuse_taken_port(settings.host, taken)
        extra = [["demo", "--rate", str(demo_rate), "--days", str(demo_days)]] if demo else []
        supervisor = Supervisor(settings, ["api", "worker", "jobs", "sources"], extra, log)
        # Said before anything can be logged, so that people read a sentence first wherever the log goes.
        place = "on standard error, one JSON object in each line" if log is None else log.name
        click.echo(f"Finer starts. Its log is {place}")
        supervisor.prepare()
        prepare_log(supervisor.url, SystemClock().now())
        if demo:
            _demo(supervisor.url, settings)
        supervisor.run(lambda: _announce(settings, supervisor.url, demo))


def _announce(settings: Settings, url: str, demo: bool) -> None:
    deadline, told = time.monotonic() + _READY_S, False
    for port in settings.api_ports:
        while not is_ready(settings, port):
            # A busy machine may take longer; whoever waits still wants the links when it answers.
            if not told and time.monotonic() > deadline:
                told = True
                click.echo(
                    f"finer: the API does not answer at {settings.local_url_of(port)} yet; it is waited for. Its log "
                    "says what it does.",
                    err=True,
                )
            time.sleep(0.1)
    click.echo(f"\nFiner answers at {settings.web_url}\n")
    if settings.api_processes > 1:
        first, last = settings.api_ports[0], settings.api_ports[-1]
        click.echo(f"Its API processes listen on the ports {first} to {last}; a proxy spreads requests over them.\n")
    if demo:
        for role, name, link in _demo(url, settings):
            click.echo(f"  {role.replace('_', ' '):<18} {name:<22} {link}")
        click.echo("\nThe links work for 24 hours. Ctrl-C stops everything.\n")
    sys.stdout.flush()


def _demo(url: str, settings: Settings) -> list[tuple[str, str, str]]:
    """Make the demo firm if it is not there, and return its sign-in links. What it loads takes a second."""
    from finer.app.demo import prepare_demo  # noqa: PLC0415

    return prepare_demo(url, settings).links
