"""Commands about tenants, users and keys."""

from __future__ import annotations

import getpass
import sys
from datetime import timedelta
from difflib import get_close_matches

import click
import msgspec

from finer.app.commands.common import (
    OPERATOR,
    echo_lines,
    json_option,
    running_database,
    show,
    tenant_option,
    tenant_transaction,
)
from finer.app.commands.options import data_dir_option, settings_of
from finer.app.supervisor import address_of
from finer.identity.service import access_tokens, api_keys, factors, people, staff, tenants
from finer.identity.types.access import MachineKind, Permission, Role
from finer.kit.db import NO_TENANT
from finer.kit.errors import InvalidInput
from finer.kit.ids import new_id, show_id


@click.group()
def tenant() -> None:
    """Firms on this installation.

    Example: finer tenant create acme "Acme Bank" --currency PHP --timezone Asia/Manila
    """


@tenant.command("create")
@click.argument("slug")
@click.argument("name")
@click.option("--currency", default="USD", show_default=True, help="Base currency, ISO 4217.")
@click.option("--timezone", default="UTC", show_default=True, help="IANA time zone, e.g. Asia/Manila.")
@click.option(
    "--second-factor",
    default="required",
    show_default=True,
    type=click.Choice(["required", "optional"]),
    help="Whether everybody has to come in by a second factor; the firm's settings change it later.",
)
@data_dir_option
@json_option
def tenant_create(
    slug: str, name: str, currency: str, timezone: str, second_factor: str, data_dir: str | None, as_json: bool
) -> None:
    """Add a firm.

    Example: finer tenant create acme "Acme Bank" --currency PHP --timezone Asia/Manila
    """
    with (
        running_database(settings_of(data_dir), may_make=True) as database,
        database.transaction(new_id(), OPERATOR) as tx,
    ):
        made = tenants.create_tenant(
            tx, slug=slug, name=name, base_currency=currency, timezone=timezone,
            second_factor_required=second_factor == "required",
        )  # fmt: skip
    show(
        {"id": show_id("ten", made.id), "slug": made.slug, "name": made.name},
        as_json,
        lambda: click.echo(
            f"Firm {made.slug!r} exists. "
            f"Next: finer user create --tenant {made.slug} EMAIL --name NAME --role administrator"
        ),
    )


@tenant.command("list")
@data_dir_option
@json_option
def tenant_list(data_dir: str | None, as_json: bool) -> None:
    """List the firms.

    Example: finer tenant list
    """
    with (
        running_database(settings_of(data_dir)) as database,
        database.transaction(NO_TENANT, OPERATOR, read_only=True) as tx,
    ):
        found = tenants.list_tenants(tx)
    rows = [{"slug": one.slug, "name": one.name, "base_currency": one.base_currency} for one in found]
    none = "There is no firm yet. `finer tenant create` makes one."
    show(rows, as_json, lambda: echo_lines((f"{row['slug']:<20} {row['name']}" for row in rows), none))


@click.group()
def user() -> None:
    """People who sign in.

    Example: finer user create --tenant acme ana@acme.example --role risk_analyst --name "Ana Cruz"
    """


