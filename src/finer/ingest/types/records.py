"""Records on their way in: bodies, what parsing made of them, files and their mappings."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pyarrow as pa

from finer.ingest.types.contracts import Contract
from finer.kit.errors import FinerError


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
    names: tuple[str, ...] = ()
    """The columns of a CSV header; of other formats the record itself has the names."""
    number: int = 0
    """Which record of its file it is, from 1, where a mapping has read it; 0 elsewhere."""

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
    contract: Contract
    mapping: Mapping | None = None
    """How the records of a file became those of the contract, with the types of all columns that were read."""


class FileGroup(msgspec.Struct, frozen=True):
    """The next records of a file, with how far the reader has come. `bytes_total` is the size of the file."""

    parsed: ParsedGroup
    bytes_read: int
    bytes_total: int
    rows_read: int
