"""Files of any size: group after group of records, in bounded memory.

Works on open binary files that the service hands in. Text formats are read in chunks and cut behind the last complete
record; a record that does not end within `_RECORD_BYTES_MAX` is refused and skipped, not gathered.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import msgspec
import numpy as np
import pyarrow as pa
import zstandard

from finer.ingest.errors import UnknownFileFormat, UnreadableBody
from finer.ingest.rules.arrow_blocks import batch_block, unify
from finer.ingest.rules.bodies import array_rest
from finer.ingest.rules.check import Block, Checked, check_block, refuse
from finer.ingest.rules.csv_blocks import CsvReader
from finer.ingest.rules.json_blocks import BOM, ArraySplitter, broken, ndjson_blocks
from finer.ingest.rules.mapping import Mapper, column_types, local_columns
from finer.ingest.rules.payloads import flat_document, flat_lines
from finer.ingest.rules.plan import Plan
from finer.ingest.rules.table_batches import Sized
from finer.ingest.rules.unpack import refuse_other_encodings
from finer.ingest.types.records import Mapping, RefusedRecord

CHUNK_BYTES = 8 << 20
_RECORD_BYTES_MAX = 64 << 20
_FLAT_BYTES_MAX = 128 << 20
_SUFFIXES = {
    "ndjson": "ndjson", "jsonl": "ndjson", "json": "json", "csv": "csv", "parquet": "parquet", "pq": "parquet",
    "arrow": "arrow", "arrows": "arrow", "feather": "arrow", "ipc": "arrow",
}  # fmt: skip
_PACKED = {"gz": "gzip", "zst": "zstd"}
# How much is unpacked at once: at the highest ratio that each format reaches, about 64 and 32 MiB come of it.
_PACKED_BYTES = {"gzip": 1 << 16, "zstd": 1 << 10}

Step = tuple[pa.RecordBatch, list[RefusedRecord], int, list[str], int, Mapping | None]
"""Accepted rows, refused records, how many were received, unknown fields, when (microseconds), and the mapping with the
types of all columns."""
Now = Callable[[], int]
"""The time at which a group is received, in microseconds: a large file is read for minutes."""


def format_of_file(name: str) -> tuple[str, str]:
    """The format and the packing that a file name tells, e.g. ("ndjson", "gzip"). Raises UnknownFileFormat."""
    stem, _, last = name.rpartition(".")
    packed = _PACKED.get(last.lower(), "")
    found = _SUFFIXES.get((stem.rpartition(".")[2] if packed else last).lower())
    if found is None:
        raise UnknownFileFormat(name, [f".{suffix}" for suffix in _SUFFIXES])
    return found, packed


class Unpacked:
    """A gzip or zstd file, unpacked while it is read. A file that ends too early raises UnreadableBody."""

    def __init__(self, source: BinaryIO, packing: str) -> None:
        self._source = source
        self._packing = packing
        self._stream: Any = None
        self._waiting = b""
        self._pending = memoryview(b"")

    def read(self, size: int) -> bytes:
        """The next `size` bytes; fewer before the end of the file, or before the place where it is broken."""
        parts: list[memoryview] = []
        while size > 0:
            try:
                if not self._pending and not self._step():
                    break
            except UnreadableBody:
                if parts:
                    break  # The next read meets it again.
                raise
            parts.append(self._pending[:size])
            self._pending = self._pending[size:]
            size -= len(parts[-1])
        return b"".join(parts)

    def _step(self) -> bool:
        if not self._waiting:
            self._waiting = self._source.read(_PACKED_BYTES[self._packing])
            if not self._waiting:
                if self._stream is not None:
                    raise UnreadableBody(f"The {self._packing} file ends too early; what was read until then is kept.")
                return False
        if self._stream is None:
            gzip = self._packing == "gzip"
            self._stream = zlib.decompressobj(wbits=31) if gzip else zstandard.ZstdDecompressor().decompressobj()
        try:
            self._pending = memoryview(self._stream.decompress(self._waiting))
        except (zlib.error, zstandard.ZstdError) as error:
            raise UnreadableBody(f"The file is not valid {self._packing}: {error}.") from error
        self._waiting = b""
        if self._stream.eof:
            self._waiting = self._stream.unused_data
            self._stream = None
        return True


Source = BinaryIO | Unpacked
"""An open file, or one that is unpacked while it is read."""


def file_steps(
    plan: Plan, source_plan: Plan | None, mapping: Mapping | None, handle: Source, kind: str, now: Now
) -> Iterator[Step]:
    """The records of an open text file, group by group. With a mapping, `source_plan` is the shape of the source."""
    reader = _text_blocks(source_plan or plan, handle, kind)
    mapper: Mapper | None = None
    first = 1
    for item in reader:
        received_us = now()
        if isinstance(item, RefusedRecord):
            yield plan.empty, [msgspec.structs.replace(item, number=first)], 1, [], received_us, mapping
            first += 1
            continue
        checked = check_block(source_plan or plan, item, received_us)
        if source_plan is None or mapping is None:
            yield _step(checked, item.rows, received_us, None)
            continue
        if mapper is None:
            mapper = Mapper(mapping, source_plan.field_schema, "mapping")
            if kind == "csv":
                mapper.check_header(item.names)
        yield _mapped_step(plan, mapping, mapper, item, checked, first, received_us)
        first += item.rows


def _step(checked: Checked, rows: int, received_us: int, mapping: Mapping | None) -> Step:
    refused = [record for _, record in checked.refused]
    if mapping is not None:
        refused = [msgspec.structs.replace(record, number=record.line) for record in refused]
    return checked.batch, refused, rows, _names(checked), received_us, mapping


def _names(checked: Checked) -> list[str]:
    return list(dict.fromkeys(name for _, name in checked.unknown))


def _mapped_step(
    plan: Plan, mapping: Mapping, mapper: Mapper, block: Block, source: Checked, first: int, received_us: int
) -> Step:
    """Rows of a text source that fit its types, mapped and held to the contract; refusals of both steps together.

    `first` is the number of the block's first record in its file.
    """
    width = len(source.batch.schema.names) - 1
    rows = local_columns(mapping, source.batch.select(source.batch.schema.names[:width]))
    target = batch_block(plan, mapper.apply(rows, pa.array(first + source.rows)), rows, 1)
    target.lines = block.lines[source.rows]
    target.raw = lambda i: block.raw(int(source.rows[i]))
    target.names = block.names
    checked = check_block(plan, target, received_us)
    refused = [record for _, record in (*source.refused, *checked.refused)]
    refused.sort(key=lambda record: record.line)
    places = np.searchsorted(block.lines, [record.line for record in refused]) + first
    numbered = [
        msgspec.structs.replace(record, number=int(place)) for record, place in zip(refused, places, strict=True)
    ]
    return checked.batch, numbered, block.rows, [], received_us, mapping


def table_steps(plan: Plan, mapping: Mapping | None, batches: Iterator[Sized], now: Now) -> Iterator[Step]:
    """The records of a Parquet or Arrow file, group by group, from its batches."""
    mapper: Mapper | None = None
    known: Mapping | None = None
    first = 1
    for batch, _ in batches:
        mapped = batch
        if mapping is not None:
            source = unify(batch)
            mapper = mapper or Mapper(mapping, source.schema, "mapping")
            known = known or msgspec.structs.replace(mapping, types=column_types(source.schema))
            mapped = mapper.apply(source, pa.array(np.arange(first, first + batch.num_rows)))
        block = batch_block(plan, mapped, batch, first)
        received_us = now()
        yield _step(check_block(plan, block, received_us), batch.num_rows, received_us, known)
        first += batch.num_rows


def _text_blocks(plan: Plan, handle: Source, kind: str) -> Iterator[Block | RefusedRecord]:
    if plan.contract.payloads and kind == "json":
        return _document(plan, handle)
    if kind == "ndjson":
        return _ndjson(plan, handle)
    if kind == "csv":
        return _csv(plan, handle)
    return _json(plan, handle)


def _chunks(handle: Source) -> Iterator[tuple[bytes, bool]]:
    """Chunks of the file, each with whether it is the last."""
    chunk = handle.read(CHUNK_BYTES)
    if not chunk:
        raise UnreadableBody("The file is empty.")
    refuse_other_encodings(chunk)
    while chunk:
        try:
            following = handle.read(CHUNK_BYTES)
        except UnreadableBody:
            # What was read until here is kept.
            yield chunk, False
            raise
        yield chunk, not following
        chunk = following


def _ndjson(plan: Plan, handle: Source) -> Iterator[Block | RefusedRecord]:
    rest, line, first = b"", 1, True
    skipping: bytes | None = None
    for chunk, last in _chunks(handle):
        more = chunk.removeprefix(BOM) if first else chunk
        first = False
        if skipping is not None:
            end = more.find(b"\n")
            if end < 0 and not last:
                continue
            yield _endless(line, skipping)
            skipping, more = None, more[end + 1 :] if end >= 0 else b""
            line += 1
        cut = len(more) if last else more.rfind(b"\n") + 1
        if cut:
            data = b"".join((rest, memoryview(more)[:cut]))
            rest = more[cut:]
            if plan.contract.payloads:
                data = flat_lines(plan.contract, data, _FLAT_BYTES_MAX)
            line = yield from ndjson_blocks(plan, data, np.array([len(data)]), line)
        else:
            rest += more
        if len(rest) > _RECORD_BYTES_MAX:
            skipping, rest = rest[: 1 << 16], b""
    if skipping is not None:
        yield _endless(line, skipping)


def _document(plan: Plan, handle: Source) -> Iterator[Block | RefusedRecord]:
    """A document of payloads is one value, so it is read as a whole."""
    data = b""
    for chunk, _last in _chunks(handle):
        data += chunk
        _bounded(data, "The document")
    flat = flat_document(plan.contract, data.removeprefix(BOM), _FLAT_BYTES_MAX)
    if flat is None:
        raise UnreadableBody("The file is no JSON document: neither a payload nor a list of records.")
    if flat:
        yield from ndjson_blocks(plan, flat, np.array([len(flat)]), 1)


def _endless(line: int, start: bytes) -> RefusedRecord:
    reason = f"The record does not end within {_RECORD_BYTES_MAX} bytes; only its beginning is kept."
    return refuse(line, start, broken("too_large", reason))


def _csv(plan: Plan, handle: Source) -> Iterator[Block | RefusedRecord]:
    reader = CsvReader(plan)
    data = b""
    known = False
    for chunk, last in _chunks(handle):
        data += chunk
        position = 0
        if not known:
            known = reader.header(data, last=last)
            if not known:
                continue
            position = reader.consumed
        yield from reader.blocks(data, position, last=last)
        data = data[reader.consumed :]
        _bounded(data, "A CSV record (is a quote not closed?)")


def _bounded(data: bytes, what: str) -> None:
    if len(data) > _RECORD_BYTES_MAX:
        raise UnreadableBody(f"{what} does not end within {_RECORD_BYTES_MAX} bytes; the file was read up to there.")


def _json(plan: Plan, handle: Source) -> Iterator[Block | RefusedRecord]:
    splitter = ArraySplitter(plan)
    data = b""
    opened = False
    for chunk, _last in _chunks(handle):
        data += chunk
        position = 0
        if not opened:
            data = data.removeprefix(BOM).lstrip(b" \t\r\n")
            if data[:1] != b"[":
                raise UnreadableBody(
                    "A .json file holds an array of records, [{...}, {...}]. One record per line is .ndjson."
                )
            opened, position = True, 1
        yield from splitter.blocks(data, position)
        data = data[splitter.consumed :]
        _bounded(data, f"Element {splitter.elements + 1} of the array")
    yield from array_rest(splitter, data.strip(b" \t\r\n"))
