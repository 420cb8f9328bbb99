"""Commands about records: sql, rules, rates, benchmarks."""

from __future__ import annotations

import csv
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from finer.app.commands.common import (
    OPERATOR,
    as_of_option,
    json_option,
    running_database,
    show,
    tenant_id,
    tenant_option,
    tenant_transaction,
)
from finer.app.commands.options import data_dir_option, settings_of
from finer.decisions.types.alerts import Action
from finer.fraud.service import rules as firm_rules
from finer.fraud.service import verdicts as fraud
from finer.fraud.types import RuleState
from finer.identity.service.authorisation import masking_of
from finer.identity.types.access import Role
from finer.ingest.service import contracts
from finer.kit.actors import Actor
from finer.kit.arrow_values import values_of
from finer.kit.errors import InvalidInput, NotFound
from finer.ledger import service as ledger
from finer.ledger.types import ExchangeRate
from finer.warehouse.service import lake as warehouse
from finer.warehouse.service.shown import shown_to
from finer.workspace.service import runs


@click.command()
@click.argument("statement")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True, help="Rows to print at most."
)
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    help="See what this role sees on the page SQL; without it everything, as the operator.",
)
@as_of_option
@tenant_option
@data_dir_option
@json_option
def sql(
    statement: str, limit: int, role: str | None, as_of: datetime | int | None, tenant: str, data_dir: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Ask the lake in SQL (DuckDB's dialect; one SELECT).

    Example: finer sql "select country, sum(amount_minor) from orders group by 1" --role data_engineer --tenant acme
    """
    settings = settings_of(data_dir)
    viewer = OPERATOR if role is None else Actor(kind="user", id="", name="", role=role)
    with running_database(settings) as database:
        firm, access = tenant_id(database, tenant), warehouse.LakeAccess(database.url, settings)
        with database.transaction(firm, OPERATOR) as tx:
            shown, secret = shown_to(masking_of(viewer), contracts.load(tx)), runs.token_secret(tx)
        result = warehouse.sql(access, firm, statement, rows_max=limit, as_of=as_of, shown=shown, secret=secret)
    names = result.table.column_names
    rows = [list(row) for row in zip(*(values_of(column) for column in result.table.columns), strict=True)]
    document = {"columns": names, "rows": rows, "truncated": result.truncated}
    show(document, as_json, lambda: _print_table(names, rows, result.truncated))


def _print_table(names: list[str], rows: list[list[object]], truncated: bool) -> None:
    texts = [["" if value is None else str(value) for value in row] for row in rows]
    widths = [max(len(name), *(len(row[i]) for row in texts), 0) for i, name in enumerate(names)]
    click.echo("  ".join(name.ljust(width) for name, width in zip(names, widths, strict=True)).rstrip())
    for row in texts:
        click.echo("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())
    more = "; there are more, raise --limit" if truncated else ""
    click.echo(f"({len(rows)} rows{more})", err=True)


@click.command()
@click.option(
    "--tenant", metavar="SLUG", help="The firm, by its short name; without it the rules that come with Finer."
)
@data_dir_option
@json_option
def rules(tenant: str | None, data_dir: str | None, as_json: bool) -> None:
    """List the fraud rules in force: those of a firm in all their states, or those that come with Finer.

    Example: finer rules --tenant acme
    """
    if tenant is None:
        found = [_rule(rule.id, 1, "live", rule.title, rule.action, rule.condition) for rule in fraud.list_rules()]
    else:
        with tenant_transaction(data_dir, tenant) as tx:
            found = [
                _rule(one.rule, one.version, one.state.value, one.text.title, one.text.action, one.text.condition)
                for one in firm_rules.list_versions(tx)
                if one.state is not RuleState.RETIRED
            ]

    def text() -> None:
        for rule in found:
            click.echo(f"{rule['id']:<26} {rule['state']:<8} {rule['action']:<8} {rule['condition']}")

    show(found, as_json, text)


def _rule(identifier: str, version: int, state: str, title: str, action: Action, condition: str) -> dict[str, object]:
    word = "allow" if action is Action.APPROVE else action.word
    return {
        "id": identifier, "version": version, "state": state, "title": title, "action": word, "condition": condition,
    }  # fmt: skip


@click.group()
def fx() -> None:
    """Exchange rates.

    Example: finer fx load rates.csv --tenant acme
    """


@fx.command("load")
@click.argument("file", type=click.Path(path_type=Path))
@tenant_option
@data_dir_option
def fx_load(file: Path, tenant: str, data_dir: str | None) -> None:
    """Load rates from a CSV file with the columns currency, day (YYYY-MM-DD), usd (dollars for one unit).

    Example: finer fx load rates.csv --tenant acme
    """
    rates = _read_rates(file)
    with tenant_transaction(data_dir, tenant) as tx:
        count = ledger.load_rates(tx, rates)
    click.echo(f"{count} rates loaded; new events use them within seconds.")


def _read_rates(file: Path) -> list[ExchangeRate]:
    rates = []
    try:
        with file.open(newline="", encoding="utf-8-sig") as handle:
            for line, row in enumerate(csv.DictReader(handle), start=2):
                try:
                    rates.append(ExchangeRate(row["currency"], date.fromisoformat(row["day"]), Decimal(row["usd"])))
                except (KeyError, TypeError, ValueError, InvalidOperation) as error:
                    raise InvalidInput(
                        f"{file}, line {line} is no rate. The columns are currency, day (2026-11-29) and usd (1.0834)."
                    ) from error
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file} is no CSV in UTF-8: its byte {error.start + 1} is wrong.") from error
    if not rates:
        raise InvalidInput(f"{file} holds no rates. It begins with the line currency,day,usd.")
    return rates


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name", required=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(name: str | None, arguments: tuple[str, ...]) -> None:
    """Run a benchmark of a checkout by its row or name, e.g. S1, with its own arguments; without a name, list them.

    Example: finer bench D4 --minutes 2

    Example: finer bench handbook --data transactions.parquet
    """
    folder = Path(__file__).resolve().parents[4] / "bench"
    found = {file.stem.split("_")[0].upper(): file for file in sorted(folder.glob("[a-z][0-9]_*.py"))}
    found |= {file.stem.upper(): file for file in folder.glob("handbook.py")}
    if name is None:
        for row, file in found.items():
            click.echo(f"{row}  bench/{file.name}")
        return
    if name.upper() not in found:
        raise NotFound(f"There is no benchmark {name!r}. There are {', '.join(found) or 'none outside a checkout'}.")
    # The benchmark runs in the checkout; a file is named from where the caller is.
    given = [str(Path(one).resolve()) if Path(one).is_file() else one for one in arguments]
    command = [sys.executable, "-m", f"bench.{found[name.upper()].stem}", *given]
    sys.exit(subprocess.run(command, cwd=folder.parent, check=False).returncode)  # noqa: S603 - our own module
