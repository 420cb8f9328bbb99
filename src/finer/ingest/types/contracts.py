"""Contracts: their fields, rules and versions."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping as MappingType
from datetime import datetime
from typing import Literal

import msgspec
import pyarrow as pa

from finer.ingest.errors import UnknownContract


class Kind(enum.Enum):
    """What a field holds, and so its Arrow type in the accepted batch."""

    STRING = "string"
    MONEY = "money"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"


ARROW_TYPES: dict[Kind, pa.DataType] = {
    Kind.STRING: pa.string(),
    Kind.MONEY: pa.int64(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.TIMESTAMP: pa.timestamp("us", tz="UTC"),
}
"""Money is an int64 of minor units in a column named `<field>_minor`."""

CONFIDENTIAL = "confidential"
"""The classification of what is a secret of the firm rather than of a person, such as what goods cost."""

RECEIVED_AT = pa.field("received_at", pa.timestamp("us", tz="UTC"))
"""The column that Finer adds behind the fields of every contract."""

AWAITED = pa.field("awaited", pa.binary())
"""A further column of batches in which somebody waits for a decision: the content hash of the body, or null."""


class PatternProgram(msgspec.Struct, frozen=True):
    """A pattern as sets of bytes per position: `classes[i]` for position i, the last one for all that follow."""

    classes: tuple[frozenset[int], ...]
    shortest: int
    longest: int


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a contract. Limits of money are exact decimals in major units, as text."""

    name: str
    kind: Kind
    description: str = ""
    required: bool = False
    aliases: tuple[str, ...] = ()
    combined_aliases: tuple[str, ...] = ()
    """A date and a time of day that make this timestamp together."""
    allowed: tuple[str, ...] = ()
    fold: bool = False
    """Allowed values are recognised in any case, and stored as the contract spells them."""
    shortest: int = 0
    longest: int = 256
    """Lengths of texts in code points."""
    pattern: str | None = None
    program: PatternProgram | None = None
    minimum: str | None = None
    maximum: str | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    default: str | None = None
    derived_from: str | None = None
    currency: str | None = None
    """For money: the field that names the currency."""
    from_number: bool = False
    """For strings: a plain integer is taken as its digits."""
    local: bool = False
    """For timestamps of a foreign file: a local time, which must not name a zone."""
    content_hash: bool = False
    """For the event id: derived from the content when absent."""
    classification: str | None = None

    @property
    def column(self) -> str:
        """The name of its column in the accepted batch."""
        return f"{self.name}_minor" if self.kind is Kind.MONEY else self.name

    @property
    def must_be_sent(self) -> bool:
        """Whether it is required, and nothing fills it in where it is absent."""
        return self.required and not (self.default is not None or self.derived_from or self.content_hash)


class RowRule(msgspec.Struct, frozen=True, kw_only=True):
    """A condition over the columns of one record that must not be false."""

    name: str
    condition: str
    reason: str
    fields: tuple[str, ...]


class Join(msgspec.Struct, frozen=True):
    """What a payload says beside its records: the object of the list `source` whose `key` is the record's `by`.

    Its members become members of the record, with `name` and a dot before them.
    """

    name: str
    source: tuple[str, ...]
    key: str
    by: tuple[str, ...]


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """A nested body of a foreign API whose `records` this contract holds: paths, with `[]` behind a list's name.

    A record with one of the members `marks` is such a record. Nested members become members with dotted names, which
    the fields know as aliases; `constants` are added.

    Where a body tells what it is by members of its own, they stand in `when`: its records are then those whose members
    have one of the values of `only`, and what else it holds is passed over. `above` are members of the body, or of
    what stands between it and a record, that the record gets by their path. `renames` gives members other names, and
    `unix_times` are members that count seconds or milliseconds since 1970.
    """

    name: str
    records: tuple[tuple[str, ...], ...]
    marks: tuple[str, ...] = ()
    joins: tuple[Join, ...] = ()
    constants: dict[str, str] = {}
    when: dict[str, str] = {}
    only: dict[str, tuple[str, ...]] = {}
    above: tuple[tuple[str, ...], ...] = ()
    renames: dict[str, str] = {}
    unix_times: tuple[str, ...] = ()


