"""Find the cells of CSV records in bytes (RFC 4180, comma, double quotes; numba).

Odd records are marked, not judged: a doubled quote inside a cell, a cell with text behind its closing quote, more or
fewer cells than the header has. The slow path looks at those.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from finer.ingest.rules.scan_json import Places
from finer.kit.pointers import pointer

_QUOTE, _COMMA, _LF, _CR = 34, 44, 10, 13


@nb.njit(cache=True, nogil=True)
def _separator(b: Any, i: Any, n: Any) -> Any:
    """The next comma or line feed from i on, or n."""
    while i < n and b[i] != _COMMA and b[i] != _LF:
        i += 1
    return i


@nb.njit(cache=True, nogil=True)
def _quoted(b: Any, i: Any, n: Any) -> Any:
    """The cell whose opening quote is at i: (size, place of its separator, whether it is odd, line breaks inside)."""
    start = i + 1
    i = start
    strange = False
    breaks = 0
    while i < n:
        if b[i] == _QUOTE:
            if i + 1 >= n or b[i + 1] != _QUOTE:
                break
            strange = True
            i += 1
        elif b[i] == _LF:
            breaks += 1
        i += 1
    size = i - start
    behind = _separator(b, i + 1, n)
    # Between the closing quote and the separator nothing may stand but the carriage return of the line's end.
    inside = behind - (i + 1)
    ends_line = behind >= n or b[min(behind, n - 1)] == _LF
    allowed = 1 if ends_line and inside == 1 and b[i + 1] == _CR else 0
    return size, behind, strange or i >= n or inside > allowed, breaks


@nb.njit(cache=True, nogil=True)
def _plain(b: Any, i: Any, n: Any) -> Any:
    """The cell without quotes at i: (size, place of its separator)."""
    behind = _separator(b, i, n)
    size = behind - i
    if size > 0 and b[behind - 1] == _CR and (behind >= n or b[behind] == _LF):
        size -= 1
    return size, behind


@nb.njit(cache=True, nogil=True)
def _record(b: Any, i: Any, n: Any, slots: Any, columns_expected: Any, row: Any, places: Any) -> Any:
    """The record at i: (place of its end, whether it is odd, line breaks inside)."""
    here = np.int64(0)
    columns = 0
    strange = False
    breaks = 0
    while True:
        if i < n and b[i] == _QUOTE:
            start = i + 1
            size, i, odd, inside = _quoted(b, i, n)
            strange |= odd
            breaks += inside
        else:
            start = i
            size, i = _plain(b, i, n)
        slot = slots[columns] if columns < columns_expected else -1
        if slot >= 0 and size > 0:
            places.starts[slot * places.room + row] = start
            places.sizes[slot * places.room + row] = size
            here |= np.int64(1) << slot
        columns += 1
        if i >= n or b[i] == _LF:
            break
        i += 1
    strange |= columns != columns_expected
    places.present[row] = 0 if strange else here
    places.bare[row] = 0
    return min(i, n), strange, breaks


@nb.njit(cache=True, nogil=True)
def scan_cells(b: Any, position: Any, line: Any, last: Any, slots: Any, places: Any, odd: Any, spans: Any,
               lines: Any) -> Any:  # fmt: skip
    """Scan records from `position` until the arrays are full or the bytes end; `slots[c]` is column c's slot or -1.

    Returns rows, the next position and the next line. Without `last`, a record that is not ended by a line break is
    left for later: more of it may come.
    """
    n = len(b)
    rows = np.int64(0)  # A plain 0 would be a type of its own, and `_record` compiled twice.
    bytes_, slots_ = pointer(b), pointer(slots)
    places_ = Places(
        pointer(places.starts), pointer(places.sizes), pointer(places.present), pointer(places.bare), places.room
    )
    while position < n and rows < len(odd):
        end, strange, breaks = _record(bytes_, position, n, slots_, len(slots), rows, places_)
        if end >= n and not last:
            break
        following = min(end + 1, n)
        if end > position and b[end - 1] == _CR:
            end -= 1
        if end > position:
            spans[rows, 0] = position
            spans[rows, 1] = end
            lines[rows] = line
            odd[rows] = 1 if strange else 0
            rows += 1
        line += 1 + breaks
        position = following
    return rows, position, line
