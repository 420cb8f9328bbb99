"""What commands share: a running database, output for people and for scripts."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from finer.app.commands.options import settings_of
from finer.app.delivery import deliver
from finer.app.keys import keyring, prove_keys_at
from finer.app.process import check_data_folder, database_url
from finer.identity.service import tenants
from finer.kit.actors import Actor
from finer.kit.db import API, NO_TENANT, Database, NotMade, has_tables, server_version
from finer.kit.errors import InvalidInput, NotFound, Unavailable
from finer.kit.settings import Settings
from finer.kit.tx import Tx

OPERATOR = Actor(kind="system", id="command-line", name="Command line", role="system")

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
tenant_option = click.option("--tenant", required=True, metavar="SLUG", help="The firm, by its short name.")


def moment(text: str) -> datetime:
    """A moment as ISO 8601, in UTC unless it says otherwise."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no moment. Write it like 2026-03-01T12:00:00Z.") from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def moment_or_snapshot(text: str) -> datetime | int:
    """A moment, or the number of a snapshot of the lake."""
    return int(text) if text.isdecimal() and len(text) <= _SNAPSHOT_DIGITS_MAX else moment(text)


_SNAPSHOT_DIGITS_MAX = 18
as_of_option = click.option(
    "--as-of", type=moment_or_snapshot, metavar="WHEN", help="The lake as it was: a moment, or a snapshot's number."
)


@contextmanager
def running_database(settings: Settings, *, may_make: bool = False) -> Iterator[Database]:
    """The database; an embedded server that does not run is started, and stopped again at the end.

    Only with `may_make` is one made where there is none: otherwise a misspelt folder would hold an empty Finer. Raises
    NotFound then, Unavailable for a server of one's own that does not answer, NotMade for one without tables, and
    InvalidInput for a folder that cannot be used.
    """
    if may_make and not settings.database_url:
        check_data_folder(settings, written=True)
    url, server = database_url(settings)
    if server is None:
        try:
            server_version(url)
        except Unavailable as error:
            raise Unavailable(f"The PostgreSQL of FINER_DATABASE_URL does not answer: {error.detail}") from error
        if not may_make and not has_tables(url):
            raise NotMade("The database of FINER_DATABASE_URL has no tables of Finer yet. Run `finer migrate` first.")
    if server is not None and not server.made() and not may_make:
        raise NotFound(
            f"There is no Finer data in {settings.data_path}. Give the folder that holds it by --data-dir or "
            "FINER_DATA_DIR, or begin there with `finer up` or `finer tenant create`."
        )
    started = server is not None and not server.running()
    if server is not None and started:
        # Nearly always it runs, and the tools of migrations are not needed.
        from finer.kit.migration import migrate  # noqa: PLC0415

        server.start()
        migrate(url, keyring(settings))
        prove_keys_at(url, settings)
    database = Database(url, API, connections=4, deliver=deliver, keys=keyring(settings))
    try:
        yield database
    finally:
        database.close()
        if server is not None and started:
            server.stop()


def tenant_id(database: Database, slug: str) -> uuid.UUID:
    """The tenant of a short name. Raises TenantNotFound listing those that exist."""
    with database.transaction(NO_TENANT, OPERATOR, read_only=True) as tx:
        return tenants.tenant_by_slug(tx, slug).id


@contextmanager
def tenant_transaction(data_dir: str | None, slug: str) -> Iterator[Tx]:
    """A transaction of one firm, in the name of whoever uses the command line."""
    with (
        running_database(settings_of(data_dir)) as database,
        database.transaction(tenant_id(database, slug), OPERATOR) as tx,
    ):
        yield tx


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """Around the opening of a file that a command writes. Raises InvalidInput when the system refuses it."""
    try:
        yield
    except OSError as error:
        raise InvalidInput(
            f"{file} cannot be written: {error.strerror}. Name a file in a folder that is there and open to you."
        ) from error


def show(value: Any, as_json: bool, text: Callable[[], None]) -> None:
    """Print `value` as JSON, or let `text` print it for people."""
    if as_json:
        click.echo(msgspec.json.encode(value).decode())
    else:
        text()


def echo_lines(lines: Iterable[str], none: str = "") -> None:
    """Print one line after the other; where there is none, `none` on standard error: who counts lines counts none."""
    shown = False
    for line in lines:
        click.echo(line)
        shown = True
    if none and not shown:
        click.echo(none, err=True)
