"""`finer ingest`, in a module of its own: a command that is measured in seconds should not load what it never uses."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from finer.app.commands.common import json_option, running_database, show, tenant_id, tenant_option
from finer.app.commands.options import data_dir_option, settings_of
from finer.app.file_ingestion import FileReport, ingest_files


@click.command()
@click.argument("contract")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    help="YAML file that says how the columns become the contract's fields.",
)
@click.option(
    "--backlog",
    type=click.IntRange(min=1),
    metavar="EVENTS",
    help="Events that may wait for the workers before this command does; half of FINER_BACKLOG_EVENTS_MAX if not "
    "given. With more, a file is in the log sooner, and live senders are told to wait until the workers caught up.",
)
@tenant_option
@data_dir_option
@json_option
def ingest(
    contract: str,
    files: tuple[Path, ...],
    mapping: Path | None,
    backlog: int | None,
    tenant: str,
    data_dir: str | None,
    as_json: bool,
) -> None:
    """Take in files of any size: CSV, NDJSON or JSON, also .gz and .zst, or Parquet or Arrow.

    Example: finer ingest order orders.parquet --mapping mapping.yaml --tenant acme
    """
    settings = settings_of(data_dir)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with (
        running_database(settings) as database,
        Progress(*columns, console=console, disable=not console.is_terminal) as bar,
    ):
        report = ingest_files(
            database,
            settings,
            tenant_id(database, tenant),
            contract,
            files,
            mapping=mapping,
            backlog_events_max=backlog or settings.backlog_events_max // 2,
            progress=bar,
        )
    show(msgspec.to_builtins(report), as_json, lambda: _print_report(report))
    if report.stopped:
        click.echo(f"finer: {report.stopped}", err=True)
    sys.exit(1 if report.stopped or (report.received and not report.accepted) else 0)


def _print_report(report: FileReport) -> None:
    records = "record" if report.received == 1 else "records"
    click.echo(
        f"{report.received:,} {records} received: {report.accepted:,} accepted, {report.quarantined:,} quarantined "
        f"in {report.seconds:.1f} s."
    )
    if not report.receipts:
        return
    click.echo("Records with an event id that was seen before are found out by the worker; the receipts then say so.")
    for cause in report.causes:
        click.echo(f"  {cause.records:>9,}  {cause.field or 'record'}: {cause.rule}  e.g. {cause.example}")
    click.echo(f"Receipts: {', '.join(report.receipts[:3])}{' ...' if len(report.receipts) > 3 else ''}")
