"""Parquet and Arrow IPC: columns of other types to columns of the contract, row by row where they do not fit."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from finer.ingest.errors import UnreadableBody
from finer.ingest.rules.check import Block, Decoded
from finer.ingest.rules.columns import Array, Cells, Native, numeric
from finer.ingest.rules.money_kernels import minor_units_of_floats
from finer.ingest.rules.plan import FieldPlan, Plan
from finer.ingest.rules.record import NESTED, Number, Token, show, timestamp_high
from finer.ingest.rules.sent_texts import keep_texts
from finer.ingest.rules.table_batches import Decode, shares_bytes, too_large
from finer.ingest.types.contracts import Kind
from finer.ingest.types.records import FieldError

_INT_SAFE = 10**17
_DAY = 86_400_000_000


def arrow_body(plan: Plan, kind: str, data: bytes, bytes_max: int, decode: Decode) -> Iterator[Block]:
    """Blocks of a whole Parquet or Arrow IPC body.

    Raises UnreadableBody when it is none, TooLarge when its values take more than `bytes_max` bytes.
    """
    batches, size = [], 0
    for batch, batch_bytes in decode(kind, io.BytesIO(data), bytes_max):
        # All of it is measured before any of it is checked: others wait for the thread that does this.
        size += batch_bytes
        if size > bytes_max:
            raise too_large(bytes_max)
        batches.append(batch)
    first = 1
    for batch in batches:
        yield batch_block(plan, batch, batch, first)
        first += batch.num_rows


def batch_block(plan: Plan, batch: pa.RecordBatch, source: pa.RecordBatch, first: int) -> Block:
    """A block over columns named like the contract's fields. `source` is what refused records are shown as."""
    rows = batch.num_rows
    parts: list[Array] = []
    starts = np.zeros((plan.slots, rows), np.int32)
    sizes = np.zeros((plan.slots, rows), np.int32)
    present = np.zeros(rows, np.int64)
    odd = np.zeros(rows, np.uint8)
    natives: dict[int, Native] = {}
    columns: dict[int, pa.Array] = {}
    texts: dict[int, pa.Array] = {}
    names: dict[int, str] = {}
    base = 0
    for name, sent in zip(batch.schema.names, batch.columns, strict=True):
        slot = plan.slot_of.get(name)
        if slot is None:
            continue
        if slot in names:
            raise UnreadableBody(f"The columns {names[slot]!r} and {name!r} are the same field.")
        names[slot] = name
        column = columns[slot] = _plain(sent)
        text = _as_text(plan, slot, column)
        if text is None:
            natives[slot] = _native(column)
            continue
        texts[slot] = text
        if pa.types.is_integer(column.type):
            # Digits stand for a name; a sign does not.
            odd |= np.asarray(pc.fill_null(pc.less(column, 0), False)).astype(np.uint8)
    kept = keep_texts(plan, texts, odd)
    natives |= kept
    sources = {item.source for item in plan.fields if item.slot not in kept}
    for slot, text in texts.items():
        if slot not in kept or slot in sources:
            base = _place_text(text, slot, parts, base, starts, sizes, present, odd)
    data = np.concatenate(parts) if parts else np.zeros(1, np.uint8)
    data.flags.writeable = False  # As bytes that were sent are: the kernels are compiled for one kind of array.
    cells = Cells(data, starts, sizes, present, np.zeros(rows, np.int64), natives=natives)
    unknown = [(0, 0, show(name)) for name in batch.schema.names if name not in plan.slot_of][:10]

    def raw(i: int) -> bytes:
        names = source.schema.names
        row = {name: _raw_value(column, i) for name, column in zip(names, source.columns, strict=True)}
        return msgspec.json.encode(row, enc_hook=show)

    return Block(
        rows=rows,
        cells=cells,
        odd=odd,
        lines=np.arange(first, first + rows),
        owners=np.zeros(rows, np.int32),
        raw=raw,
        decode=lambda i: _decode(plan, columns, i),
        unknown=unknown,
    )


def _raw_value(column: pa.Array, i: int) -> Any:
    """A value for the record as it was sent, whatever it is."""
    if shares_bytes(column.type) and not pa.types.is_dictionary(column.type):
        return f"a {column.type}"
    try:
        value = column[i].as_py()
    except UnicodeDecodeError:
        return column.slice(i, 1).view(pa.binary())[0].as_py().decode("utf-8", "backslashreplace")
    except (ValueError, OverflowError):
        return _moment(column, i, False) if pa.types.is_timestamp(column.type) else f"a {column.type}"
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _plain(column: pa.Array) -> pa.Array:
    """Dictionaries unpacked, nanoseconds and other units of time as microseconds where nothing is lost."""
    if pa.types.is_dictionary(column.type):
        values = column.dictionary
        if pa.types.is_string_view(values.type):
            values = values.cast(pa.string())
        column = pa.DictionaryArray.from_arrays(column.indices, values).dictionary_decode()
    if pa.types.is_timestamp(column.type) and column.type.unit != "us":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    if pa.types.is_date64(column.type):
        column = column.cast(pa.date32())
    return column


