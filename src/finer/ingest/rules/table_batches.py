"""Parquet and Arrow IPC as record batches that stay small when their values are written out.

Both formats can say "the same text again" in a few bits, by dictionaries and views, so that a small body may stand for
more text than there is memory. Batches are therefore cut by the size of what their rows say, and columns whose
dictionaries hold long texts are read without writing them out.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from finer.ingest.errors import UnreadableBody
from finer.ingest.rules.columns import Array
from finer.ingest.rules.json_blocks import BLOCK_ROWS
from finer.ingest.rules.record import show
from finer.kit.errors import TooLarge

Sized = tuple[pa.RecordBatch, int]
"""A batch, and the bytes of its values when all of them are written out."""

BATCH_BYTES_MAX = 64 << 20
_ARROW_FILE_MAGIC, _PARQUET_MAGIC = b"ARROW1", b"PAR1"
_CHUNK = 1 << 20
_CONTINUED = b"\xff" * 4
_LONG_TEXT = 1024
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
_SHARING = (
    pa.types.is_dictionary, pa.types.is_string_view, pa.types.is_binary_view, pa.types.is_run_end_encoded,
    pa.types.is_list_view, pa.types.is_large_list_view,
)  # fmt: skip


class Decode(Protocol):
    """What takes Parquet and Arrow IPC apart: `table_batches`, or the same in a process with limits."""

    def __call__(self, kind: str, source: BinaryIO, bytes_max: int | None = None) -> Iterator[Sized]:
        """As `table_batches`."""
        ...


def table_batches(kind: str, source: BinaryIO, bytes_max: int | None = None) -> Iterator[Sized]:
    """Record batches of an open Parquet or Arrow IPC (stream or file) source.

    Raises UnreadableBody, and TooLarge when the footer of a Parquet file says more than `bytes_max`.
    """
    if bytes_max is not None and kind == "parquet" and parquet_unpacked_bytes(source) > bytes_max:
        raise too_large(bytes_max)
    batches = _parquet(source) if kind == "parquet" else _ipc(source)
    name = "Parquet" if kind == "parquet" else "Arrow"
    try:
        for batch in batches:
            yield from _cut(batch)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableBody(
            f"The {name} data cannot be read: {' '.join(show(error).split()).rstrip(' .')}."
        ) from error


def too_large(bytes_max: int) -> TooLarge:
    """The refusal of a body whose values take too much."""
    return TooLarge(f"The values of the body take more than {bytes_max} bytes. Send it in smaller parts.")


def parquet_unpacked_bytes(source: Any) -> int:
    """The size of a Parquet file's pages without their compression, as its footer tells. Raises UnreadableBody."""
    try:
        metadata = pq.ParquetFile(source).metadata
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableBody(
            f"The Parquet data cannot be read: {' '.join(show(error).split()).rstrip(' .')}."
        ) from error
    return sum(int(metadata.row_group(i).total_byte_size) for i in range(metadata.num_row_groups))


def _refuse_several(source: BinaryIO, magic: bytes) -> None:
    """Raise ValueError where one file ends and another begins.

    Only the last footer is read, and what it says of its file would be taken from the first: records would be missing
    and nobody told. A file ends with the length of its footer and the magic that it begins with; text that reads like
    two of them has no such length in front.
    """
    source.seek(0)
    seen, before, both = 0, b"", 2 * magic
    while chunk := source.read(_CHUNK):
        text = before + chunk
        at = text.find(both)
        while at >= 0:
            footer = int.from_bytes(text[max(at - 4, 0) : at], "little")
            if 0 < footer < seen - len(before) + at:
                raise ValueError("it holds several files, one after the other; send each by itself")
            at = text.find(both, at + 1)
        seen, before = seen + len(chunk), text[-len(both) - 3 :]
    source.seek(0)


