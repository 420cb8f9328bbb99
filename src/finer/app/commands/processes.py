"""Commands that run Finer: up, api, worker, jobs, demo, migrate, verify, doctor."""

from __future__ import annotations

import sys
import time

import click
import httpx
import msgspec
from granian.server import Server as Granian

from finer.app.commands.common import data_dir_option, json_option, running_database, settings_of
from finer.app.demo import prepare_demo, run_demo
from finer.app.doctor import examine
from finer.app.jobs import Jobs, prepare_log
from finer.app.process import prepare_process
from finer.app.supervisor import Supervisor, database_url, lock_data_folder
from finer.app.verify import verify
from finer.app.worker import Worker
from finer.kit.migration import migrate as migrate_database
from finer.kit.settings import Settings

_READY_S = 120.0


@click.command()
@click.option("--demo", is_flag=True, help="Add a demo firm with a simulated world, and print a sign-in link per role.")
@click.option("--demo-rate", type=click.FloatRange(0, 100_000), default=20.0, show_default=True, help="Live events per second.")
@click.option("--demo-days", type=click.IntRange(0, 365), default=90, show_default=True, help="Days of history to load.")
@data_dir_option
@click.option("--host", metavar="H", help="Address to listen on (FINER_HOST).")
@click.option("--port", type=int, metavar="N", help="Port to listen on (FINER_PORT).")
def up(demo: bool, demo_rate: float, demo_days: int, data_dir: str | None, host: str | None, port: int | None) -> None:
    """Run everything on this machine, PostgreSQL included.

    Example: finer up --demo --port 8000
    """
    settings = settings_of(data_dir, host=host, port=port)
    prepare_process(settings, "supervisor")
    with lock_data_folder(settings):
        extra = [["demo", "--rate", str(demo_rate), "--days", str(demo_days)]] if demo else []
        supervisor = Supervisor(settings, ["api", "worker", "jobs"], extra)
        supervisor.prepare()
        prepare_log(supervisor.url)
        if demo:
            prepare_demo(supervisor.url, settings)
        supervisor.run(lambda: _announce(settings, supervisor.url, demo))


def _announce(settings: Settings, url: str, demo: bool) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{settings.web_url}/api/v1/health/ready", timeout=2).status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.1)
    else:
        click.echo(f"finer: the API does not answer at {settings.web_url} yet; see the log above.", err=True)
        return
    click.echo(f"\nFiner answers at {settings.web_url}\n")
    if demo:
        for role, name, link in prepare_demo(url, settings).links:
            click.echo(f"  {role.replace('_', ' '):<18} {name:<22} {link}")
        click.echo("\nThe links work for 24 hours. Ctrl-C stops everything.\n")
    sys.stdout.flush()


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
        interface="asgi",
        address=settings.host,
        port=settings.port,
        workers=1,
        loop="uvloop",
        log_enabled=False,
        # With the default, as many open streams as the backlog has places would freeze the whole API.
        backlog=4096,
        backpressure=20_000,
        workers_kill_timeout=5,
        respawn_failed_workers=False,
        websockets=False,
    ).serve()


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


@click.command()
@data_dir_option
def jobs(data_dir: str | None) -> None:
    """Run one process for jobs and schedules.

    Example: FINER_DATABASE_URL=postgresql://... finer jobs
    """
    settings = settings_of(data_dir)
    prepare_process(settings, "jobs")
    Jobs(settings).run()


@click.command(hidden=True)
@data_dir_option
@click.option("--rate", type=float, default=20.0)
@click.option("--days", type=int, default=90)
def demo(data_dir: str | None, rate: float, days: int) -> None:
    """Run the simulated world against the API of this machine."""
    settings = settings_of(data_dir)
    prepare_process(settings, "demo")
    run_demo(settings, rate, days)


@click.command()
@data_dir_option
def migrate(data_dir: str | None) -> None:
    """Bring the database to the newest schema.

    Example: FINER_DATABASE_URL=postgresql://... finer migrate
    """
    settings = settings_of(data_dir)
    with running_database(settings):
        url, _ = database_url(settings)
        migrate_database(url)
        prepare_log(url)
    click.echo("The database has the newest schema.")


@click.command("verify")
@data_dir_option
@json_option
def verify_command(data_dir: str | None, as_json: bool) -> None:
    """Check every invariant and recompute a sample of windows from the lake.

    Example: finer verify --json
    """
    settings = settings_of(data_dir)
    with running_database(settings):
        url, _ = database_url(settings)
        violations = verify(url, settings)
    if as_json:
        click.echo(msgspec.json.encode({"ok": not violations, "violations": violations}).decode())
    else:
        for violation in violations:
            click.echo(f"  {violation}")
        click.echo("Everything holds." if not violations else f"{len(violations)} violations.")
    sys.exit(1 if violations else 0)


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


COMMANDS = (up, api, worker, jobs, demo, migrate, verify_command, doctor)