def _as_text(plan: Plan, slot: int, column: pa.Array) -> pa.Array | None:
    """The column as text, if it is text or becomes a text field's text; None when its values speak for themselves."""
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return column.cast(pa.binary())
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string())
    is_field = slot < len(plan.fields)
    if is_field and plan.fields[slot].field.from_number and pa.types.is_integer(kind):
        return column.cast(pa.string())
    return None


def _place_text(
    text: pa.Array, slot: int, parts: list[Array], base: int, starts: Array, sizes: Array, present: Array, odd: Array
) -> int:
    """Append the bytes of a text column to the others', and note where its values stand. Returns the new end."""
    _, offsets, data = text.buffers()
    if offsets is None or len(text) == 0:
        return base
    places = np.frombuffer(offsets, np.int32)[text.offset : text.offset + len(text) + 1]
    low, high = int(places[0]), int(places[-1])
    values = np.frombuffer(data, np.uint8)[low:high] if data is not None and high > low else np.zeros(0, np.uint8)
    parts.append(values)
    starts[slot] = places[:-1] - low + base
    sizes[slot] = np.diff(places)
    has = sizes[slot] > 0
    if text.null_count:
        has &= np.asarray(text.is_valid())
    present |= has.astype(np.int64) << slot
    if len(values) and int(values.max()) > 127:
        _mark_broken(text, odd)
    return base + len(values)


def _mark_broken(text: pa.Array, odd: Array) -> None:
    """Mark the rows whose text is not valid UTF-8; foreign writers do not always check."""
    view = text.cast(pa.binary()) if pa.types.is_string(text.type) else text
    try:
        view.cast(pa.string())
    except pa.ArrowInvalid:
        for i, value in enumerate(view.to_pylist()):
            if value is not None and not _is_text(value):
                odd[i] = 1


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _native(column: pa.Array) -> Native:
    def build(item: FieldPlan, scale: Array | None, received_us: int, bad: Array) -> pa.Array:
        rows = len(column)
        valid = np.asarray(column.is_valid()) if column.null_count else np.ones(rows, np.bool_)
        if item.required:
            bad[~valid] = 1
        if item.field.default is not None or item.source >= 0:
            bad[~valid] = 1
        if item.field.kind is Kind.STRING:
            # Neither text nor whole numbers that become one: the slow path says of each what is wrong with it.
            bad[valid] = 1
            return pa.nulls(rows, item.arrow)
        values, wrong = _convert(column, item, scale, received_us)
        bad[wrong & valid] = 1
        values = np.where(valid, values, np.zeros(1, values.dtype))
        return numeric(item.arrow, np.ascontiguousarray(values), valid, int(rows - valid.sum()))

    return build


def _convert(column: pa.Array, item: FieldPlan, scale: Array | None, received_us: int) -> tuple[Array, Array]:
    """The values in the field's own unit, and which of them the slow path has to look at."""
    kind, rows = item.field.kind, len(column)
    dtype = {Kind.NUMBER: np.float64, Kind.BOOLEAN: np.bool_, Kind.DATE: np.int32}.get(kind, np.int64)
    nothing: tuple[Array, Array] = np.zeros(rows, dtype), np.ones(rows, np.bool_)
    source = column.type
    if kind is Kind.MONEY and scale is not None:
        return _money(column, item, scale) or nothing
    if kind is Kind.BOOLEAN and pa.types.is_boolean(source):
        return np.asarray(column.fill_null(False)), np.zeros(rows, np.bool_)
    if kind in (Kind.TIMESTAMP, Kind.DATE):
        return _times(column, item, received_us) or nothing
    if kind not in (Kind.INTEGER, Kind.NUMBER) or pa.types.is_boolean(source):
        return nothing
    if pa.types.is_integer(source) or pa.types.is_floating(source):
        found = np.asarray(column.fill_null(0) if column.null_count else column)
        with np.errstate(invalid="ignore", over="ignore"):
            values: Array = found.astype(dtype)
            exact = values == found if kind is Kind.INTEGER else np.isfinite(values)
            if kind is Kind.INTEGER:
                exact &= np.abs(found.astype(np.float64)) < _INT_SAFE
            return values, ~(exact & (values >= item.low) & (values <= item.high))
    return nothing


