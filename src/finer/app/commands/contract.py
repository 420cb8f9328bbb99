"""`finer contract`: contracts for people, and for the CI of whoever sends records."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click
import msgspec

from finer.app.commands.common import (
    echo_lines,
    json_option,
    running_database,
    show,
    tenant_id,
    tenant_option,
    tenant_transaction,
)
from finer.app.commands.options import data_dir_option, settings_of
from finer.app.contract_files import Tested, compare_texts, publish_text, read_text, test_files
from finer.ingest.service import contracts, drafts, exports
from finer.ingest.types.contracts import Level, VersionState


@click.group()
def contract() -> None:
    """Look at contracts, test files against them, and publish versions.

    Example: finer contract test orders.yaml orders.csv
    """


@contract.command("list")
@tenant_option
@data_dir_option
@json_option
def list_contracts(tenant: str, data_dir: str | None, as_json: bool) -> None:
    """List the contracts of a firm with the version in force.

    Example: finer contract list --tenant acme
    """
    with tenant_transaction(data_dir, tenant) as tx:
        known = contracts.load(tx).current
        own = drafts.list_versions(tx)
    found: list[dict[str, Any]] = [
        {
            "contract": name,
            "version": one.version,
            "owner": one.owner,
            "drafts": sum(each.contract == name and each.state is VersionState.DRAFT for each in own),
        }
        for name, one in known.items()
    ]
    lines = (f"{one['contract']:<20} {one['version']:<10} {one['owner']}" for one in found)
    show(found, as_json, lambda: echo_lines(lines))


@contract.command("show")
@click.argument("name")
@click.option("--version", metavar="VERSION", help="A version; the one in force if not given.")
@click.option(
    "--format", "form", type=click.Choice(["odcs", "json-schema", "markdown"]), default="odcs", help="How to print it."
)
@tenant_option
@data_dir_option
def show_contract(name: str, version: str | None, form: exports.Format, tenant: str, data_dir: str | None) -> None:
    """Print a contract as ODCS YAML, JSON Schema or Markdown.

    Example: finer contract show order --format json-schema --tenant acme
    """
    with tenant_transaction(data_dir, tenant) as tx:
        click.echo(exports.export(tx, name, version, form))


@contract.command("test")
@click.argument("contract_file", metavar="CONTRACT")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def test(contract_file: str, files: tuple[Path, ...], as_json: bool) -> None:
    """Hold files to a contract: a YAML file, or the name of a built-in one. Nothing is sent anywhere.

    Ends with 1 when a record would be quarantined or a file cannot be read.

    Example: finer contract test contracts/order.yaml orders.ndjson
    """
    found = test_files(contract_file, files)
    show(msgspec.to_builtins(found), as_json, lambda: _print_tested(found))
    sys.exit(0 if found.received and not found.quarantined else 1)


def _print_tested(found: Tested) -> None:
    click.echo(
        f"{found.contract}: {found.received:,} records, {found.accepted:,} would be accepted, "
        f"{found.quarantined:,} quarantined."
    )
    for cause in found.causes:
        click.echo(f"  {cause.records:>9,}  {cause.field or 'record'}: {cause.rule}  {cause.example}")
    if not found.received:
        click.echo("There is no record in what was given.")


@contract.command("diff")
@click.argument("old")
@click.argument("new")
@json_option
def diff(old: str, new: str, as_json: bool) -> None:
    """Say what differs between two contracts: YAML files, or names of built-in ones.

    Ends with 1 when the version of the new one is too low for what changes, and when no version allows the change,
    such as another type for a column that the lake has.

    Example: finer contract diff main/order.yaml order.yaml
    """
    comparison, enough, refused = compare_texts(old, new)
    document = msgspec.to_builtins(comparison) | {"version_is_enough": enough, "refused": refused}

    def text() -> None:
        counts = Counter(one.level for one in comparison.changes)
        for one in comparison.changes:
            click.echo(f"{one.level.value:<6} {one.sentence}")
        if comparison.level is Level.NONE:
            click.echo("Nothing differs.")
            return
        click.echo(f"{counts[Level.MAJOR]} breaking, {counts[Level.MINOR]} minor, {counts[Level.PATCH]} in words only.")
        click.echo(
            f"It needs at least version {comparison.lowest_version}." + ("" if enough else " It has a lower one.")
        )
        for sentence in refused:
            click.echo(f"It cannot be published: {sentence}")

    show(document, as_json, text)
    sys.exit(0 if enough and not refused else 1)


@contract.command("publish")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--note", default="", help="Why, for the list of versions.")
@click.option("--draft", "draft_only", is_flag=True, help="Only make the draft and try it; two people publish it.")
@click.option("--accept-quarantine", is_flag=True, help="Publish although the trial would have quarantined records.")
@tenant_option
@data_dir_option
@json_option
def publish(
    file: Path, note: str, draft_only: bool, accept_quarantine: bool, tenant: str, data_dir: str | None, as_json: bool
) -> None:
    """Try a version on the records of a week, and put it into force. The audit trail says that it was the operator.

    Ends with 1, and publishes nothing, when the trial would have quarantined records.

    Example: finer contract publish order.yaml --note "Shops send loyalty cards" --tenant acme
    """
    text = read_text(str(file))
    with running_database(settings_of(data_dir)) as database:
        done = publish_text(
            database,
            settings_of(data_dir),
            tenant_id(database, tenant),
            text,
            note,
            publish=not draft_only,
            accept_quarantine=accept_quarantine,
        )
    show(msgspec.to_builtins(done), as_json, lambda: click.echo(done.sentence))
    sys.exit(0 if done.published or draft_only else 1)
