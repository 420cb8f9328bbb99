"""`finer fraud ...`: what the risk desk asks from the command line."""

from __future__ import annotations

import sys

import click
import msgspec

from finer.app.commands.common import json_option, running_database, show, tenant_id, tenant_option
from finer.app.commands.options import data_dir_option, settings_of
from finer.app.replaying import replay_one
from finer.warehouse.service import lake as warehouse


@click.group()
def fraud() -> None:
    """Decisions about payments.

    Example: finer fraud replay dec_0192a0b0c0d07e0f8a1b2c3d4e5f6071 --tenant acme
    """


@fraud.command("replay")
@click.argument("identifier", metavar="ID")
@tenant_option
@data_dir_option
@json_option
def fraud_replay(identifier: str, tenant: str, data_dir: str | None, as_json: bool) -> None:
    """Decide a payment again by the rules, the model and the values that decided it: `dec_...`, `alr_...` or event id.

    Ends with 0 when the same comes out, bit for bit, and with 1 when anything differs, naming what.

    Example: finer fraud replay dec_0192a0b0c0d07e0f8a1b2c3d4e5f6071 --tenant acme
    """
    settings = settings_of(data_dir)
    with running_database(settings) as database:
        reader = warehouse.LakeReader(database.url, settings, memory_mb=256, threads=1)
        try:
            found = replay_one(database, reader, tenant_id(database, tenant), identifier)
        finally:
            reader.close()

    def text() -> None:
        if found.verdict is not None:
            click.echo(f"{found.verdict.action}: {' '.join(found.verdict.reasons)}")
        contract = "" if found.verdict is None or not found.verdict.contract else f", contract {found.verdict.contract}"
        click.echo(f"rule set {found.rule_set}, model {found.model or 'none'}, windows {found.feature_set}{contract}")
        for one in found.differences:
            click.echo(f"{one.what} was {one.then}, and is {one.now} now")
        click.echo("The same as it was." if found.same else f"It differs in {len(found.differences)} things.")

    show(msgspec.to_builtins(found), as_json, text)
    if not found.same:
        sys.exit(1)
