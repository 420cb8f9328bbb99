"""Text columns of Parquet and Arrow that stay as they were sent: checked where they stand, not written anew."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from finer.ingest.rules import text_kernels
from finer.ingest.rules.columns import Array, Native, bitmap
from finer.ingest.rules.plan import FieldPlan, Plan
from finer.ingest.types.contracts import Kind

# Read-only like every view of an Arrow buffer: numba compiles a kernel anew for arrays that may be written to.
_NO_BYTES = np.frombuffer(b"\0", np.uint8)
_ALL_VALID = np.zeros(0, np.bool_)


def keep_texts(plan: Plan, texts: dict[int, pa.Array], odd: Array) -> dict[int, Native]:
    """What makes the columns of those text fields that need no change, by slot; `texts` are columns by slot.

    Marks in `odd` the rows that the slow path has to look at. A column is left to be written anew when a text in it is
    empty (which counts as absent), is allowed in another case only, or is not valid UTF-8, and when absent values are
    filled in or taken from another field.
    """
    kept: dict[int, Native] = {}
    for item in plan.fields:
        array = texts.get(item.slot, texts.get(item.source))
        if array is None or not _may_stay(item, array, given=item.slot in texts):
            continue
        marks = np.zeros(len(odd), np.uint8)
        if _stays(item, array, marks):
            odd |= marks
            kept[item.slot] = _as_sent(array)
    return kept


def _may_stay(item: FieldPlan, array: pa.Array, *, given: bool) -> bool:
    if item.field.kind is not Kind.STRING or item.slow_pattern or array.buffers()[1] is None:
        return False
    filled = len(item.filling) > 0 or (given and item.source >= 0)
    return not (array.null_count and filled)


def _stays(item: FieldPlan, array: pa.Array, marks: Array) -> bool:
    _, offsets, data = array.buffers()
    places = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    texts = _NO_BYTES if data is None or data.size == 0 else np.frombuffer(data, np.uint8)
    used = texts[places[0] : places[-1]]
    plain = not len(used) or (int(used.max()) < 128 and int(used.min()) > 0)
    if not plain and not _is_utf8(array):
        return False
    valid = np.asarray(array.is_valid()) if array.null_count else _ALL_VALID
    return bool(
        text_kernels.text_stays(
            places, texts, valid, plain, item.required, item.text_rules, item.classes, item.allowed, marks
        )
    )


def _is_utf8(array: pa.Array) -> bool:
    """Whether all texts are valid UTF-8; foreign writers do not always check."""
    view = array.cast(pa.binary()) if pa.types.is_string(array.type) else array
    try:
        view.cast(pa.string())
    except pa.ArrowInvalid:
        return False
    return True


def _as_sent(array: pa.Array) -> Native:
    """The array as text, from the start of its buffers: what reads them need not know of slices."""
    valid, offsets, data = array.buffers()
    if array.offset:
        places = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
        offsets, data = pa.py_buffer(places - places[0]), data and data[int(places[0]) :]
        valid = bitmap(np.asarray(array.is_valid()), array.null_count)
    whole = pa.Array.from_buffers(pa.string(), len(array), [valid, offsets, data], array.null_count)
    return lambda *_: whole