class TeamMember(msgspec.Struct, frozen=True):
    """Somebody who answers for a contract."""

    name: str
    role: str


class ServiceLevel(msgspec.Struct, frozen=True):
    """What the owner of a contract promises: `freshness` 5 `s`, `completeness` 99.5 `percent`."""

    property: str
    value: str
    unit: str
    description: str


class Contract(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What records of one kind must be like, in one version. Compiled once from its YAML text."""

    name: str
    version: str
    description: str
    fields: tuple[Field, ...]
    rules: tuple[RowRule, ...] = ()
    fingerprint_fields: tuple[str, ...] = ()
    payloads: tuple[Payload, ...] = ()
    team: tuple[TeamMember, ...] = ()
    service_levels: tuple[ServiceLevel, ...] = ()

    @property
    def owner(self) -> str:
        """Who answers for it; empty when the contract names nobody."""
        owners = (member.name for member in self.team if member.role == "owner")
        return next(owners, self.team[0].name if self.team else "")

    @property
    def header(self) -> str:
        """Names the schema in the event log, e.g. `transaction/1.0.0`."""
        return f"{self.name}/{self.version}"

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of accepted batches: the fields in order, then `received_at`."""
        columns = [pa.field(field.column, ARROW_TYPES[field.kind]) for field in self.fields]
        return pa.schema([*columns, RECEIVED_AT])

    def field(self, name: str) -> Field:
        """The field of that name. Raises KeyError."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


class Level(enum.StrEnum):
    """How grave a change between two versions is, by the part of the version that it has to raise."""

    NONE = "none"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


class ContractChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change between two versions. `backward`: senders may go on as they are. `forward`: readers may, too."""

    kind: str
    field: str
    sentence: str
    level: Level
    backward: bool
    forward: bool


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions beside each other; the newer one is `lowest_version` or higher."""

    changes: tuple[ContractChange, ...]
    level: Level
    backward: bool
    forward: bool
    lowest_version: str


class TrialCause(msgspec.Struct, frozen=True):
    """How many records a rule of a draft would hold back, with the first reason and the keys of a few."""

    field: str
    rule: str
    records: int
    reason: str
    keys: list[str]


class DraftTrial(msgspec.Struct, frozen=True, kw_only=True):
    """What a draft would have done: to the accepted records of the lake from `since` on, and to those in quarantine.

    `unreadable` quarantined records cannot be judged: only their beginning is kept, or they came in a format that says
    nothing without its header. `revision` is the one of the draft that was tried.
    """

    state: Literal["running", "done", "failed"]
    revision: int
    since: datetime
    started_at: datetime
    finished_at: datetime | None = None
    expected: int = 0
    checked: int = 0
    refused: int = 0
    causes: list[TrialCause] = []
    quarantined: int = 0
    released: int = 0
    unreadable: int = 0
    problem: str = ""


class VersionState(enum.StrEnum):
    """How far a version of a contract has come; of each contract one is published, the one in force."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class ContractVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a firm's contract as it is kept. `document` is its ODCS text; a draft's changes by `revision`.

    `author` and `published_by` are ids of actors.
    """

    id: uuid.UUID
    contract: str
    version: str
    state: VersionState
    document: str
    revision: int
    note: str
    author: str
    created_at: datetime
    updated_at: datetime
    published_by: str | None = None
    published_at: datetime | None = None
    retired_at: datetime | None = None
    trial: DraftTrial | None = None


class FirmContracts(msgspec.Struct, frozen=True, eq=False):
    """The contracts of one firm: by name those that records are held to now, by header every version there was."""

    current: MappingType[str, Contract]
    by_header: MappingType[str, Contract]

    def named(self, name: str) -> Contract:
        """The version that records are held to now. Raises UnknownContract listing those that exist."""
        if name not in self.current:
            raise UnknownContract(name, self.current)
        return self.current[name]
