"""Commands about the audit trail: verify its chain, export it."""

from __future__ import annotations

import sys
import uuid
from datetime import datetime
from typing import Any

import click
import msgspec

from finer.app.audit_keeper import verify_chain
from finer.app.commands.common import (
    OPERATOR,
    json_option,
    moment,
    running_database,
    tenant_id,
    tenant_option,
)
from finer.app.commands.options import data_dir_option, settings_of
from finer.identity.service import audit as trail
from finer.identity.service import chain, tenants
from finer.identity.types.audit import AuditFilter, Verification
from finer.kit.db import NO_TENANT, WORKER, Database

_INSTALLATION = "(installation)"


@click.group()
def audit() -> None:
    """The audit trail.

    Example: finer audit verify
    """


@audit.command("verify")
@click.option("--tenant", metavar="SLUG", help="One firm, by its short name; without it every firm's chain is checked.")
@data_dir_option
@json_option
def audit_verify(tenant: str | None, data_dir: str | None, as_json: bool) -> None:
    """Recompute the audit chain and compare it with its signed heads; names what was altered, moved or removed.

    Example: finer audit verify --tenant acme --json
    """
    settings = settings_of(data_dir)
    runs: list[tuple[str, Verification]] = []
    with running_database(settings) as database:
        worker = Database(database.url, WORKER, connections=2)
        try:
            for name, firm in _firms(worker, tenant):
                with worker.transaction(firm, OPERATOR) as tx:
                    while chain.seal(tx):
                        pass
                    run = chain.begin_verification(tx)
                runs.append((name, verify_chain(worker, settings, firm, run, OPERATOR)))
        finally:
            worker.close()
    broken = sum(len(run.findings) for _, run in runs)
    if as_json:
        document = {"ok": broken == 0, "chains": [_shown(name, run) for name, run in runs]}
        click.echo(msgspec.json.encode(document).decode())
    else:
        for name, run in runs:
            click.echo(f"{name:<20} {run.checked:>12,} entries  {'BROKEN' if run.findings else 'holds'}")
            for finding in run.findings:
                click.echo(f"  {finding.kind}: {finding.says}")
        click.echo("Every chain holds." if not broken else f"{broken} findings. Keep the database as it is, and look.")
    sys.exit(1 if broken else 0)


def _firms(database: Database, slug: str | None) -> list[tuple[str, uuid.UUID]]:
    if slug is not None:
        return [(slug, tenant_id(database, slug))]
    with database.transaction(NO_TENANT, OPERATOR, read_only=True) as tx:
        return [*((firm.slug, firm.id) for firm in tenants.list_tenants(tx)), (_INSTALLATION, NO_TENANT)]


def _shown(name: str, run: Verification) -> dict[str, Any]:
    last_hash = None if run.last_hash is None else run.last_hash.hex()
    return {
        "tenant": name,
        "checked": run.checked,
        "sequence": run.last_sequence,
        "hash": last_hash,
        "findings": msgspec.to_builtins(run.findings),
    }


@audit.command("export")
@click.option("--from", "since", type=moment, metavar="WHEN", help="Entries at or after this moment (UTC).")
@click.option("--to", "until", type=moment, metavar="WHEN", help="Entries before this moment (UTC).")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv"]),
    default="jsonl",
    show_default=True,
    help="JSON lines, or CSV for spreadsheets.",
)
@tenant_option
@data_dir_option
def audit_export(since: datetime | None, until: datetime | None, form: str, tenant: str, data_dir: str | None) -> None:
    """Write the audit trail to standard output, the oldest entry first; the export is an entry itself.

    Example: finer audit export --tenant acme --from 2026-01-01 > audit.jsonl
    """
    wanted = AuditFilter(since=since, until=until)
    with running_database(settings_of(data_dir)) as database:
        firm = tenant_id(database, tenant)
        with database.transaction(firm, OPERATOR) as tx:
            trail.note_export(tx, wanted, form)
        with database.transaction(firm, OPERATOR, read_only=True) as tx:
            for part in trail.export_parts(tx, wanted, form):
                sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()
