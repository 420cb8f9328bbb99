"""Write what is made from the program (`make docs`): the pages of docs/reference, and web/openapi.json.

The types of the web app come from the latter. A test holds both to the program.
"""

from __future__ import annotations

import sys
import tempfile
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
from litestar import Litestar

from finer.app import openapi
from finer.app.api import create_app
from finer.app.cli import main as finer
from finer.app.flow import FLOW, handler_name
from finer.fraud.service import verdicts as fraud
from finer.identity.service import authorisation, security_alerts
from finer.ingest.service import contracts
from finer.ingest.types.contracts import Contract, Field
from finer.kit.actors import Fact
from finer.kit.settings import PREFIX, Settings
from finer.privacy.service import catalogue

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = "docs/reference"
OPENAPI = "web/openapi.json"
_LIMITS = (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than"))


def settings_page(settings: type[msgspec.Struct] = Settings) -> str:
    """docs/reference/settings.md: every setting with its variable, default, limits and meaning."""
    hints = typing.get_type_hints(settings, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(settings):
        kind, *metadata = typing.get_args(hints[field.name])
        meta = next(one for one in metadata if isinstance(one, msgspec.Meta))
        limits = [f"{word} {getattr(meta, key):,}" for key, word in _LIMITS if getattr(meta, key) is not None]
        default = "(empty)" if field.default == "" else f"`{field.default}`"
        about = f"{kind.__name__}, {' and '.join(limits)}" if limits else kind.__name__
        rows.append((f"`{PREFIX}{field.name.upper()}`", default, about, meta.description or ""))
    return _page(
        "Settings",
        "Set in the environment. Every process of one installation takes the same settings.",
        [_table(("variable", "default", "type", "meaning"), rows)],
        "src/finer/kit/settings.py",
    )


def commands_page(group: click.Group = finer) -> str:
    """docs/reference/commands.md: every command with its arguments, options and example."""
    parts = [part for name, command in _subcommands(group) for part in _command(f"finer {name}", command)]
    return _page(
        "Commands",
        "Every command has `--help`, ends with 0 when it did what it was asked and with another code when not.",
        parts,
        "src/finer/app/commands/",
    )


def api_page(app: Litestar) -> str:
    """docs/reference/api.md: every endpoint with its permission, parameters, body, answer and meaning."""
    parts = []
    paths = openapi.document(app)["paths"]
    for path in sorted(paths):
        for method, operation in sorted(paths[path].items()):
            parts.append(f"## {method.upper()} {path}")
            words = [operation.get("summary", ""), " ".join(operation.get("description", "").split())]
            parts.append(". ".join(word.rstrip(".") for word in words if word) + ".")
            parts.append(f"Permission: `{operation['x-permission']}`. {_exchange(operation)}")
            rows = [_parameter(one) for one in operation.get("parameters", [])]
            if rows:
                parts.append(_table(("parameter", "in", "type", "meaning"), rows))
    return _page(
        "HTTP API",
        "JSON unless said otherwise. Callers are known by the session cookie of the web app or by "
        "`Authorization: Bearer` with an API key. A date and time in a query is in UTC unless it names a zone. "
        "Every error is a problem document (RFC 9457, "
        "`application/problem+json`) whose `detail` says what to do. A running Finer serves the OpenAPI "
        "document at `/api/v1/openapi.json`; it holds the schemas that are named here. A write with an "
        "`Idempotency-Key` is done once: [repeat a request](../how-to/repeat-a-request.md).",
        parts,
        "the route table",
    )


def flow_page(flow: Mapping[type[Fact], Sequence[Callable[..., Any]]] = FLOW) -> str:
    """docs/reference/flow.md: which fact wakes which handler."""
    rows = [
        (f"`{fact.name}`", _first_line(fact), ", ".join(f"`{handler_name(handler)}`" for handler in handlers) or "none")
        for fact, handlers in flow.items()
    ]
    return _page(
        "Flow of facts",
        "A fact is recorded in the transaction that makes it true, and becomes one durable job per handler in that "
        "same transaction, alone or with others of its kind. In the order in which the data travels:",
        [_table(("fact", "meaning", "handlers"), rows)],
        "src/finer/app/flow.py",
    )


def contracts_page(chosen: Iterable[Contract] | None = None) -> str:
    """docs/reference/contracts.md: the fields and rules of every contract."""
    parts = []
    for contract in contracts.contracts().values() if chosen is None else chosen:
        parts += [f"## {contract.name} {contract.version}", " ".join(contract.description.split())]
        rows = [_field(field) for field in contract.fields]
        parts.append(_table(("field", "type", "must be", "also read from", "meaning"), rows))
        if contract.rules:
            rules = [(f"`{one.name}`", f"`{' '.join(one.condition.split())}`", one.reason) for one in contract.rules]
            parts.append(_table(("row rule", "condition", "when broken"), rules))
    return _page(
        "Contracts",
        "A record that breaks its contract is quarantined with the field, the rule, the value and the reason.",
        parts,
        "src/finer/ingest/contracts/",
    )


def rules_page() -> str:
    """docs/reference/rules.md: the fraud rules in force and the features that they can read."""
    rules = [
        (f"`{one.id}`", one.title, f"`{one.condition}`", str(one.action.name).lower()) for one in fraud.list_rules()
    ]
    features = [(f"`{one.name}`", one.description, one.unit) for one in fraud.windows().definitions]
    return _page(
        "Fraud rules and features",
        "Every rule whose condition holds fires; the strictest action of those that fired is the verdict.",
        [
            _table(("rule", "title", "condition", "action"), rules),
            "## Features",
            "Values of sliding windows, with the present event included.",
            _table(("feature", "meaning", "unit"), features),
        ],
        "src/finer/fraud/rules/",
    )


def files() -> dict[str, str]:
    """The text of every generated file by its place in the repository."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(data_dir=folder))
    found = {
        "settings.md": settings_page(),
        "commands.md": commands_page(),
        "api.md": api_page(app),
        "flow.md": flow_page(),
        "contracts.md": contracts_page(),
        "rules.md": rules_page(),
        "permissions.md": authorisation.render(),
        "security-rules.md": security_alerts.render_rules(),
        "data-catalogue.md": catalogue.render(),
    }
    document = msgspec.json.encode(openapi.document(app), order="sorted")
    return {f"{PAGES}/{name}": text for name, text in found.items()} | {
        OPENAPI: msgspec.json.format(document, indent=1).decode() + "\n"
    }


def outdated(root: Path, wanted: Mapping[str, str]) -> list[str]:
    """The generated files below `root` that do not say what the program says."""
    found = []
    for name, text in wanted.items():
        path = root / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            found.append(f"{name} does not say what the program does. Run `make docs` and commit it.")
    return found


def main() -> None:
    """Write the files."""
    wanted = files()
    for name, text in wanted.items():
        (REPOSITORY / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(wanted)} generated files are written.\n")


def _page(title: str, opening: str, parts: Iterable[str], source: str) -> str:
    made = f"Made from {source if ' ' in source else f'`{source}`'} by `make docs`; a test compares the two."
    return "\n\n".join([f"# {title}", made, opening, *parts]) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def _subcommands(group: click.Group) -> list[tuple[str, click.Command]]:
    """By name; asked of the group, because `finer` imports a command only when it is asked for it."""
    context = click.Context(group)
    found = [(name, group.get_command(context, name)) for name in sorted(group.list_commands(context))]
    return [(name, command) for name, command in found if command is not None]


def _command(name: str, command: click.Command) -> list[str]:
    if command.hidden:
        return []
    if isinstance(command, click.Group):
        return [part for child, found in _subcommands(command) for part in _command(f"{name} {child}", found)]
    words = [_argument(one) for one in command.params if isinstance(one, click.Argument)]
    text, _, example = (command.help or "").partition("Example:")
    parts = [f"## {' '.join([name, *words])}", " ".join(text.split())]
    rows = [
        (f"`{', '.join(one.opts)}`", one.help or "", _default(one))
        for one in command.params
        if isinstance(one, click.Option) and not one.hidden
    ]
    if rows:
        parts.append(_table(("option", "meaning", "default"), rows))
    if example:
        parts.append(f"```\n{' '.join(example.split())}\n```")
    return parts


def _argument(argument: click.Argument) -> str:
    name = (argument.name or "").upper() + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _default(option: click.Option) -> str:
    if option.required:
        return "required"
    shown = option.show_default and isinstance(option.default, str | int | float)
    return f"`{option.default}`" if shown else ""


def _exchange(operation: Mapping[str, Any]) -> str:
    """What is sent and what is answered: the names of schemas and media types."""
    parts = []
    if "requestBody" in operation:
        parts.append(f"Body: {_content(operation['requestBody'])}.")
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            parts.append(f"Answer: {status} {_content(response)}".rstrip() + ".")
    return " ".join(parts)


def _content(described: Mapping[str, Any]) -> str:
    content = described.get("content", {})
    names = [
        name.rpartition("/")[2] if (name := entry["schema"].get("$ref")) else kind for kind, entry in content.items()
    ]
    return ", ".join(f"`{name}`" for name in names)


def _parameter(parameter: Mapping[str, Any]) -> tuple[str, str, str, str]:
    schema = parameter.get("schema", {})
    kinds = [one.get("type", "") for one in schema.get("oneOf", [schema])]
    kind = " or ".join(dict.fromkeys(str(one) for one in kinds if one and one != "null"))
    name = f"`{parameter['name']}`" + (" (required)" if parameter.get("required") else "")
    return name, parameter["in"], kind, parameter.get("description") or schema.get("description") or ""


def _field(field: Field) -> tuple[str, str, str, str, str]:
    limits = []
    if field.required:
        limits.append("present")
    if field.allowed:
        limits.append("one of " + ", ".join(field.allowed))
    if field.pattern:
        limits.append(f"like `{field.pattern}`")
    if field.minimum is not None:
        limits.append(f"{'more than' if field.exclusive_minimum else 'at least'} {field.minimum}")
    if field.maximum is not None:
        limits.append(f"{'less than' if field.exclusive_maximum else 'at most'} {field.maximum}")
    if field.default is not None:
        limits.append(f"{field.default} when absent")
    if field.derived_from is not None:
        limits.append(f"that of {field.derived_from} when absent")
    names = [f"`{name}`" for name in field.aliases]
    if field.combined_aliases:
        names.append(" with ".join(f"`{name}`" for name in field.combined_aliases))
    return f"`{field.name}`", field.kind.value, "; ".join(limits), ", ".join(names), field.description


def _first_line(thing: type) -> str:
    return (thing.__doc__ or "").strip().split("\n\n", maxsplit=1)[0]


if __name__ == "__main__":
    main()