def _money(column: pa.Array, item: FieldPlan, scale: Array) -> tuple[Array, Array] | None:
    values: Array
    source = column.type
    if pa.types.is_float64(source):
        found = np.asarray(column.fill_null(0.0) if column.null_count else column)
        values, wrong = np.empty(len(found), np.int64), np.empty(len(found), np.bool_)
        minor_units_of_floats(found, scale, item.lows, item.highs, values, wrong)
        return values, wrong
    if pa.types.is_decimal128(source):
        values, wrong = _decimals(column, scale)
    elif pa.types.is_integer(source):
        found = np.asarray(column.fill_null(0))
        inside = np.abs(found.astype(np.float64)) < _INT_SAFE / 10_000
        values = np.where(inside, found, 0).astype(np.int64) * 10 ** scale.astype(np.int64)
        wrong = ~inside
    else:
        return None
    return values, wrong | (values < item.lows[scale]) | (values > item.highs[scale])


def _decimals(column: pa.Array, scale: Array) -> tuple[Array, Array]:
    """Minor units of 128-bit decimals; wrong where the value has more decimals or digits than can be kept."""
    words = np.frombuffer(column.buffers()[1], np.int64).reshape(-1, 2)[column.offset : column.offset + len(column)]
    low, high = words[:, 0], words[:, 1]
    wrong = (high != low >> 63) | (np.abs(low.astype(np.float64)) >= _INT_SAFE)
    places = scale.astype(np.int64) - column.type.scale
    wrong |= (places > 4) | (places < -18)
    up, down = 10 ** np.clip(places, 0, 4), 10 ** np.clip(-places, 0, 18)
    values = np.where(wrong, 0, low)
    wrong |= (values % down != 0) | (np.abs(values.astype(np.float64)) * up >= _INT_SAFE)
    return np.where(wrong, 0, values // down * up), wrong


def _times(column: pa.Array, item: FieldPlan, received_us: int) -> tuple[Array, Array] | None:
    source = column.type
    if item.field.kind is Kind.DATE and pa.types.is_date32(source):
        days = np.asarray(column.view(pa.int32()).fill_null(0))
        return days, (days < item.low) | (days > item.high)
    if not pa.types.is_timestamp(source):
        return None
    values = np.asarray(column.view(pa.int64()).fill_null(0))
    if item.field.kind is Kind.DATE:
        days = (values // _DAY).astype(np.int32)
        return days, (values % _DAY != 0) | (days < item.low) | (days > item.high)
    return values, (values < item.low) | (values > timestamp_high(item, received_us))


def _decode(plan: Plan, columns: dict[int, pa.Array], i: int) -> Decoded:
    tokens: dict[int, Token] = {}
    errors = []
    for slot, column in columns.items():
        is_date = slot < len(plan.fields) and plan.fields[slot].field.kind is Kind.DATE
        try:
            tokens[slot] = _token(column, i, is_date)
        except UnicodeDecodeError as error:
            reason = f"{plan.slot_names[slot]} is not valid UTF-8: its byte {error.start + 1} is wrong."
            errors.append(FieldError(plan.slot_names[slot], "invalid_utf8", "", reason))
    return Decoded(tokens, errors)


def _token(column: pa.Array, i: int, is_date: bool) -> Token:
    kind = column.type
    if pa.types.is_timestamp(kind):
        return _moment(column, i, is_date)
    readable = column.slice(i, 1).view(pa.binary()) if pa.types.is_string(kind) else column.slice(i, 1)
    value = readable[0].as_py()
    if isinstance(value, bytes):
        return value.decode()
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Decimal):
        return Number(format(value, "f"))
    if isinstance(value, int | float):
        return Number(repr(value))
    if isinstance(value, date):
        return value.isoformat()
    return NESTED


def _moment(column: pa.Array, i: int, is_date: bool) -> Token:
    value = column.view(pa.int64())[i].as_py()
    if value is None:
        return None
    try:
        moment = datetime.fromtimestamp(value // 1_000_000, UTC).replace(microsecond=value % 1_000_000)
    except (ValueError, OverflowError):
        return f"{value} microseconds after 1970"
    if is_date and value % _DAY == 0:
        return moment.date().isoformat()
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def unify(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with dictionaries unpacked, for expressions over it."""
    return pa.RecordBatch.from_arrays([_plain(column) for column in batch.columns], names=batch.schema.names)
