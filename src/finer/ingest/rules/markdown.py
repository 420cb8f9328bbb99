"""A contract in words: what a field must be like, and the whole of it as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterable

from finer.ingest.types.contracts import Contract, Field, Kind

_WHOLE_TEXT = 256


def must_be(field: Field) -> list[str]:
    """The rules of a field, each as a sentence."""
    found = []
    if field.must_be_sent:
        found.append("It is required.")
    if field.allowed:
        found.append(f"It is one of {', '.join(field.allowed)}{', in any case of letters' if field.fold else ''}.")
    if field.kind is Kind.STRING and (field.shortest or field.longest != _WHOLE_TEXT):
        found.append(f"It has {field.shortest} to {field.longest} characters.")
    if field.pattern is not None:
        found.append(f"It matches {field.pattern} as a whole.")
    found += _limits(field)
    if field.currency is not None:
        found.append(f"It is an amount in the currency of {field.currency}, exact to its minor unit.")
    return found + _filled(field)


def _limits(field: Field) -> list[str]:
    found = []
    if field.minimum is not None:
        found.append(f"It is {'more than' if field.exclusive_minimum else 'at least'} {field.minimum}.")
    if field.maximum is not None:
        found.append(f"It is {'less than' if field.exclusive_maximum else 'at most'} {field.maximum}.")
    elif field.kind is Kind.TIMESTAMP:
        found.append("It is at most one day after the record arrived.")
    return found


def _filled(field: Field) -> list[str]:
    found = []
    if field.content_hash:
        found.append("Where it is absent it is derived from the content.")
    if field.derived_from is not None:
        found.append(f"Where it is absent it is taken from {field.derived_from}.")
    if field.default is not None:
        found.append(f"Where it is absent it is {field.default}.")
    if field.from_number:
        found.append("A plain number is taken as its digits.")
    return found


def page(contract: Contract) -> str:
    """The contract as a Markdown page."""
    lines = [f"# {contract.name} {contract.version}", "", " ".join(contract.description.split()), ""]
    if contract.owner:
        lines += [f"Owner: {_cell(contract.owner)}.", ""]
    if contract.service_levels:
        lines += ["## Service levels", ""]
        rows = [(one.property, f"{one.value} {one.unit}", one.description) for one in contract.service_levels]
        lines += [*_table(("property", "value", "meaning"), rows), ""]
    lines += ["## Fields", ""]
    fields = [
        (
            one.name,
            one.kind.value,
            " ".join(must_be(one)),
            ", ".join(one.aliases),
            one.classification or "",
            one.description,
        )
        for one in contract.fields
    ]
    lines += [*_table(("field", "type", "must be", "also read from", "classification", "meaning"), fields), ""]
    if contract.rules:
        rules = [(one.name, f"`{' '.join(one.condition.split())}`", one.reason) for one in contract.rules]
        lines += ["## Rules", "", *_table(("rule", "condition", "when broken"), rules), ""]
    return "\n".join(lines)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [
        "| " + " | ".join(head) + " |",
        "|---" * len(head) + "|",
        *("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows),
    ]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
