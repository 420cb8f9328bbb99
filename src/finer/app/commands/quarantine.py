"""Commands about refused records: why they are held back, change them, send them on, throw them away."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

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
from finer.ingest.service import acts, quarantine, repairs
from finer.ingest.types.quarantine import Act, QuarantinedRecord, Selection
from finer.kit.errors import InvalidInput
from finer.kit.ids import read_id, show_id

_NONE = "There is no such record."
_STATES = click.Choice(["open", "edited", "released", "discarded"])


def _selection(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose records."""
    for option in reversed(
        (
            click.option("--contract", metavar="NAME", help="Records of this contract."),
            click.option("--field", metavar="NAME", help="Records whose first broken field this is."),
            click.option("--rule", metavar="NAME", help="Records that broke this rule."),
            click.option("--text", metavar="TEXT", help="Records whose reasons hold this text."),
            click.option("--receipt", metavar="ID", help="Records of this receipt (rct_...)."),
            click.option("--source", metavar="TEXT", help="Records whose source holds this text."),
        )
    ):
        command = option(command)
    return command


def _chosen(options: dict[str, str | None], state: str | None = None) -> Selection:
    receipt = options.pop("receipt")
    return Selection(**options, state=state, receipt=None if receipt is None else read_id("rct", receipt))  # type: ignore[arg-type]


@click.group("quarantine")
def quarantine_group() -> None:
    """Records that break their contract.

    Example: finer quarantine causes --tenant acme
    """


