"""`finer demo`: the simulated world, started by `finer up --demo`."""

from __future__ import annotations

import click

from finer.app.commands.common import data_dir_option, settings_of
from finer.app.demo import run_demo
from finer.app.process import prepare_process


@click.command(hidden=True)
@data_dir_option
@click.option("--rate", type=float, default=20.0)
@click.option("--days", type=int, default=90)
def demo(data_dir: str | None, rate: float, days: int) -> None:
    """Run the simulated world against the API of this machine."""
    settings = settings_of(data_dir)
    prepare_process(settings, "demo")
    run_demo(settings, rate, days)
