"""From the places of values to Arrow columns: every field of a contract by its kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from finer.ingest.rules import kernels, text_kernels, time_kernels
from finer.ingest.rules.patterns import anchored
from finer.ingest.rules.plan import EXPONENT_TABLE, NO_TEXT, POWERS, FieldPlan, Plan
from finer.ingest.rules.record import timestamp_high
from finer.ingest.types.contracts import Kind
from finer.kit.hashing import hash_strings

Array = np.ndarray[Any, np.dtype[Any]]
_NO_PLACES = np.zeros(1, np.int32)
_TEXT = pa.string()
Native = Callable[[FieldPlan, Array | None, int, Array], pa.Array]
"""Makes the column of a field from values that are no text: (field, exponents, received, bad) -> array."""


@dataclass
class Cells:
    """Where the values of n records stand in `data`: `starts` and `sizes` are (slots, n), the masks int64[n].

    Bit s of `present` says that slot s has a value, of `bare` that it is a word without quotes (number, true, false).
    `texts` says that the source writes everything as text.
    """

    data: Array
    starts: Array
    sizes: Array
    present: Array
    bare: Array
    texts: bool = False
    natives: dict[int, Native] = field(default_factory=dict)


def build_columns(plan: Plan, cells: Cells, rows: int, received_us: int, bad: Array) -> list[pa.Array]:
    """One Arrow array per field, in order. Sets `bad` for every record that the slow path has to look at."""
    arrays: list[pa.Array] = [None] * len(plan.fields)
    anywhere = int(np.bitwise_or.reduce(cells.present[:rows])) if rows else 0
    exponents: dict[int, Array] = {}
    texts = _texts(plan, cells, rows, anywhere, bad)
    for i in plan.order:
        item = plan.fields[i]
        scale = None
        if item.currency >= 0:
            scale = exponents.get(item.currency)
            if scale is None:
                scale = exponents[item.currency] = _exponents(arrays[item.currency], rows, bad)
        if item.slot in cells.natives:
            arrays[i] = cells.natives[item.slot](item, scale, received_us, bad)
        elif i in texts:
            arrays[i] = texts[i]
        elif _absent(item, anywhere):
            arrays[i] = pa.nulls(rows, item.arrow)
        else:
            arrays[i] = _typed(item, cells, rows, scale, received_us, bad)
    return arrays


def _absent(item: FieldPlan, anywhere: int) -> bool:
    """Whether no record has a value for the field, and none is needed."""
    return not item.required and item.field.default is None and not item.slots & anywhere


def _exponents(currency: pa.Array, rows: int, bad: Array) -> Array:
    _, offsets, data = currency.buffers()
    out = np.empty(rows, np.int8)
    if offsets is None or rows == 0:
        out[:] = 2
        return out
    texts = np.frombuffer(data, np.uint8) if data is not None and data.size else NO_TEXT
    kernels.currency_exponents(np.frombuffer(offsets, np.int32), texts, EXPONENT_TABLE, out, bad)
    return out


def _texts(plan: Plan, cells: Cells, rows: int, anywhere: int, bad: Array) -> dict[int, pa.Array]:
    """The text fields that stand in bytes, by their places in the plan."""
    chosen = [
        place
        for place, i in enumerate(plan.text_fields)
        if plan.fields[i].slot not in cells.natives and not _absent(plan.fields[i], anywhere)
    ]
    if not chosen:
        return {}
    known = plan.texts
    if len(chosen) < len(plan.text_fields):
        known = text_kernels.Texts(known.places[chosen], known.bytes, known.sizes)
    data = np.empty(text_kernels.text_room(cells.sizes, cells.present, known.places), np.uint8)
    offsets = np.empty((len(chosen), rows + 1), np.int32)
    valid, counts = np.empty((len(chosen), rows), np.bool_), np.empty((len(chosen), 2), np.int64)
    text_kernels.text_columns(
        cells.data, cells.starts, cells.sizes, cells.present, cells.bare, cells.texts, known, data, offsets, valid,
        counts, bad,
    )  # fmt: skip
    found, begin = {}, 0
    for row, (place, (size, nulls)) in enumerate(zip(chosen, counts.tolist(), strict=True)):
        buffers = [bitmap(valid[row], nulls), pa.py_buffer(offsets[row]), pa.py_buffer(data[begin : begin + size])]
        array = pa.Array.from_buffers(_TEXT, rows, buffers, nulls)
        begin += size
        item = plan.fields[plan.text_fields[place]]
        if item.slow_pattern:
            _check_pattern(str(item.field.pattern), array, bad)
        found[plan.text_fields[place]] = array
    return found


def _check_pattern(pattern: str, array: pa.Array, bad: Array) -> None:
    """Patterns outside the byte programs: RE2 over the column. Bad bytes may be in it, so it looks at binary."""
    found = pa.compute.match_substring_regex(array.cast(pa.binary()), anchored(pattern))
    bad |= np.asarray(pa.compute.fill_null(pa.compute.invert(found), False)).astype(np.uint8)


def bitmap(valid: Array, nulls: int) -> pa.Buffer | None:
    """Arrow's validity of a column; None when there are no nulls."""
    return pa.py_buffer(np.packbits(valid, bitorder="little")) if nulls else None


