"""Files of lists: OpenSanctions' targets.simple.csv, a CSV of the firm's own, and FollowTheMoney entities line by line.

A file is taken whole or not at all, and the first mistake is told with its line. What a file may hold is bounded before
anything of it is kept: lines, names of an entry, and letters of a cell.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from finer.screening.errors import ScreeningListNotAcceptable
from finer.screening.rules.names import words
from finer.screening.types import EntityType, Entry, Profile

ENTRIES_MAX = 250_000
NAMES_MAX, VALUES_MAX = 1_000, 100
LINE_MAX, VALUE_MAX = 1_000_000, 1_000
CELL_MAX = 1 << 30  # no body is that large
COLUMNS = (
    "id", "schema", "name", "aliases", "birth_date", "countries", "addresses", "identifiers", "sanctions", "phones",
    "emails", "program_ids", "dataset", "first_seen", "last_seen", "last_change", "gender", "programme",
)  # fmt: skip
"""The columns of targets.simple.csv, and `gender` and `programme` for a file of one's own; all but name can lack."""
_TYPES = {
    "person": EntityType.PERSON,
    "organization": EntityType.ORGANISATION,
    "organisation": EntityType.ORGANISATION,
    "company": EntityType.ORGANISATION,
    "legalentity": EntityType.UNKNOWN,
    "publicbody": EntityType.ORGANISATION,
    "": EntityType.UNKNOWN,
}
_NO_ENTITIES = frozenset({
    "address", "associate", "directorship", "documentation", "employment", "family", "identification", "membership",
    "occupancy", "ownership", "passport", "position", "representation", "sanction", "security", "succession",
    "unknownlink",
})  # fmt: skip
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_COUNTRY = re.compile(r"[A-Za-z]{2}")


class _Line(msgspec.Struct):
    """An entity of FollowTheMoney as its line says it; everything else of the line is passed over."""

    id: str
    schema: str
    properties: dict[str, list[str]] = {}
    datasets: list[str] = []
    target: bool | None = None


_LINE = msgspec.json.Decoder(_Line)


def read_list(text: str) -> list[Entry]:
    """The entries of a file, whichever of the formats it has. Raises ScreeningListNotAcceptable."""
    plain = text.removeprefix("\ufeff")
    found: dict[str, Entry] = {}
    rows = _read_lines(plain) if plain.lstrip()[:1] == "{" else _read_csv(plain)
    for line, entry in rows:
        if entry.id in found:
            raise _bad(line, f"the id {entry.id[:80]!r} stands on an earlier line as well.")
        found[entry.id] = entry
        if len(found) > ENTRIES_MAX:
            raise _bad(line, f"a list has at most {ENTRIES_MAX:,} entries.")
    if not found:
        raise ScreeningListNotAcceptable("The file has no entries.")
    return list(found.values())


def content_hash(entry: Entry) -> bytes:
    """What tells an entry from a changed one."""
    return hashlib.sha256(msgspec.json.encode(entry, order="sorted")).digest()


def _read_csv(text: str) -> Iterator[tuple[int, Entry]]:
    # This limit belongs to the process, and others raise it. Ours is counted below: the answer is always the same.
    csv.field_size_limit(max(csv.field_size_limit(), CELL_MAX))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = [name.strip().lower() for name in next(reader, [])]
        if "name" not in head or len(set(head)) < len(head) or set(head) - set(COLUMNS):
            raise _bad(1, f"the first line names the columns: name, and any of {', '.join(COLUMNS)}.")
        for row in reader:
            if not row:
                continue
            if sum(map(len, row)) > LINE_MAX:
                raise _bad(reader.line_num, f"an entity has at most {LINE_MAX:,} letters.")
            if len(row) != len(head):
                raise _bad(reader.line_num, f"{len(row)} columns where the first line names {len(head)}.")
            yield reader.line_num, _from_cells(dict(zip(head, row, strict=True)), reader.line_num)
    except csv.Error as error:
        raise _bad(reader.line_num, f"{error}.") from error


