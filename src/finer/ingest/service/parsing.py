"""Reading what was sent: bodies, and files of any size, held to their contract record by record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as MappingType
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from finer.ingest.errors import MappingInvalid, UnknownFileFormat, UnreadableBody
from finer.ingest.rules import bodies as body_rules
from finer.ingest.rules.files import Unpacked, file_steps, format_of_file, table_steps
from finer.ingest.rules.mapping import Mapper, compile_mapping, source_contract
from finer.ingest.rules.plan import Plan, plan_of
from finer.ingest.rules.record import show
from finer.ingest.rules.warm import warm_up
from finer.ingest.service.contracts import contracts
from finer.ingest.store.decoding import DECODER
from finer.ingest.types.contracts import Contract
from finer.ingest.types.records import Body, BodyResult, FileGroup, Mapping, ParsedBody, ParsedGroup
from finer.kit.clock import Clock, SystemClock
from finer.kit.moments import from_microseconds, microseconds
from finer.kit.settings import Settings

UNPACKED_BYTES_MAX = 128 * 2**20
RECORDS_MAX = body_rules.RECORDS_MAX
_TEXTS = frozenset({"ndjson", "json", "csv"})
"""Formats whose columns have the types that a mapping names."""


def format_of(content_type: str) -> str:
    """The format that a content type names. Raises UnsupportedFormat, listing what is read."""
    return body_rules.format_of(content_type)


def content_types() -> MappingType[str, str]:
    """Every content type that is read, and its format."""
    return body_rules.FORMATS


def warm() -> None:
    """Compile or load every kernel by parsing a small body of each format and contract, so that no request waits."""
    warm_up(contracts().values())


def parse_group(
    contract: Contract,
    bodies: Sequence[Body],
    received_at: datetime,
    *,
    unpacked_bytes_max: int = UNPACKED_BYTES_MAX,
    records_max: int = RECORDS_MAX,
    slow_max: int | None = None,
) -> ParsedGroup:
    """Parse several bodies of one contract as one group: one batch, and per body its counts, refusals or error.

    Raises Laborious for those that bring more than `slow_max` records which are looked at one by one.
    """
    batch, results = body_rules.parse_group(
        contract,
        bodies,
        microseconds(received_at),
        unpacked_bytes_max=unpacked_bytes_max,
        records_max=records_max,
        decode=DECODER.batches,
        slow_max=slow_max,
    )
    return ParsedGroup(batch, results, list(bodies), received_at, contract)


def parse_bodies(
    contract: Contract, bodies: Sequence[Body], settings: Settings, slow_max: int | None = None
) -> ParsedGroup:
    """`parse_group` for bodies that arrive now, with the limits of the settings."""
    now = SystemClock().now()
    return parse_group(contract, bodies, now, unpacked_bytes_max=settings.unpacked_bytes_max, slow_max=slow_max)


def parse_body(
    contract: Contract,
    body: Body,
    received_at: datetime,
    *,
    unpacked_bytes_max: int = UNPACKED_BYTES_MAX,
    records_max: int = RECORDS_MAX,
) -> ParsedBody:
    """Parse one body. Raises UnreadableBody, TooLarge or UnsupportedMediaType when it cannot be read as a whole."""
    group = parse_group(contract, [body], received_at, unpacked_bytes_max=unpacked_bytes_max, records_max=records_max)
    result = group.bodies[0]
    if result.error is not None:
        raise result.error
    return ParsedBody(group.batch, result.refused, result.received, result.unknown_fields)


def load_mapping(path: Path, contract: Contract) -> Mapping:
    """The mapping in a YAML file, for a contract. Raises MappingInvalid with the place of the mistake."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MappingInvalid(f"The mapping {path} cannot be read: {error}") from error
    return read_mapping(text, path.name, contract)


def read_mapping(text: str, place: str, target: Contract) -> Mapping:
    """The mapping in a YAML text; `place` begins every error. Raises MappingInvalid."""
    return compile_mapping(text, place, target)


def check_mapping(mapping: Mapping, target: Contract, name: str) -> None:
    """Whether files of a name, which may be a pattern such as `*.csv`, can be read by a mapping. Raises MappingInvalid.

    Says nothing where the name does not tell the format, nor of Parquet and Arrow files: what columns those have, and
    of which types, is known when one is there.
    """
    try:
        kind, _ = format_of_file(name)
    except UnknownFileFormat:
        return
    if kind in _TEXTS:
        Mapper(mapping, _source_plan(mapping, target, kind).field_schema, "mapping")


def read_file(
    path: Path, contract: Contract, mapping: Mapping | None = None, *, clock: Clock | None = None
) -> Iterator[FileGroup]:
    """The records of a file of any size, group by group, in bounded memory. Its name tells format and packing.

    Each group can be given to `append`. What the names and the mapping tell is checked at once. Iterating raises
    UnreadableBody where the file cannot be read on; the groups before stand, and reading the file again only makes
    duplicates of them.
    """
    reader = _reader(path.name, contract, mapping)

    def groups() -> Iterator[FileGroup]:
        with path.open("rb") as handle:
            yield from reader(handle, f"file {show(path.name)}", path.stat().st_size, clock or SystemClock())

    return groups()


def read_open(
    handle: BinaryIO,
    name: str,
    target: Contract,
    mapping: Mapping | None,
    *,
    source: str,
    total: int = 0,
    clock: Clock | None = None,
) -> Iterator[FileGroup]:
    """`read_file` for an open binary file or object; `source` is what its receipts say that it is."""
    return _reader(name, target, mapping)(handle, source, total, clock or SystemClock())


def _reader(
    name: str, target: Contract, mapping: Mapping | None
) -> Callable[[BinaryIO, str, int, Clock], Iterator[FileGroup]]:
    """What reads a file of that name. Raises what the name and the mapping tell before anything is read."""
    kind, packing = format_of_file(name)
    source_plan = None
    if packing and kind in ("parquet", "arrow"):
        raise UnreadableBody(f"{name}: Parquet and Arrow files are packed inside; unpack the file first.")
    if mapping is not None and kind in _TEXTS:
        source_plan = _source_plan(mapping, target, kind)

    def groups(handle: BinaryIO, source: str, total: int, now: Clock) -> Iterator[FileGroup]:
        sources, rows = [Body(data=b"", format=kind, source=source)], 0
        readable = Unpacked(handle, packing) if packing else handle
        steps = (
            table_steps(plan_of(target), mapping, DECODER.batches(kind, handle), lambda: microseconds(now.now()))
            if kind in ("parquet", "arrow")
            else file_steps(plan_of(target), source_plan, mapping, readable, kind, lambda: microseconds(now.now()))
        )
        for batch, refused, received, unknown, at_us, known in steps:
            rows += received
            results = [BodyResult(received, batch.num_rows, refused, unknown)]
            parsed = ParsedGroup(batch, results, sources, from_microseconds(at_us), target, known)
            yield FileGroup(parsed, min(handle.tell(), total), total, rows)

    return groups


def _source_plan(mapping: Mapping, target: Contract, kind: str) -> Plan:
    """The plan of a text source as its mapping describes it. Raises MappingInvalid."""
    if not mapping.types:
        raise MappingInvalid(f"The mapping of a {kind} file needs `types`: the source's columns and their types.")
    return plan_of(source_contract(mapping, target))
