"""`finer source`: the sources of a firm on the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from finer.app.commands.common import (
    OPERATOR,
    echo_lines,
    json_option,
    running_database,
    show,
    tenant_id,
    tenant_option,
    tenant_transaction,
)
from finer.app.commands.options import data_dir_option, settings_of
from finer.app.supervisor import address_of
from finer.identity.service import tenants
from finer.kit.errors import InvalidInput, NotFound
from finer.kit.ids import read_id, show_id
from finer.kit.tx import Tx
from finer.kit.yaml_text import YamlText
from finer.sources.service import manage, opening
from finer.sources.service.reach import Reach
from finer.sources.types import HOOKED, Credentials, Settings, Source


class Definition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source in a YAML or JSON file."""

    name: str
    contract: str
    connection: Settings
    mapping: str = ""
    credentials: Credentials = Credentials()


@click.group()
def source() -> None:
    """Sources: where records come from by themselves.

    Example: finer source list --tenant acme
    """


@source.command("list")
@tenant_option
@data_dir_option
@json_option
def list_command(tenant: str, data_dir: str | None, as_json: bool) -> None:
    """List sources with state, lag and counts.

    Example: finer source list --tenant acme
    """
    with tenant_transaction(data_dir, tenant) as tx:
        found = manage.list_sources(tx)
    none = "This firm has no source. `finer source add` makes one."
    show([_document(one) for one in found], as_json, lambda: echo_lines(_lines(found), none))


@source.command("add")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--paused", is_flag=True, help="Wait until somebody resumes it.")
@tenant_option
@data_dir_option
@json_option
def add(file: Path, paused: bool, tenant: str, data_dir: str | None, as_json: bool) -> None:
    """Add a source from a YAML or JSON file; - reads it from standard input.

    Example: finer source add kafka.yaml --tenant acme
    """
    wanted, settings = _read(file), settings_of(data_dir)
    with tenant_transaction(data_dir, tenant) as tx:
        made = manage.create(
            tx, Reach.of(settings, tenant), name=wanted.name, contract=wanted.contract, mapping=wanted.mapping,
            settings=wanted.connection, credentials=wanted.credentials, paused=paused,
        )  # fmt: skip
        hook = manage.new_hook(tx, made.id) if isinstance(made.settings, HOOKED) else ""
    address = f"{address_of(settings)}/api/v1/webhooks/{made.kind}/{hook}" if hook else ""
    shown = _document(made) | ({"address": address} if hook else {})
    show(shown, as_json, lambda: click.echo(f"{show_id('src', made.id)}  {made.name}  {address}".rstrip()))


@source.command("test")
@click.argument("file", type=click.Path(path_type=Path))
@tenant_option
@data_dir_option
@json_option
def test(file: Path, tenant: str, data_dir: str | None, as_json: bool) -> None:
    """Look at the source of a file: its first records, mapped and held to the contract. Nothing is taken.

    Example: finer source test kafka.yaml --tenant acme
    """
    wanted, settings = _read(file), settings_of(data_dir)
    with running_database(settings) as database:
        with database.transaction(tenant_id(database, tenant), OPERATOR, read_only=True) as tx:
            surroundings = opening.surroundings_of(tx, Reach.of(settings, tenants.get_tenant(tx).slug))
            drafted = manage.draft(
                tx, name=wanted.name, contract=wanted.contract, mapping=wanted.mapping, settings=wanted.connection
            )
        found = opening.try_out(drafted, wanted.credentials, surroundings)

    def text() -> None:
        click.echo(f"{found.received} records: {found.accepted} accepted, {found.quarantined} quarantined.")
        for line in (*found.problems, *found.notes):
            click.echo(f"  {line}")
        for record in found.records[:3]:
            click.echo("  " + ", ".join(f"{one.field}={one.value}" for one in record if one.value is not None))

    show(msgspec.to_builtins(found), as_json, text)


def _act(name: str, about: str) -> click.Command:
    """A command that changes one source."""

    @source.command(name, help=f"{about}\n\nExample: finer source {name} src_0192... --tenant acme")
    @click.argument("identifier", metavar="SOURCE")
    @tenant_option
    @data_dir_option
    @json_option
    def command(identifier: str, tenant: str, data_dir: str | None, as_json: bool) -> None:
        acts = {"pause": manage.pause, "resume": manage.resume}
        with tenant_transaction(data_dir, tenant) as tx:
            changed = acts[name](tx, _find(tx, identifier))
        show(_document(changed), as_json, lambda: echo_lines(_lines([changed])))

    return command


_act("pause", "Take nothing more from a source until it is resumed.")
_act("resume", "Read a source on where it stands.")


@source.command("backfill")
@click.argument("identifier", metavar="SOURCE")
@click.option("--from", "begin", default="", metavar="POINT", help="A moment (ISO 8601) or a cursor value; else all.")
@tenant_option
@data_dir_option
@json_option
def backfill(identifier: str, begin: str, tenant: str, data_dir: str | None, as_json: bool) -> None:
    """Read a source again from a point on; records that are there already count once.

    Example: finer source backfill src_0192... --from 2026-11-01T00:00:00Z --tenant acme
    """
    with tenant_transaction(data_dir, tenant) as tx:
        changed = manage.backfill(tx, _find(tx, identifier), begin)
    show(_document(changed), as_json, lambda: echo_lines(_lines([changed])))


@source.command("remove")
@click.argument("identifier", metavar="SOURCE")
@tenant_option
@data_dir_option
def remove(identifier: str, tenant: str, data_dir: str | None) -> None:
    """Forget a source and its credentials; its records stay.

    Example: finer source remove src_0192... --tenant acme
    """
    with tenant_transaction(data_dir, tenant) as tx:
        manage.remove(tx, _find(tx, identifier))


def _find(tx: Tx, text: str) -> Any:
    """A source by its id or its name."""
    by_name = [one.id for one in manage.list_sources(tx) if one.name == text]
    if by_name:
        return by_name[0]
    try:
        return read_id("src", text)
    except NotFound as error:
        raise NotFound(f"There is no source with the name or id {text!r}. `finer source list` shows them.") from error


def _read(file: Path) -> Definition:
    try:
        text = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return msgspec.convert(YamlText(text.decode(), file.name).value, Definition, builtin_types=(datetime, date))
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise InvalidInput(
            f"{file} describes no source: {str(error).rstrip('.')}. docs/how-to/sources.md shows one of each kind."
        ) from error


def _document(one: Source) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(one)
    return found | {"id": show_id("src", one.id), "kind": one.kind}


def _lines(found: list[Source]) -> Iterator[str]:
    for one in found:
        lag = "" if one.lag is None else f"{one.lag:,} {one.lag_unit} behind"
        yield (
            f"{show_id('src', one.id)}  {one.state.value:<8} {one.kind:<8} {one.accepted:>11,} valid "
            f"{one.quarantined:>8,} quarantined  {lag:<22} {one.name}"
        )
        if one.error:
            yield f"    {one.error}"
