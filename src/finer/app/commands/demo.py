"""`finer demo`: the simulated world, started by `finer up --demo`."""

from __future__ import annotations

import signal

import click

from finer.app.commands.options import data_dir_option, settings_of
from finer.app.demo import prepare_world
from finer.app.process import prepare_process
from finer.demo import service as world
from finer.kit.stopping import StopEvent


@click.command(hidden=True)
@data_dir_option
@click.option("--rate", type=float, default=20.0)
@click.option("--days", type=int, default=90)
def demo(data_dir: str | None, rate: float, days: int) -> None:
    """Run the simulated world against the API of this machine."""
    settings = settings_of(data_dir)
    prepare_process(settings, "demo")
    stop = StopEvent()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    key, analyst, marketer = prepare_world(settings)
    world.run(settings.web_url, key, analyst, marketer, rate=rate, history_days=days, stop=stop)
