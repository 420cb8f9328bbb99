"""The catalogue of personal data: read from its file, compared with what really exists, and shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from finer.kit.masking import DataClass
from finer.privacy.types import CatalogueEntry

Erasure = Literal["shred", "pseudonym", "blank", "keep"]


class PersonalField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field that says something about a person."""

    data_class: DataClass = msgspec.field(name="class")
    about: str
    erasure: Erasure
    protection: str = "files of the firm only, access by role"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table, or the records of a contract."""

    about: str
    purpose: str
    lawful_basis: str
    retention: str
    recipients: list[str]
    personal: dict[str, PersonalField] = {}
    not_personal: list[str] = []
    retention_rule: str | None = None
    record: str | None = None
    """What the records are called in a person's file; the place when it is not said."""


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is kept of people."""

    not_personal: list[str]
    elsewhere: dict[str, list[str]]
    tables: dict[str, Part]
    contracts: dict[str, Part]

    def parts(self) -> Iterator[tuple[str, Part]]:
        """Every part with its place, contracts as `lake.<contract>`."""
        yield from self.tables.items()
        for name, part in self.contracts.items():
            yield f"lake.{name}", part


def entries(catalogue: Catalogue) -> list[CatalogueEntry]:
    """One line for each personal field."""
    return [
        CatalogueEntry(
            place=place,
            field=name,
            data_class=field.data_class.value,
            about=field.about,
            purpose=part.purpose,
            lawful_basis=part.lawful_basis,
            retention=part.retention,
            recipients=part.recipients,
            protection=field.protection,
            erasure=field.erasure,
        )
        for place, part in catalogue.parts()
        for name, field in part.personal.items()
    ]


def rewriting(part: Part) -> dict[str, Erasure]:
    """What erasing a person does to the fields of a contract in the lake."""
    return {name: field.erasure for name, field in part.personal.items() if field.erasure in ("pseudonym", "blank")}


def gaps(catalogue: Catalogue, tables: Mapping[str, list[str]], contracts: Mapping[str, list[str]]) -> list[str]:
    """Fields that exist and are not described, and the reverse, as sentences; `tables` are columns by table."""
    common = set(catalogue.not_personal)
    found = []
    known_tables = {name: set(fields) for name, fields in catalogue.elsewhere.items()}
    for name, part in catalogue.tables.items():
        known_tables.setdefault(name, set()).update(part.personal, part.not_personal)
    known_contracts = {name: {*part.personal, *part.not_personal} for name, part in catalogue.contracts.items()}
    for kind, real, known, shared in (
        ("table", tables, known_tables, common),
        ("contract", contracts, known_contracts, set[str]()),
    ):
        for name, fields in real.items():
            described = known.get(name, set())
            found += [
                f"{name}.{field}: say in privacy/catalogue.yaml what it holds of a person, or that it holds nothing."
                for field in fields
                if field not in described | shared
            ]
            found += [
                f"{name}.{field} is in the catalogue, but does not exist." for field in sorted(described - {*fields})
            ]
        found += [
            f"The {kind} {name} is in the catalogue, but does not exist." for name in sorted(set(known) - set(real))
        ]
    return found


def render(catalogue: Catalogue) -> str:
    """docs/reference/data-catalogue.md."""
    lines = [
        "# Data catalogue",
        "",
        "Made from `src/finer/privacy/catalogue.yaml` by `make docs`; tests compare the two, and the file",
        "with every table and contract. What is not listed holds nothing about a person.",
        "",
    ]
    for place, part in catalogue.parts():
        if not part.personal:
            continue
        lines += [
            f"## {place}",
            "",
            f"{part.about}. Purpose: {part.purpose}. Lawful basis: {part.lawful_basis}.",
            f"Kept: {part.retention}. Recipients: {', '.join(part.recipients)}.",
            "",
            "| field | holds | class | protection | erasure |",
            "|---|---|---|---|---|",
            *(
                f"| `{name}` | {field.about} | {field.data_class.value} | {field.protection} | {field.erasure} |"
                for name, field in part.personal.items()
            ),
            "",
        ]
    return "\n".join(lines)