@user.command("create")
@click.argument("email")
@click.option(
    "--role",
    required=True,
    type=click.Choice([role.value for role in Role if role is not Role.SERVICE]),
    help="What the person does, which says what they may see and do.",
)
@click.option("--name", required=True, help="The person's name.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@tenant_option
@data_dir_option
def user_create(email: str, role: str, name: str, password_stdin: bool, tenant: str, data_dir: str | None) -> None:
    """Add a person.

    Example: finer user create --tenant acme ana@acme.example --role risk_analyst --name "Ana Cruz"
    """
    password = sys.stdin.readline().rstrip("\n") if password_stdin else getpass.getpass("Password: ")
    with tenant_transaction(data_dir, tenant) as tx:
        people.create_user(tx, settings_of(data_dir), email=email, name=name, role=Role(role), password=password)
    click.echo(f"{email} can sign in as {role.replace('_', ' ')}.")


@user.command("link")
@click.argument("email")
@tenant_option
@data_dir_option
def user_link(email: str, tenant: str, data_dir: str | None) -> None:
    """Print a sign-in link for a person; it works for 24 hours.

    Example: finer user link --tenant acme ana@acme.example
    """
    with tenant_transaction(data_dir, tenant) as tx:
        token = people.create_sign_in_link(tx, email=email)
    click.echo(f"{address_of(settings_of(data_dir))}/sign-in?token={token}")


@user.command("role")
@click.argument("email")
@click.argument("role", type=click.Choice([role.value for role in staff.ASSIGNABLE]))
@tenant_option
@data_dir_option
def user_role(email: str, role: str, tenant: str, data_dir: str | None) -> None:
    """Give a person another role at once; in the web app this takes two administrators.

    Example: finer user role --tenant acme ana@acme.example auditor
    """
    with tenant_transaction(data_dir, tenant) as tx:
        staff.change_role(tx, staff.by_email(tx, email).id, Role(role))
    click.echo(f"{email} is {role.replace('_', ' ')} now, and signed out everywhere.")


@user.command("disable")
@click.argument("email")
@tenant_option
@data_dir_option
def user_disable(email: str, tenant: str, data_dir: str | None) -> None:
    """Let a person in no more; their sessions end within a second.

    Example: finer user disable --tenant acme ana@acme.example
    """
    with tenant_transaction(data_dir, tenant) as tx:
        staff.disable(tx, staff.by_email(tx, email).id)
    click.echo(f"{email} cannot sign in any more.")


@user.command("enable")
@click.argument("email")
@tenant_option
@data_dir_option
def user_enable(email: str, tenant: str, data_dir: str | None) -> None:
    """Let a disabled person in again.

    Example: finer user enable --tenant acme ana@acme.example
    """
    with tenant_transaction(data_dir, tenant) as tx:
        staff.enable(tx, staff.by_email(tx, email).id)
    click.echo(f"{email} can sign in again.")


@user.command("reset-factors")
@click.argument("email")
@tenant_option
@data_dir_option
def user_reset_factors(email: str, tenant: str, data_dir: str | None) -> None:
    """Remove authenticator app, passkeys and recovery codes of a person who has lost them; ends their sessions.

    Make sure first, by another way than e-mail, that it is this person who asks.

    Example: finer user reset-factors --tenant acme ana@acme.example
    """
    with tenant_transaction(data_dir, tenant) as tx:
        factors.reset_factors(tx, email=email)
    click.echo(f"{email} signs in by password or link alone now, and can set up new factors.")


@click.group()
def key() -> None:
    """API keys of machines.

    Example: finer key create --tenant acme ingest --scope events:write
    """


@key.command("create")
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, required=True, help="A permission, e.g. events:write; repeat for more."
)
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="Days until it expires.")
@click.option(
    "--network", "networks", multiple=True, metavar="CIDR", help="A network it may be used from; repeat for more."
)
@tenant_option
@data_dir_option
@json_option
def key_create(
    name: str,
    scopes: tuple[str, ...],
    days: int,
    networks: tuple[str, ...],
    tenant: str,
    data_dir: str | None,
    as_json: bool,
) -> None:
    """Make an API key; it is shown once.

    Example: finer key create --tenant acme ingest --scope events:write --scope decisions:write
    """
    known = {permission.value for permission in Permission}
    if unknown := [scope for scope in scopes if scope not in known]:
        allowed = sorted(api_keys.MACHINE_PERMISSIONS)
        near = sorted({one for scope in unknown for one in get_close_matches(scope, allowed)})
        told = f"The nearest are {', '.join(near)}" if near else f"A machine may have {', '.join(allowed)}"
        raise InvalidInput(f"{', '.join(unknown)} is no permission. {told}.")
    with tenant_transaction(data_dir, tenant) as tx:
        made, secret = api_keys.create_machine(
            tx,
            kind=MachineKind.API_KEY,
            name=name,
            scopes=[Permission(scope) for scope in scopes],
            lifetime=timedelta(days=days),
            networks=networks,
        )
    show({"id": show_id("key", made.id), "key": secret}, as_json, lambda: click.echo(secret))


@key.command("list")
@tenant_option
@data_dir_option
@json_option
def key_list(tenant: str, data_dir: str | None, as_json: bool) -> None:
    """List the API keys of a firm, without their secrets.

    Example: finer key list --tenant acme
    """
    with tenant_transaction(data_dir, tenant) as tx:
        found = api_keys.list_api_keys(tx)
    rows = [{"prefix": one.prefix, "name": one.name, "revoked_at": one.revoked_at} for one in found]
    lines = (f"{row['prefix']}  {row['name']}" for row in rows)
    none = "This firm has no API key. `finer key create` makes one."
    show(msgspec.to_builtins(rows), as_json, lambda: echo_lines(lines, none))


@key.command("revoke")
@click.argument("prefix")
@tenant_option
@data_dir_option
def key_revoke(prefix: str, tenant: str, data_dir: str | None) -> None:
    """Revoke an API key by its prefix; it stops working within a second.

    Example: finer key revoke --tenant acme 1a2b3c4d
    """
    with tenant_transaction(data_dir, tenant) as tx:
        api_keys.revoke_api_key(tx, prefix=prefix)
    click.echo(f"The key {prefix} is revoked.")


@key.command("rotate-signing")
@click.option("--forget", is_flag=True, help="End every access token that was signed before, at once.")
@data_dir_option
def key_rotate_signing(forget: bool, data_dir: str | None) -> None:
    """Sign the access tokens of OAuth clients with a new key from now on.

    It happens by itself every 30 days. Give --forget when a signing key may have become known.

    Example: finer key rotate-signing --forget
    """
    with (
        running_database(settings_of(data_dir)) as database,
        database.transaction(NO_TENANT, OPERATOR) as tx,
    ):
        signer = access_tokens.rotate_signing_key(tx, forget=forget)
    click.echo(f"Access tokens are signed with the key {signer.kid}; every process does so within a minute.")
