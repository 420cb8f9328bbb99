"""Find the cells of CSV records in bytes (RFC 4180, comma, double quotes; numba).

Odd records are marked, not judged: a doubled quote inside a cell, a cell with text behind its closing quote, more or
fewer cells than the header has. The slow path looks at those.
"""

from __future__ import annotations

import numba as nb
import numpy as np

_QUOTE, _COMMA, _LF, _CR = 34, 44, 10, 13


@nb.njit(cache=True, nogil=True)
def scan_cells(b, position, line, last, slots, starts, sizes, present, odd, spans, lines, cells):
    """Scan records from `position` until the arrays are full or the bytes end; `slots[c]` is the slot of column c or -1.

    Returns rows, the next position and the next line. Without `last`, a record that is not ended by a line break is
    left for later: more of it may come. `cells[row]` is how many cells were found.
    """
    n = len(b)
    rows = 0
    while position < n and rows < len(odd):
        first = position
        i = position
        here = np.int64(0)
        column = 0
        strange = False
        breaks = 0
        ended = False
        while not ended:
            slot = slots[column] if column < len(slots) else -1
            if i < n and b[i] == _QUOTE:
                i += 1
                start = i
                closed = False
                while i < n:
                    if b[i] == _QUOTE:
                        if i + 1 < n and b[i + 1] == _QUOTE:
                            strange = True
                            i += 2
                            continue
                        closed = True
                        break
                    if b[i] == _LF:
                        breaks += 1
                    i += 1
                size = i - start
                if closed:
                    i += 1
                else:
                    strange = True
                if i < n and b[i] != _COMMA and b[i] != _LF and b[i] != _CR:
                    strange = True
                    while i < n and b[i] != _COMMA and b[i] != _LF:
                        i += 1
            else:
                start = i
                while i < n and b[i] != _COMMA and b[i] != _LF:
                    i += 1
                size = i - start
                if (i >= n or b[i] == _LF) and size > 0 and b[i - 1] == _CR:
                    size -= 1
            if slot >= 0 and size > 0:
                starts[slot, rows] = start
                sizes[slot, rows] = size
                here |= np.int64(1) << slot
            column += 1
            if i < n and b[i] == _CR and (i + 1 >= n or b[i + 1] == _LF):
                i += 1
            if i >= n:
                ended = True
            elif b[i] == _COMMA:
                i += 1
            elif b[i] == _LF:
                ended = True
            else:
                strange = True
                while i < n and b[i] != _COMMA and b[i] != _LF:
                    i += 1
                if i < n and b[i] == _COMMA:
                    i += 1
                else:
                    ended = True
        if i >= n and not last:
            return rows, first, line
        end = i
        if end > first and b[end - 1] == _CR:
            end -= 1
        position = min(i + 1, n)
        if end == first:
            line += 1
            continue
        spans[rows, 0] = first
        spans[rows, 1] = end
        lines[rows] = line
        cells[rows] = column
        odd[rows] = 1 if strange or column != len(slots) else 0
        present[rows] = 0 if odd[rows] else here
        line += 1 + breaks
        rows += 1
    return rows, position, line
