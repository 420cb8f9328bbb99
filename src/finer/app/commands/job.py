"""`finer job ...`: the jobs of an installation, their runs, and running one."""

from __future__ import annotations

import uuid
from typing import Any

import click
import msgspec

from finer.app import job_desk
from finer.app.commands.common import OPERATOR, json_option, running_database, tenant_id
from finer.app.commands.options import data_dir_option, settings_of
from finer.app.scheduled import JOBS
from finer.kit import runs
from finer.kit.db import NO_TENANT, Database
from finer.kit.ids import read_id, show_id
from finer.kit.runs import JobRun, RunFilter, RunState

_tenant_option = click.option("--tenant", metavar="SLUG", help="The firm; without it, the installation itself.")


@click.group()
def job() -> None:
    """Scheduled and deferred work.

    Example: finer job list
    """


@job.command("list")
@json_option
def job_list(as_json: bool) -> None:
    """What there is to do, when, and for whom.

    Example: finer job list
    """
    if as_json:
        shown = [
            {"name": one.name, "about": one.about, "cron": one.cron, "whole": one.whole, "after": one.after}
            for one in JOBS.values()
        ]
        click.echo(msgspec.json.encode(shown).decode())
        return
    for one in JOBS.values():
        click.echo(f"{one.name:<20} {one.words():<26} {'installation' if one.whole else 'each firm':<13} {one.about}")


@job.command("run")
@click.argument("name")
@_tenant_option
@data_dir_option
@json_option
def job_run(name: str, tenant: str | None, data_dir: str | None, as_json: bool) -> None:
    """Ask for a run now; `finer jobs` (or `finer up`) does it.

    Example: finer job run compact_lake --tenant acme
    """
    if tenant is None and not job_desk.find(name).whole:
        raise click.UsageError(f"{name} is done for each firm: name one with --tenant.")
    with (
        running_database(settings_of(data_dir)) as database,
        database.transaction(_firm(database, tenant), OPERATOR) as tx,
    ):
        asked = job_desk.run_now(tx, name)
    _print([asked], as_json)


@job.command("retry")
@click.argument("run")
@_tenant_option
@data_dir_option
@json_option
def job_retry(run: str, tenant: str | None, data_dir: str | None, as_json: bool) -> None:
    """Ask for a run like one that failed or was stopped.

    Example: finer job retry run_0192... --tenant acme
    """
    with (
        running_database(settings_of(data_dir)) as database,
        database.transaction(_firm(database, tenant), OPERATOR) as tx,
    ):
        asked = job_desk.retry(tx, read_id("run", run))
    _print([asked], as_json)


@job.command("history")
@click.argument("name", required=False)
@click.option("--state", type=click.Choice([state.value for state in RunState]), help="Only runs in this state.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="How many, the latest first.")
@_tenant_option
@data_dir_option
@json_option
def job_history(
    name: str | None, state: str | None, limit: int, tenant: str | None, data_dir: str | None, as_json: bool
) -> None:
    """The latest runs and how they ended.

    Example: finer job history compact_lake --tenant acme --state failed
    """
    if name is not None:
        job_desk.find(name)
    wanted = RunFilter(job=name, state=None if state is None else RunState(state))
    with (
        running_database(settings_of(data_dir)) as database,
        database.transaction(_firm(database, tenant), OPERATOR) as tx,
    ):
        found = runs.page(tx, wanted, limit)
    _print(found, as_json)


def _firm(database: Database, tenant: str | None) -> uuid.UUID:
    return NO_TENANT if tenant is None else tenant_id(database, tenant)


def _print(found: list[JobRun], as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode([_document(run) for run in found]).decode())
        return
    for run in found:
        end = f" {run.error}" if run.error else ""
        click.echo(f"{show_id('run', run.id)}  {run.asked_at:%Y-%m-%d %H:%M:%S}  {run.job:<20} {run.state:<10}{end}")
    if not found:
        click.echo("There is no such run.", err=True)


def _document(run: JobRun) -> dict[str, Any]:
    return msgspec.structs.asdict(run) | {"id": show_id("run", run.id)}