@quarantine_group.command("list")
@_selection
@click.option("--state", type=_STATES, help="Records in this state; open and edited ones if not given.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="Records at most.")
@tenant_option
@data_dir_option
@json_option
def list_command(
    state: str | None, limit: int, tenant: str, data_dir: str | None, as_json: bool, **options: str | None
) -> None:
    """The newest refused records, with every broken field.

    Example: finer quarantine list --contract order --rule range --tenant acme
    """
    with tenant_transaction(data_dir, tenant) as tx:
        found = quarantine.list_quarantined(tx, _chosen(options, state), limit=limit).items
    show([_document(record) for record in found], as_json, lambda: echo_lines(map(_line, found), _NONE))


def _document(record: QuarantinedRecord) -> dict[str, Any]:
    shown = msgspec.to_builtins(msgspec.structs.replace(record, raw=b"", edited=None))
    shown |= {"id": show_id("qua", record.id), "receipt_id": show_id("rct", record.receipt_id)}
    shown |= {"raw": record.raw.decode("utf-8", "replace"), "edited": record.edited is not None}
    return dict(shown)


def _line(record: QuarantinedRecord) -> str:
    reasons = " ".join(error.reason for error in record.errors)
    return f"{show_id('qua', record.id)}  {record.state:<9} {record.contract}, line {record.line}: {reasons}"


@quarantine_group.command("causes")
@_selection
@tenant_option
@data_dir_option
@json_option
def causes_command(tenant: str, data_dir: str | None, as_json: bool, **options: str | None) -> None:
    """Why records are held back, most frequent first.

    Example: finer quarantine causes --tenant acme
    """
    with tenant_transaction(data_dir, tenant) as tx:
        found = quarantine.quarantine_causes(tx, _chosen(options))
    lines = (
        f"{one.records:>10,}  {one.ready:>10,} ready  {one.contract}.{one.field or 'record'} {one.rule}: {one.example}"
        for one in found
    )
    show(msgspec.to_builtins(found), as_json, lambda: echo_lines(lines, _NONE))


@quarantine_group.command("fix")
@_selection
@click.option(
    "--set",
    "assignments",
    metavar="FIELD=EXPRESSION",
    multiple=True,
    required=True,
    help="A field and the expression for its new value, such as 'amount=abs(amount)'. Can be given several times.",
)
@click.option("--dry-run", is_flag=True, help="Say what would become of the newest records, and change nothing.")
@tenant_option
@data_dir_option
@json_option
def fix_command(
    assignments: tuple[str, ...],
    dry_run: bool,
    tenant: str,
    data_dir: str | None,
    as_json: bool,
    **options: str | None,
) -> None:
    """Change refused records by expression; they are released by another command.

    Example: finer quarantine fix --contract order --rule range --set "quantity=abs(quantity)" --tenant acme
    """
    pairs = [_assignment(text) for text in assignments]
    if dry_run:
        with tenant_transaction(data_dir, tenant) as tx:
            found = repairs.preview(tx, _chosen(options), pairs)
        said = f"{found.matched:,} records match; of the newest {found.looked_at:,}, {found.changed:,} would change "
        lines = [
            f"{said}and {found.passing:,} keep the contract then.",
            *(f"{count:>10,}  still break {key}" for key, count in found.failed.items()),
        ]
        document = msgspec.to_builtins(msgspec.structs.replace(found, examples=[]))
        show(document, as_json, lambda: echo_lines(lines))
        return
    _carry_out("edit", _chosen(options), (tenant, data_dir, as_json), assignments=pairs)


def _assignment(text: str) -> tuple[str, str]:
    field, equals, expression = text.partition("=")
    if not equals:
        raise InvalidInput(f"--set {text[:80]!r}: write FIELD=EXPRESSION, such as amount=abs(amount).")
    return field.removesuffix(":").strip(), expression.strip()


@quarantine_group.command("release")
@_selection
@tenant_option
@data_dir_option
@json_option
def release_command(tenant: str, data_dir: str | None, as_json: bool, **options: str | None) -> None:
    """Send refused records the whole way again, with their own event ids; what still breaks the contract stays.

    Example: finer quarantine release --contract order --tenant acme
    """
    _carry_out("release", _chosen(options), (tenant, data_dir, as_json))


@quarantine_group.command("discard")
@_selection
@click.option("--reason", required=True, help="Why they are not wanted; kept in the audit trail.")
@tenant_option
@data_dir_option
@json_option
def discard_command(reason: str, tenant: str, data_dir: str | None, as_json: bool, **options: str | None) -> None:
    """Give refused records up. They stay for 30 days.

    Example: finer quarantine discard --contract order --rule json --reason "Cut off by the sender" --tenant acme
    """
    _carry_out("discard", _chosen(options), (tenant, data_dir, as_json), reason=reason)


def _carry_out(
    kind: acts.Kind,
    selection: Selection,
    where: tuple[str, str | None, bool],
    *,
    assignments: Sequence[tuple[str, str]] = (),
    reason: str = "",
) -> None:
    tenant, data_dir, as_json = where
    settings = settings_of(data_dir)
    console = Console(stderr=True)
    with running_database(settings) as database, Progress(console=console, disable=not console.is_terminal) as bar:
        firm = tenant_id(database, tenant)
        with database.transaction(firm, OPERATOR) as tx:
            act = acts.start(
                tx, kind, selection, assignments=assignments, reason=reason, partitions=settings.partitions
            )
        task = bar.add_task(kind, total=act.matched)
        while act.state == "running":
            bar.update(task, completed=act.done)
            with database.transaction(firm, OPERATOR) as tx:
                act = acts.carry_on(tx, act.id, settings.partitions)
    show(_shown(act), as_json, lambda: echo_lines(_said(act)))
    sys.exit(0 if act.state == "done" else 1)


def _shown(act: Act) -> dict[str, Any]:
    return {
        "id": show_id("act", act.id), "state": act.state, "matched": act.matched, "done": act.done,
        "changed": act.changed, "failed": act.failed,
    }  # fmt: skip


def _said(act: Act) -> list[str]:
    if not act.matched:
        return ["No record that waits fits. `finer quarantine causes` says which wait, and why."]
    return [
        f"{act.changed:,} of {act.matched:,} records: {act.kind} {act.state}.",
        *(f"{count:>10,}  still break {key}" for key, count in act.failed.items()),
    ]
