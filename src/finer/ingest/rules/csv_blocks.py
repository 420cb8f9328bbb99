"""CSV with a header row: from bytes to blocks of records."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

import numpy as np

from finer.ingest.errors import UnreadableBody
from finer.ingest.rules.check import Block, Decoded
from finer.ingest.rules.columns import Array, Cells
from finer.ingest.rules.json_blocks import BLOCK_ROWS, BOM, broken
from finer.ingest.rules.plan import Plan
from finer.ingest.rules.record import Token, show
from finer.ingest.rules.scan_csv import scan_cells
from finer.ingest.rules.scan_json import Places

CELL_MAX = 1 << 20
COLUMNS_MAX = 10_000
_HEADER_MAX = 1 << 20
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
"""What other programs write between cells, and its name."""
_NO_SLOTS = np.zeros(0, np.int64)


class CsvReader:
    """Takes CSV apart, chunk by chunk: first the header, then blocks of complete records."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.names: list[str] = []
        self._slots = _NO_SLOTS
        self._line = 1
        self.consumed = 0

    def header(self, data: bytes, *, last: bool) -> bool:
        """Read the header from the start of `data`; False when it is not complete yet. Raises UnreadableBody."""
        start = len(BOM) if data.startswith(BOM) else 0
        places, odd, spans, lines = _arrays(1, 1)
        view = np.frombuffer(data, np.uint8)
        rows, self.consumed, self._line = scan_cells(view, start, 1, last, _NO_SLOTS, places, odd, spans, lines)
        if rows == 0:
            if len(data) > _HEADER_MAX:
                raise UnreadableBody("The first line of the CSV is not a header: it does not end.")
            return False
        try:
            names = cells_of(data[spans[0, 0] : spans[0, 1]].decode())
        except (UnicodeDecodeError, csv.Error) as error:
            raise UnreadableBody(
                f"The first line of the CSV must be a header with the field names: {error}."
            ) from error
        if len(names) > COLUMNS_MAX:
            raise UnreadableBody(
                f"The header of the CSV has {len(names):,} columns; at most {COLUMNS_MAX:,} are read. Send those that "
                "the contract has."
            )
        self.names = [name.strip() for name in names]
        self._slots = np.array([self._plan.slot_of.get(name, -1) for name in self.names], np.int64)
        known = [int(slot) for slot in self._slots if slot >= 0]
        if not known:
            raise UnreadableBody(_no_header(self.names))
        if len(known) != len(set(known)):
            double = next(
                name for name in self.names if self._slots.tolist().count(self._plan.slot_of.get(name, -2)) > 1
            )
            raise UnreadableBody(f"The CSV header names the field {double!r} twice.")
        return True

    @property
    def unknown(self) -> list[str]:
        """Columns that are no fields of the contract."""
        return [show(name) for name, slot in zip(self.names, self._slots, strict=True) if slot < 0]

    def blocks(self, data: bytes, position: int, *, last: bool) -> Iterator[Block]:
        """Blocks of the complete records of `data` from `position`; `consumed` says up to where."""
        self.consumed = position
        view = np.frombuffer(data, np.uint8)
        clean = _is_utf8(data)
        while self.consumed < len(data):
            room = min(BLOCK_ROWS, data.count(b"\n", self.consumed) + 1)
            places, odd, spans, lines = _arrays(self._plan.slots, room)
            rows, self.consumed, self._line = scan_cells(
                view, self.consumed, self._line, last, self._slots, places, odd, spans, lines
            )
            if rows == 0:
                return
            if not clean:
                _mark_broken_text(view, spans[:rows], odd)
            cells = Cells(view, places.starts, places.sizes, places.present[:rows], places.bare[:rows], texts=True)
            yield self._block(data, cells, odd[:rows], spans, lines[:rows])

    def _block(self, data: bytes, cells: Cells, odd: Array, spans: Array, lines: Array) -> Block:
        def raw(i: int) -> bytes:
            return data[spans[i, 0] : spans[i, 1]]

        rows = len(lines)
        unknown = [(0, 0, name) for name in self.unknown[:10]]
        return Block(
            rows=rows,
            cells=cells,
            odd=odd,
            lines=lines,
            owners=np.zeros(rows, np.int32),
            raw=raw,
            decode=lambda i: self._decode(raw(i)),
            unknown=unknown,
            names=tuple(self.names),
        )

    def _decode(self, raw: bytes) -> Decoded:
        try:
            values = cells_of(raw.decode())
        except UnicodeDecodeError as error:
            reason = f"The record is not valid UTF-8: byte {error.start + 1} of it is 0x{raw[error.start]:02x}."
            return Decoded({}, broken("invalid_utf8", reason))
        except csv.Error as error:
            return Decoded({}, broken("csv", f"The record is not valid CSV: {error}."))
        if len(values) != len(self.names):
            reason = f"The record has {len(values)} cells, and the header has {len(self.names)}."
            return Decoded({}, broken("columns", reason))
        tokens: dict[int, Token] = {
            int(slot): value for slot, value in zip(self._slots, values, strict=True) if slot >= 0
        }
        return Decoded(tokens)


def _no_header(names: Sequence[str]) -> str:
    """What is wrong with a first line of which the contract knows no name."""
    shown = show(", ".join(names))
    said = f"The first line of the CSV must be a header with the field names of the contract; it is {shown}."
    for mark, name in _OTHER_SEPARATORS.items():
        if len(names) == 1 and mark in names[0]:
            return f"{said} Cells are separated by commas, and not by {name}."
    return said


def _arrays(slots: int, rows: int) -> tuple[Places, Array, Array, Array]:
    """What the scan of at most `rows` records writes to: places, odd, spans and lines."""
    starts, sizes = np.empty((slots, rows), np.int32), np.empty((slots, rows), np.int32)
    places = Places(starts, sizes, np.empty(rows, np.int64), np.empty(rows, np.int64), rows)
    return places, np.empty(rows, np.uint8), np.empty((rows, 2), np.int64), np.empty(rows, np.int64)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _mark_broken_text(view: Array, spans: Array, odd: Array) -> None:
    """Send every record with a byte above 127 to the slow path: one of them is not valid UTF-8."""
    above = np.concatenate([[0], np.cumsum(view > 127)])
    odd[: len(spans)] |= (above[spans[:, 1]] > above[spans[:, 0]]).astype(np.uint8)


def cells_of(text: str) -> list[str]:
    """The cells of one record by Python's own reader. Raises csv.Error."""
    csv.field_size_limit(max(csv.field_size_limit(), 1 << 30))
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    if len(rows) != 1:
        raise csv.Error("a line break stands outside quotes")
    return rows[0]


def csv_body(plan: Plan, data: bytes) -> Iterator[Block]:
    """Blocks of a whole CSV body. Raises UnreadableBody when the header is no header."""
    reader = CsvReader(plan)
    reader.header(data, last=True)
    yield from reader.blocks(data, reader.consumed, last=True)