def _parquet(source: Any) -> Iterator[pa.RecordBatch]:
    _refuse_several(source, _PARQUET_MAGIC)
    file = pq.ParquetFile(source, buffer_size=1 << 20, pre_buffer=False)
    leaves = [file.schema.column(i) for i in range(len(file.schema))]
    texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    coded = pq.ParquetFile(source, buffer_size=1 << 20, pre_buffer=False, read_dictionary=texts) if texts else file
    for group in range(file.num_row_groups):
        # A long text takes a page of its own or a place in a dictionary; the first row of a group brings all of those.
        first = next(coded.iter_batches(batch_size=1, row_groups=[group], columns=texts, use_threads=False), None)
        long = first is not None and any(_holds_long_text(column) for column in first.columns)
        size = int(file.metadata.row_group(group).total_byte_size) // max(file.metadata.row_group(group).num_rows, 1)
        rows = max(min(BATCH_BYTES_MAX // max(size, 1), BLOCK_ROWS), 1)
        chosen = coded if long else file
        yield from chosen.iter_batches(batch_size=rows, row_groups=[group], use_threads=False)


def _holds_long_text(column: pa.Array) -> bool:
    if pa.types.is_dictionary(column.type):
        lengths = _text_bytes(column.dictionary)
        return lengths is not None and bool((lengths > _LONG_TEXT).any())
    if pa.types.is_struct(column.type):
        return any(_holds_long_text(column.field(i)) for i in range(column.type.num_fields))
    if pa.types.is_map(column.type):
        return _holds_long_text(column.keys) or _holds_long_text(column.items)
    return pa.types.is_nested(column.type) and _holds_long_text(column.values)


def _ipc(source: Any) -> Iterator[pa.RecordBatch]:
    """A file, or streams one after the other: whoever puts two in one body means the records of both."""
    size = source.seek(0, io.SEEK_END)
    start = source.seek(0)
    while start < size or not size:
        head = source.read(8)
        source.seek(start)
        is_file = start == 0 and head.startswith(_ARROW_FILE_MAGIC)
        length = int.from_bytes(head[4:8] if head[:4] == _CONTINUED else head[:4], "little")
        if not is_file and length > size - start:
            # The library would ask for that much memory first.
            raise ValueError(f"{'what follows the first stream' if start else 'it'} does not begin with a schema")
        if is_file:
            _refuse_several(source, _ARROW_FILE_MAGIC)
        reader = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
        yield from _batches(reader, is_file=is_file)
        start = size if is_file else source.tell()


def _batches(reader: Any, *, is_file: bool) -> Iterator[pa.RecordBatch]:
    for batch in (reader.get_batch(i) for i in range(reader.num_record_batches)) if is_file else reader:
        # Offsets of a foreign stream may point anywhere; reading them unchecked could crash the process.
        batch.validate(full=False)
        _check_offsets(batch)
        for start in range(0, batch.num_rows, BLOCK_ROWS):
            yield batch.slice(start, BLOCK_ROWS)


def _check_offsets(batch: pa.RecordBatch) -> None:
    for column in batch.columns:
        kind = column.type
        if pa.types.is_string(kind):
            column.view(pa.binary()).validate(full=True)
        elif pa.types.is_large_string(kind):
            column.view(pa.large_binary()).validate(full=True)
        else:
            column.validate(full=True)


def _cut(batch: pa.RecordBatch) -> Iterator[Sized]:
    """The rows of a batch in pieces of BATCH_BYTES_MAX; a row that is larger stands alone."""
    sizes = np.zeros(batch.num_rows, np.int64)
    plain = 0
    for column in batch.columns:
        lengths = _shared_bytes(column)
        if lengths is None:
            plain += column.nbytes
        else:
            sizes += lengths
    ends = np.cumsum(sizes + plain // max(batch.num_rows, 1))
    start = reached = 0
    while start < batch.num_rows:
        end = max(int(np.searchsorted(ends, reached + BATCH_BYTES_MAX, "right")), start + 1)
        yield batch.slice(start, end - start), int(ends[end - 1]) - reached
        start, reached = end, int(ends[end - 1])


def _shared_bytes(column: pa.Array) -> Array | None:
    """The bytes of every value, int64[rows], of a column whose values may share them; None for any other."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        values = column.dictionary
        lengths = _text_bytes(values)
        if lengths is None or not len(values):
            return None
        places = np.asarray(pc.fill_null(column.indices, 0)).astype(np.int64)
        return np.where(np.asarray(column.is_valid()), lengths[places], 0)
    return _text_bytes(column) if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind) else None


def _text_bytes(values: pa.Array) -> Array | None:
    kind = values.type
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        # A view is sixteen bytes, of which the first four are its length.
        views = np.frombuffer(values.buffers()[1], np.int32).reshape(-1, 4)
        found: Array = views[values.offset : values.offset + len(values), 0].astype(np.int64)
        return np.where(np.asarray(values.is_valid()), found, 0)
    if any(is_kind(kind) for is_kind in _TEXTS):
        return np.asarray(pc.fill_null(pc.binary_length(values), 0)).astype(np.int64)
    return None


def shares_bytes(kind: pa.DataType) -> bool:
    """Whether values inside a nested type may stand for far more than the bytes that hold them."""
    if any(is_kind(kind) for is_kind in _SHARING):
        return True
    return any(shares_bytes(kind.field(i).type) for i in range(kind.num_fields)) if pa.types.is_nested(kind) else False