def _from_cells(cells: Mapping[str, str], line: int) -> Entry:
    def several(name: str) -> list[str]:
        return [part.strip() for part in cells.get(name, "").split(";") if part.strip()]

    name = cells["name"].strip()
    programme = cells.get("programme", "").strip() or cells.get("sanctions", "").strip()
    profile = Profile(
        names=_names([name, *several("aliases")], line),
        type=_TYPES.get(cells.get("schema", "").strip().lower(), EntityType.OTHER),
        birth_dates=_dates(several("birth_date"), line),
        countries=_countries(several("countries")),
        identifiers=_values(several("identifiers"), line),
        genders=_values(several("gender"), line),
    )
    identifier = cells.get("id", "").strip()
    return _entry(identifier, profile, programme, cells.get("dataset", "").strip(), line)


def _read_lines(text: str) -> Iterator[tuple[int, Entry]]:
    for line, row in enumerate(text.split("\n"), 1):
        if not row.strip():
            continue
        if len(row) > LINE_MAX:
            raise _bad(line, f"an entity has at most {LINE_MAX:,} letters.")
        try:
            found = _LINE.decode(row)
        except (msgspec.DecodeError, RecursionError) as error:
            raise _bad(line, f"this is no entity of FollowTheMoney: {error}.") from error
        schema = found.schema.lower()
        if schema in _NO_ENTITIES or found.target is False:
            continue
        has: dict[str, Any] = found.properties
        values = [has.get(name, []) for name in ("idNumber", "passportNumber", "taxNumber", "registrationNumber",
                                                 "leiCode", "innCode", "ogrnCode", "imoNumber")]  # fmt: skip
        countries = [has.get(name, []) for name in ("country", "citizenship", "nationality", "jurisdiction")]
        profile = Profile(
            names=_names([*has.get("name", []), *has.get("alias", []), *has.get("previousName", [])], line),
            type=_TYPES.get(schema, EntityType.OTHER),
            birth_dates=_dates(has.get("birthDate", []), line),
            countries=_countries([each for part in countries for each in part]),
            identifiers=_values([each for part in values for each in part], line),
            genders=_values(has.get("gender", []), line),
        )
        programme = "; ".join([*has.get("program", []), *has.get("topics", [])])
        yield line, _entry(found.id.strip(), profile, programme, ", ".join(found.datasets), line)


def _entry(identifier: str, profile: Profile, programme: str, dataset: str, line: int) -> Entry:
    if len(identifier) > VALUE_MAX:
        raise _bad(line, f"an id has at most {VALUE_MAX} characters.")
    if not identifier:
        # A file of the firm's own without ids: the entry is who it says it is.
        said = "|".join(["-".join(sorted(words(profile.names[0]))), *sorted(profile.birth_dates)])
        identifier = "own-" + hashlib.sha256(said.encode()).hexdigest()[:20]
    return Entry(id=identifier, profile=profile, programme=programme[:VALUE_MAX], dataset=dataset[:VALUE_MAX])


def _names(found: list[str], line: int) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(" ".join(name.split()) for name in found if name.strip()))
    if not names or not words(names[0]):
        raise _bad(line, "there is no name.")
    if len(names) > NAMES_MAX:
        raise _bad(line, f"an entry has at most {NAMES_MAX} names, this one has {len(names)}.")
    if any(len(name) > VALUE_MAX or not name.isprintable() for name in names):
        raise _bad(line, f"a name has at most {VALUE_MAX} printable characters.")
    return names


def _values(found: list[str], line: int) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(value.strip() for value in found if value.strip()))[:VALUES_MAX]
    if any(len(value) > VALUE_MAX for value in values):
        raise _bad(line, f"a value has at most {VALUE_MAX} characters.")
    return values


def _dates(found: list[str], line: int) -> tuple[str, ...]:
    for value in found:
        if not _DATE.fullmatch(value.strip()):
            raise _bad(line, f"{value[:40]!r} is no birth date. Write 1970-03-21, 1970-03 or 1970.")
    return tuple(dict.fromkeys(value.strip() for value in found))[:VALUES_MAX]


def _countries(found: list[str]) -> tuple[str, ...]:
    # Countries that are no more, and regions, have longer codes; they say nothing about where somebody is from now.
    return tuple(dict.fromkeys(code.strip().upper() for code in found if _COUNTRY.fullmatch(code.strip())))[:VALUES_MAX]


def _bad(line: int, detail: str) -> ScreeningListNotAcceptable:
    return ScreeningListNotAcceptable(f"Line {line}: {detail}", line=line)
