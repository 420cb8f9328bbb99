r"""Texts that are written with escapes, as the texts that they stand for (numba).

Many JSON libraries write every letter beyond ASCII as \uXXXX, a slash as \/ or an ampersand as \u0026 unless they are
told not to. Such a record is one for the slow path, which takes some fifty times as long. So what an escape stands for
is put in its place before anything is looked at (RFC 8259, section 7: both mean the same), for all that may stand in a
text as it is. Control characters, quotes, backslashes and halves of surrogate pairs stay as they came.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from finer.ingest.rules.columns import Array

_LINE_FEED, _QUOTE, _SLASH, _BACKSLASH, _U = 10, 34, 47, 92, 117


def without_escapes(data: bytes, ends: Array) -> tuple[bytes, Array]:
    """JSON, and where its parts end (int64, behind line feeds or at its end), with texts as they are read."""
    if b"\\" not in data:  # one byte is looked for at a hundred times the speed of two
        return data, ends
    out, new_ends = np.empty(len(data), np.uint8), np.empty_like(ends)
    kernel: Any = _unescape  # numba's own annotations count no arguments
    size = kernel(np.frombuffer(data, np.uint8), ends, out, new_ends)
    return out[:size].tobytes(), new_ends


@nb.njit(cache=True, nogil=True)
def _unescape(data: Any, ends: Any, out: Any, new_ends: Any) -> Any:
    size = len(data)
    # A plain 0 would be a type of its own, for which all that takes it is compiled once more.
    read = written = np.int64(0)
    part = 0
    inside = False
    while read < size:
        while part < len(ends) and ends[part] <= read:
            new_ends[part] = written
            part += 1
        c = data[read]
        if c == _LINE_FEED:
            inside = False  # in no text, so a broken record leaves the next one alone
        elif c == _QUOTE:
            inside = not inside
        elif c == _BACKSLASH and inside and read + 1 < size and data[read + 1] != _LINE_FEED:
            d = data[read + 1]
            taken, code = 2, -1
            if d == _SLASH:
                code = _SLASH
            elif d == _U:
                taken, code = _code_point(data, read, size)
            if code < 0:
                # As it came, and both bytes of it: the quote of an escape ends no text.
                out[written], out[written + 1] = c, d
                written += 2
                read += 2
            else:
                written = _encode(code, out, written)
                read += taken
            continue
        out[written] = c
        written += 1
        read += 1
    while part < len(ends):
        new_ends[part] = written
        part += 1
    return written


@nb.njit(cache=True, nogil=True)
def _code_point(data: Any, at: Any, size: Any) -> Any:
    """Bytes and code point of the escape that begins at `at`; the code point is -1 for one that has to stay."""
    code = _hexadecimal(data, at + 2, size)
    if 0xD800 <= code < 0xDC00:
        if at + 7 < size and data[at + 6] == _BACKSLASH and data[at + 7] == _U:
            low = _hexadecimal(data, at + 8, size)
            if 0xDC00 <= low < 0xE000:
                return 12, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
        return 2, -1
    if code < 32 or code == _QUOTE or code == _BACKSLASH or 0xDC00 <= code < 0xE000:
        return 2, -1
    return 6, code


@nb.njit(cache=True, nogil=True)
def _hexadecimal(data: Any, at: Any, size: Any) -> Any:
    """The number of four digits; -1 where there are none."""
    if at + 4 > size:
        return -1
    value = 0
    for i in range(at, at + 4):
        c = data[i]
        if 48 <= c <= 57:
            digit = c - 48
        elif 65 <= c <= 70 or 97 <= c <= 102:
            digit = (c | 32) - 87
        else:
            return -1
        value = value * 16 + digit
    return value


@nb.njit(cache=True, nogil=True)
def _encode(code: Any, out: Any, at: Any) -> Any:
    """Write a code point as UTF-8, which is never longer than its escape; where the next byte goes."""
    if code < 0x80:
        out[at] = code
        return at + 1
    if code < 0x800:
        out[at] = 0xC0 | code >> 6
        out[at + 1] = 0x80 | code & 63
        return at + 2
    if code < 0x10000:
        out[at] = 0xE0 | code >> 12
        out[at + 1] = 0x80 | code >> 6 & 63
        out[at + 2] = 0x80 | code & 63
        return at + 3
    out[at] = 0xF0 | code >> 18
    out[at + 1] = 0x80 | code >> 12 & 63
    out[at + 2] = 0x80 | code >> 6 & 63
    out[at + 3] = 0x80 | code & 63
    return at + 4
