"""What ingest speaks: contracts and their fields, parsed bodies, receipts, quarantined records."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime
from typing import Generic, Literal, TypeVar

import msgspec
import pyarrow as pa

from finer.kit.errors import FinerError

T = TypeVar("T")


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


class RowRule(msgspec.Struct, frozen=True, kw_only=True):
    """A condition over the columns of one record that must not be false."""

    name: str
    condition: str
    reason: str
    fields: tuple[str, ...]


class Contract(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What records of one kind must be like. Compiled once from its YAML file."""

    name: str
    version: str
    description: str
    fields: tuple[Field, ...]
    rules: tuple[RowRule, ...] = ()
    fingerprint_fields: tuple[str, ...] = ()

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


class FieldError(msgspec.Struct, frozen=True):
    """Why a field, or the record as a whole (`field` is empty), breaks the contract; `reason` is a sentence."""

    field: str
    rule: str
    value: str
    reason: str


class RefusedRecord(msgspec.Struct, frozen=True):
    """A record that was not accepted. `line` counts from 1: the line of NDJSON and CSV, else the record's number."""

    line: int
    raw: bytes
    raw_bytes: int
    sha256: bytes
    errors: list[FieldError]

    @property
    def raw_truncated(self) -> bool:
        """Whether `raw` is only the beginning."""
        return self.raw_bytes > len(self.raw)


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """One request body as it came: its bytes, its format (see `service.format_of`) and how it was packed.

    `awaited` is the content hash of a transaction whose sender waits for the decision.
    """

    data: bytes
    format: str = "ndjson"
    encoding: str = ""
    source: str = "http"
    awaited: bytes | None = None
    idempotency_key: str | None = None


class BodyResult(msgspec.Struct):
    """What became of one body: received = accepted + len(refused), or `error` and nothing was accepted."""

    received: int = 0
    accepted: int = 0
    refused: list[RefusedRecord] = []
    unknown_fields: list[str] = []
    error: FinerError | None = None


class ParsedBody(msgspec.Struct, frozen=True):
    """One body, parsed: the accepted rows with the contract's schema, and the rest."""

    batch: pa.RecordBatch
    refused: list[RefusedRecord]
    received: int
    unknown_fields: list[str]


class ParsedGroup(msgspec.Struct, frozen=True):
    """Several bodies of one contract parsed as one: their accepted rows follow each other in `batch`, body by body."""

    batch: pa.RecordBatch
    bodies: list[BodyResult]
    sources: list[Body]
    received_at: datetime


class FileGroup(msgspec.Struct, frozen=True):
    """The next records of a file, with how far the reader has come. `bytes_total` is the size of the file."""

    parsed: ParsedGroup
    bytes_read: int
    bytes_total: int
    rows_read: int


class SourceExpression(msgspec.Struct, frozen=True):
    """One target of a mapping: an expression over the source's columns, or columns to `join` with a separator."""

    target: str
    expression: str
    join: tuple[str, ...] = ()
    separator: str = ""


class Mapping(msgspec.Struct, frozen=True):
    """How the rows of a foreign file become records of a contract."""

    contract: str
    columns: tuple[SourceExpression, ...]
    types: dict[str, str]
    timezone: str
    description: str


class NewReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A body to be accounted for. `skipped` rows of its batch come before its own; None when none was accepted."""

    id: uuid.UUID
    contract: str
    source: str
    result: BodyResult
    received_at: datetime
    stream: str
    partition: int
    skipped: int | None
    idempotency_key: str | None = None
    body_hash: bytes | None = None


class BrokenField(msgspec.Struct, frozen=True):
    """A broken field of a refused record, as a receipt shows it."""

    line: int
    field: str
    rule: str
    value: str
    reason: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The account of one body. Once `state` is done, received = accepted + duplicate + quarantined.

    `duplicate` counts records that were sent before, and among them `conflicting` those whose content differed.
    """

    id: uuid.UUID
    contract: str
    received: int
    accepted: int
    duplicate: int
    conflicting: int
    quarantined: int
    state: Literal["processing", "done"]
    received_at: datetime
    source: str
    unknown_fields: list[str]
    problems: list[BrokenField]


class ReceiptFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which receipts to list; None is any. `source` is found anywhere in a source; `before` is the last id seen."""

    contract: str | None = None
    source: str | None = None
    done: bool | None = None
    before: uuid.UUID | None = None


class QuarantinedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A refused record as it is kept, with every broken field. `raw` is the beginning of what was sent."""

    id: uuid.UUID
    receipt_id: uuid.UUID
    contract: str
    line: int
    state: str
    errors: list[FieldError]
    raw: bytes
    raw_bytes: int
    received_at: datetime


class QuarantineCause(msgspec.Struct, frozen=True):
    """How many open records a rule holds back, with the newest reason as an example."""

    contract: str
    field: str
    rule: str
    records: int
    example: str


class ContractCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What came in for one contract over the last 24 hours, and per second just now."""

    contract: str
    received: int
    accepted: int
    duplicate: int
    quarantined: int
    accepted_per_s: float
    last_event_at: datetime | None


class Throughput(msgspec.Struct, frozen=True):
    """Records accepted per second in the five seconds from `at`."""

    at: datetime
    events_per_s: float


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds from a record's arrival to the commit of what was decided on it; None when nothing came in."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """Counts by contract of the last 24 hours, and throughput and latency of the last five minutes."""

    contracts: list[ContractCounts]
    throughput: list[Throughput]
    latency: Latency


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list; `next` is the cursor of the page behind it, or None."""

    items: list[T]
    next: str | None


Offsets = dict[tuple[str, int], int]
"""How far a consumer has come: its next offset for every (stream, partition)."""
