"""The nouns of sources: a source and its settings, what a reader hands over, what is remembered."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Protocol, TypeAlias

import msgspec
from msgspec import Meta

from finer.ingest.types.records import ParsedGroup
from finer.kit.masking import DataClass

Line = Annotated[str, Meta(max_length=255)]
Short = Annotated[str, Meta(max_length=80)]
Lines = Annotated[str, Meta(max_length=20_000)]


class State(StrEnum):
    """What a source does. `failing` is tried again by itself; `stopped` waits for a person to mend its settings."""

    RUNNING = "running"
    PAUSED = "paused"
    FAILING = "failing"
    STOPPED = "stopped"


class FolderSettings(msgspec.Struct, frozen=True, kw_only=True, tag="folder", forbid_unknown_fields=True):
    """A folder of the server, with everything below it."""

    folder: Annotated[str, Meta(max_length=1000)]
    pattern: Line = "*"
    """Which files by name, as a shell would: `*.csv`."""
    settle_s: Annotated[float, Meta(ge=0, le=3600)] = 5.0
    """A file that changed less than so many seconds ago is still being written."""


class ObjectSettings(msgspec.Struct, frozen=True, kw_only=True, tag="objects", forbid_unknown_fields=True):
    """The objects below a prefix of a bucket in S3-compatible storage."""

    endpoint: Line
    """`https://host[:port]` of the storage."""
    bucket: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    prefix: Annotated[str, Meta(max_length=900)] = ""
    region: Short = "us-east-1"
    pattern: Line = "*"


class KafkaFormat(StrEnum):
    """What a message holds: one JSON object, several (one per line), or an Arrow IPC stream of record batches."""

    JSON = "json"
    NDJSON = "ndjson"
    ARROW = "arrow"


class KafkaSecurity(StrEnum):
    """How brokers are spoken to. Without TLS only where the operator listed the broker."""

    PLAINTEXT = "plaintext"
    SSL = "ssl"
    SASL_PLAINTEXT = "sasl_plaintext"
    SASL_SSL = "sasl_ssl"


class KafkaSettings(msgspec.Struct, frozen=True, kw_only=True, tag="kafka", forbid_unknown_fields=True):
    """A topic, read as a member of a consumer group whose offsets are kept here."""

    brokers: Annotated[str, Meta(max_length=1000)]
    topic: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
    group: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,200}$")] = "finer"
    format: KafkaFormat = KafkaFormat.JSON
    begin: Annotated[str, Meta(pattern="^(earliest|latest)$")] = "earliest"
    """Where a partition without an offset begins."""
    security: KafkaSecurity = KafkaSecurity.SASL_SSL
    mechanism: Annotated[str, Meta(pattern="^(PLAIN|SCRAM-SHA-256|SCRAM-SHA-512)$")] = "SCRAM-SHA-512"


class StripeSettings(msgspec.Struct, frozen=True, kw_only=True, tag="stripe", forbid_unknown_fields=True):
    """Webhooks of Stripe."""

    api_version: Annotated[str, Meta(pattern=r"^20\d\d-\d\d-\d\d(\.[a-z]+)?$")]
    """The version that the webhook endpoint at Stripe is pinned to; events of another one are refused."""
    payments: Annotated[str, Meta(pattern="^(charge|payment_intent)$")] = "charge"
    """Which of the two families of events stands for payments: both tell of the same money."""
    customer: Annotated[str, Meta(max_length=120)] = "customer"
    """Where the firm's own number of a customer is: `customer`, or `metadata.<key>`."""
    tolerance_s: Annotated[int, Meta(ge=30, le=900)] = 300


class PlaidSettings(msgspec.Struct, frozen=True, kw_only=True, tag="plaid", forbid_unknown_fields=True):
    """Transactions of bank accounts that customers linked by Plaid (/transactions/sync)."""

    address: Line = "https://production.plaid.com"
    every_s: Annotated[float, Meta(ge=0.05, le=86_400)] = 300.0
    page: Annotated[int, Meta(ge=1, le=500)] = 500


class PostgresSettings(msgspec.Struct, frozen=True, kw_only=True, tag="postgres", forbid_unknown_fields=True):
    """A table or view of a PostgreSQL database, read in the order of a column that only grows."""

    host: Line
    port: Annotated[int, Meta(ge=1, le=65_535)] = 5432
    database: Line
    user: Line
    schema: Line = "public"
    table: Line
    cursor: Line
    """The column that grows: a number or a time."""
    key: Annotated[list[Line], Meta(min_length=1, max_length=8)]
    """Columns that tell rows of one cursor value apart, such as the primary key."""
    columns: Annotated[list[Line], Meta(max_length=200)] = []
    """What is read; empty for all columns."""
    overlap: Annotated[float, Meta(ge=0, le=1e12)] = 600.0
    """How far behind the newest row commits may still come late: seconds, or units of a cursor that is a number."""
    tls: Annotated[str, Meta(pattern="^(verify-full|disable)$")] = "verify-full"
    rows: Annotated[int, Meta(ge=1, le=50_000)] = 10_000
    every_s: Annotated[float, Meta(ge=0.05, le=86_400)] = 10.0
    timeout_s: Annotated[float, Meta(ge=1, le=3600)] = 60.0


Settings: TypeAlias = (
    FolderSettings | ObjectSettings | KafkaSettings | StripeSettings | PlaidSettings | PostgresSettings
)


HOOKED = (StripeSettings, PlaidSettings)
"""Sources to which the other side sends webhooks: events of Stripe, and notices of Plaid that there is news."""


class Credentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What opens a source; sealed, and shown to nobody. Which fields a kind needs, its rules say."""

    user: Line = ""
    """User name at Kafka, access key id of storage, client id at Plaid."""
    secret: Annotated[str, Meta(max_length=1000)] = ""
    """Password, secret access key, secret at Plaid, or the signing secret of a Stripe endpoint (`whsec_...`)."""
    second_secret: Annotated[str, Meta(max_length=1000)] = ""
    """The signing secret before this one, while Stripe still signs with both."""
    ca: Annotated[str, Meta(max_length=200_000)] = ""
    """PEM of the certificate authority of the other side; empty for those that the machine trusts."""
    items: Annotated[list[PlaidItem], Meta(max_length=500)] = []

    def __repr__(self) -> str:
        return "Credentials(...)"


class PlaidItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One customer's link to a bank."""

    customer_id: Annotated[str, Meta(min_length=1, max_length=64)]
    access_token: Annotated[str, Meta(min_length=1, max_length=300)]

    def __repr__(self) -> str:
        return f"PlaidItem({self.customer_id})"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A source as it stands. `version` changes with every change by a person; a reader of an older one stops."""

    id: uuid.UUID
    name: str
    contract: str
    mapping: str
    """YAML; empty when the records have the fields of the contract already."""
    settings: Settings
    state: State
    version: int
    backfill: str
    """Where to begin again, until the reader has done so."""
    received: int
    accepted: int
    quarantined: int
    lag: int | None
    """How much waits at the source, in `lag_unit`; None when that is not known."""
    lag_unit: str
    last_record_at: datetime | None
    error: str
    """Why it is failing or stopped, for people; empty when all is well."""
    failures: int
    """Attempts in a row that failed."""
    next_try_at: datetime | None
    made_by: str
    created_at: datetime
    changed_at: datetime

    @property
    def kind(self) -> str:
        """`folder`, `objects`, `kafka`, `stripe`, `plaid` or `postgres`."""
        return str(type(self.settings).__struct_config__.tag)


class DueSource(msgspec.Struct, frozen=True):
    """A source that is to be read, and when the other side last said that there is news."""

    tenant: uuid.UUID
    id: uuid.UUID
    version: int
    woken_at: datetime | None


class ItemState(StrEnum):
    """What became of a file or an object."""

    READING = "reading"
    DONE = "done"
    SAME = "same"
    """Its content was taken under another name before."""
    FAILED = "failed"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A file or object of a source, or an event that was sent: one `name` with one `version` of its content."""

    name: str
    version: str
    """What tells whether the name still stands for the same bytes: size and time of a file, ETag of an object."""
    size: int = 0
    content: bytes | None = None
    """SHA-256 of the bytes."""
    state: ItemState = ItemState.DONE
    records: int = 0
    """How many records of it are in the log or in quarantine."""
    accepted: int = 0
    quarantined: int = 0
    note: str = ""
    at: datetime | None = None


class Position(msgspec.Struct, frozen=True):
    """Where a reader goes on in one part of a source: a partition, a customer's link, or the whole (`part` empty)."""

    part: str
    value: dict[str, Any]


class KeyedRecord(msgspec.Struct, frozen=True):
    """What was last said of one thing of a source, to tell a change from a repetition; sealed."""

    key: str
    customer_id: str
    value: bytes


@dataclass
class Page:
    """What a reader hands over at once: taken together with the positions, or not at all."""

    groups: list[ParsedGroup] = field(default_factory=list)
    what: str = ""
    """What the records are of, for the receipt: `orders.csv`, `payments/0 from 17 to 99`."""
    positions: list[Position] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    records: list[KeyedRecord] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What people should know of it, for the history of the source."""
    last_record_at: datetime | None = None
    lag: int | None = None
    lag_unit: str = ""
    restart: bool = False
    """Whether the positions are those of a fresh start: a backfill that was asked for has begun."""


class Taken(msgspec.Struct, frozen=True):
    """What became of the records of a page."""

    received: int
    accepted: int
    quarantined: int


class Memory(Protocol):
    """What a reader may ask of what is remembered; each call is a transaction of its own, which the app provides."""

    def positions(self) -> dict[str, dict[str, Any]]:
        """Where every part stands."""
        ...

    def items(self, names: Sequence[str]) -> dict[str, Item]:
        """The newest item of each name, for those that were seen before."""
        ...

    def saw(self, names: Sequence[str]) -> None:
        """Note that these items are still there."""
        ...

    def content(self, content: bytes) -> Item | None:
        """The item whose content this is, unless it was only begun."""
        ...

    def records(self, keys: Sequence[str]) -> dict[str, bytes]:
        """What was last said of these things."""
        ...


class Reader(Protocol):
    """Reads one source. `sweep` gives pages until there is nothing more at present; the pause after it is `every_s`."""

    every_s: float

    def sweep(self) -> Iterator[Page]:
        """The pages that are there now. Raises SourceFailed to be tried again, SourceMisconfigured to stop."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a source's history."""

    id: uuid.UUID
    at: datetime
    kind: str
    """`error`, `recovered`, `note`, or what a person did."""
    text: str
    actor: str


class Minute(msgspec.Struct, frozen=True):
    """Records of one minute."""

    at: datetime
    accepted: int
    quarantined: int


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at a source found: the first records, mapped and held to the contract."""

    received: int
    accepted: int
    quarantined: int
    records: list[list[TrialValue]]
    problems: list[str]
    notes: list[str]


class TrialValue(msgspec.Struct, frozen=True):
    """One field of a record as it would be stored."""

    field: str
    data_class: DataClass
    value: str | None
