"""Commands about single sign-on that only an operator may give."""

from __future__ import annotations

import click

from finer.app.commands.common import echo_lines, json_option, show, tenant_option, tenant_transaction
from finer.app.commands.options import data_dir_option
from finer.identity.service import sso as service


@click.group()
def sso() -> None:
    """Single sign-on of firms.

    Example: finer sso add-domain --tenant acme acme.example
    """


@sso.command("add-domain")
@click.argument("domain")
@tenant_option
@data_dir_option
def add_domain(domain: str, tenant: str, data_dir: str | None) -> None:
    """Confirm that an e-mail domain is a firm's: its addresses lead to the firm's sign-in, and are believed there.

    Example: finer sso add-domain --tenant acme acme.example
    """
    with tenant_transaction(data_dir, tenant) as tx:
        service.add_domain(tx, domain)
    click.echo(f"Addresses of {domain} belong to {tenant!r}.")


@sso.command("remove-domain")
@click.argument("domain")
@tenant_option
@data_dir_option
def remove_domain(domain: str, tenant: str, data_dir: str | None) -> None:
    """Take an e-mail domain back from a firm. People who are there keep their accounts.

    Example: finer sso remove-domain --tenant acme acme.example
    """
    with tenant_transaction(data_dir, tenant) as tx:
        service.remove_domain(tx, domain)
    click.echo(f"Addresses of {domain} belong to no firm.")


@sso.command("domains")
@tenant_option
@data_dir_option
@json_option
def domains(tenant: str, data_dir: str | None, as_json: bool) -> None:
    """List the e-mail domains of a firm.

    Example: finer sso domains --tenant acme
    """
    with tenant_transaction(data_dir, tenant) as tx:
        found = service.list_domains(tx)
    show(
        found,
        as_json,
        lambda: echo_lines(found, "No e-mail domain belongs to this firm. `finer sso add-domain` adds one."),
    )
