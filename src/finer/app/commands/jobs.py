"""`finer jobs`: one process for jobs and schedules."""

from __future__ import annotations

import click

from finer.app.commands.options import data_dir_option, settings_of
from finer.app.jobs import Jobs
from finer.app.process import prepare_process
from finer.kit.processor_time import stand_behind

_NICENESS = 5  # a third of the weight; with 10, a label waited two minutes to be counted while all cores were busy


@click.command()
@data_dir_option
def jobs(data_dir: str | None) -> None:
    """Run one process for jobs and schedules.

    Example: FINER_DATABASE_URL=postgresql://... finer jobs
    """
    settings = settings_of(data_dir)
    prepare_process(settings, "jobs")
    # Whoever waits for a decision or a page goes first: at 200 decisions a second what this process does behind each of
    # them (cases, explanations, sums) tripled their latency on two cores.
    stand_behind(_NICENESS)
    Jobs(settings).run()