def numeric(kind: pa.DataType, values: Array, valid: Array, nulls: int) -> pa.Array:
    """An Arrow array over NumPy values, without a copy."""
    if pa.types.is_boolean(kind):
        return pa.array(values, mask=~valid if nulls else None)
    return pa.Array.from_buffers(kind, len(values), [bitmap(valid, nulls), pa.py_buffer(values)], nulls)


def _typed(item: FieldPlan, cells: Cells, rows: int, scale: Array | None, received_us: int, bad: Array) -> pa.Array:
    slot = item.slot
    starts, sizes = cells.starts[slot], cells.sizes[slot]
    valid = np.empty(rows, np.bool_)
    where = (cells.data, starts, sizes, cells.present, slot)
    kind = item.field.kind
    out: Array
    if kind is Kind.MONEY:
        out = np.empty(rows, np.int64)
        nulls = kernels.money_column(*where, item.required, scale, item.lows, item.highs, out, valid, bad)
    elif kind is Kind.INTEGER:
        out = np.empty(rows, np.int64)
        nulls = kernels.integer_column(
            *where, cells.bare, cells.texts, item.required, item.low, item.high, out, valid, bad
        )
    elif kind is Kind.NUMBER:
        out = np.empty(rows, np.float64)
        nulls = kernels.number_column(
            *where, cells.bare, cells.texts, item.required, item.low, item.high, POWERS, out, valid, bad
        )
    elif kind is Kind.BOOLEAN:
        out = np.empty(rows, np.bool_)
        nulls = kernels.boolean_column(
            cells.data, starts, cells.present, slot, cells.bare, item.required, out, valid, bad
        )
    elif kind is Kind.DATE:
        out = np.empty(rows, np.int32)
        nulls = time_kernels.date_column(*where, cells.bare, item.required, item.low, item.high, out, valid, bad)
    else:
        out = np.empty(rows, np.int64)
        date, time = item.date_slot, item.time_slot
        apart = date >= 0
        nulls = time_kernels.timestamp_column(
            *where, cells.bare,
            cells.starts[date] if apart else _NO_PLACES, cells.sizes[date] if apart else _NO_PLACES, date,
            cells.starts[time] if apart else _NO_PLACES, cells.sizes[time] if apart else _NO_PLACES, time,
            item.required, item.field.default is not None, received_us,
            item.field.local, item.low, timestamp_high(item, received_us),
            out, valid, bad,
        )  # fmt: skip
    return numeric(item.arrow, out, valid, nulls)


_CONTENT_SEEDS = (np.uint64(0x243F6A8885A308D3), np.uint64(0x13198A2E03707344))


def event_hash(plan: Plan, arrays: list[pa.Array], rows: int) -> list[str]:
    """`auto-` and 32 hex digits of the content of every record: all fields but the event id itself."""
    halves = [np.full(rows, seed, np.uint64) for seed in _CONTENT_SEEDS]
    for i, array in enumerate(arrays):
        if i == plan.event_id:
            continue
        hashes = column_hash(array)
        halves = [kernels.fold(half, hashes) for half in halves]
    return [f"auto-{int(a):016x}{int(b):016x}" for a, b in zip(*halves, strict=True)]


def column_hash(array: pa.Array) -> Array:
    """A stable hash of every value of a column, uint64; null is 0."""
    if pa.types.is_string(array.type):
        return hash_strings(array)
    bits = _words(array)
    out: Array = kernels.spread(bits)
    if array.null_count:
        out[np.asarray(array.is_null())] = 0
    return out


def _words(array: pa.Array) -> Array:
    """The values of a fixed-width column as unsigned words."""
    if pa.types.is_boolean(array.type):
        return np.asarray(array.fill_null(False)).astype(np.uint64)
    if array.type.bit_width == 64 and not array.null_count:
        return np.frombuffer(array.buffers()[1], np.uint64, len(array), 8 * array.offset)
    width = pa.int32() if pa.types.is_date32(array.type) else pa.int64()
    whole = array.view(width)
    words: Array = np.asarray(whole.fill_null(0) if whole.null_count else whole)
    return words.astype(np.int64).view(np.uint64)
