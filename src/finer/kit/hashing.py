"""A stable 64-bit hash of text, for partitions, state keys and deduplication.

The value of a text never changes between versions, machines or runs: snapshots and partitions depend on it, so
neither Python's, Polars' nor DuckDB's hash would do. Eight bytes are mixed at a time by the finaliser of
SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014). 0 means "no value".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numba as nb
import numpy as np
import pyarrow as pa

from finer.kit.pointers import int32_at, uint8_at

_SEED = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31 = np.uint64(27), np.uint64(30), np.uint64(31)
_WORD = 2**64 - 1


@nb.njit(cache=True, nogil=True, inline="always")
def mix(x: np.uint64) -> np.uint64:
    """The SplitMix64 finaliser: a bijection of 64-bit words that spreads every input bit over all output bits."""
    x = (x ^ (x >> _S30)) * _M1
    x = (x ^ (x >> _S27)) * _M2
    return x ^ (x >> _S31)


@nb.njit(cache=True, nogil=True, inline="always")
def _hash_bytes(data: Any, start: np.int64, end: np.int64) -> np.uint64:
    h = _SEED ^ np.uint64(end - start)
    j = start
    while j + 8 <= end:
        word = np.uint64(0)
        for k in range(8):
            word |= np.uint64(data[j + k]) << np.uint64(8 * k)
        h = mix(h ^ word)
        j += 8
    word = np.uint64(0)
    k = 0
    while j < end:
        word |= np.uint64(data[j]) << np.uint64(8 * k)
        j += 1
        k += 1
    h = mix(h ^ word ^ _SEED)
    return h if h != 0 else np.uint64(1)


@nb.njit(cache=True, nogil=True)
def _hash_strings(offsets: np.ndarray, data: np.ndarray, out: np.ndarray) -> None:
    for i in range(len(out)):
        out[i] = _hash_bytes(data, np.int64(offsets[i]), np.int64(offsets[i + 1]))


@nb.njit(cache=True, nogil=True)
def _hash_columns(places: np.ndarray, out: np.ndarray) -> None:
    """`places` int64 (columns, 4): addresses of offsets, bytes and validity (0: all valid), and the first row."""
    for c in range(len(out)):
        offsets, data, valid, first = (
            int32_at(places[c, 0]),
            uint8_at(places[c, 1]),
            uint8_at(places[c, 2]),
            places[c, 3],
        )
        known = places[c, 2] == 0
        for i in range(out.shape[1]):
            at = first + i
            if known or (valid[at >> 3] >> np.uint8(at & 7)) & np.uint8(1):
                out[c, i] = _hash_bytes(data, np.int64(offsets[at]), np.int64(offsets[at + 1]))
            else:
                out[c, i] = np.uint64(0)


@nb.njit(cache=True, nogil=True)
def _combine(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    for i in range(len(out)):
        h = mix(a[i] * _M1 ^ mix(b[i] ^ _SEED))
        out[i] = h if h != 0 else np.uint64(1)


def _buffers(array: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    _, offsets, data = array.buffers()
    view = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    return view, np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)


def hash_strings(array: pa.Array) -> np.ndarray:
    """Hashes of a string or binary Arrow array, shape (n,), uint64; a null hashes to 0 and no text does."""
    if not (pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)):
        only: np.ndarray = hash_columns([array])[0]
        return only
    out = np.empty(len(array), np.uint64)
    if len(array) == 0:
        return out
    _hash_strings(*_buffers(array), out)
    if array.null_count:
        out[np.asarray(array.is_null())] = 0
    return out


def hash_columns(arrays: Sequence[pa.Array]) -> np.ndarray:
    """`hash_strings` of several string arrays of one length, shape (arrays, n), uint64: one call instead of many."""
    rows = len(arrays[0]) if arrays else 0
    out = np.zeros((len(arrays), rows), np.uint64)
    if rows == 0:
        return out  # what is empty may have no type, and so no buffers
    places = np.zeros((len(arrays), 4), np.int64)
    for index, array in enumerate(arrays):
        valid, offsets, data = array.buffers()
        places[index] = _address(offsets), _address(data), _address(valid) if array.null_count else 0, array.offset
    _hash_columns(places, out)
    return out


def _address(buffer: pa.Buffer | None) -> int:
    # An array of empty texts may have no bytes at all; none are read then.
    return 0 if buffer is None else buffer.address


@lru_cache(maxsize=1024)
def hash_text(text: str) -> int:
    """The same hash of one text.

    In plain Python: conditions are parsed by processes that hash nothing else, and what numba loads at its first call
    takes a quarter of a second.
    """
    data, h = text.encode(), int(_SEED)
    h ^= len(data)
    whole = len(data) & ~7
    for at in range(0, whole, 8):
        h = _mixed(h ^ int.from_bytes(data[at : at + 8], "little"))
    return _mixed(h ^ int.from_bytes(data[whole:], "little") ^ int(_SEED)) or 1


def _mixed(x: int) -> int:
    """`mix` of one word."""
    x = ((x ^ (x >> 30)) * int(_M1)) & _WORD
    x = ((x ^ (x >> 27)) * int(_M2)) & _WORD
    return x ^ (x >> 31)


def combine_hashes(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One hash for pairs of hashes, shape (n,), uint64, never 0; the order of the two matters."""
    out = np.empty(len(a), np.uint64)
    _combine(np.ascontiguousarray(a), np.ascontiguousarray(b), out)
    return out
