"""Where the state lives: aligned arrays, the index from key to place, and the counters of distinct values.

Both tables are open addressing with linear probing over pairs of 64-bit words, four pairs to a cache line. Key 0
marks a free pair. A key's home is given by its highest bits, so a table is in the order of its keys and doubling it
reads and writes from front to back. Access is random over hundreds of megabytes, so the loops that know their keys in
advance ask for the memory a few rows ahead.
"""

from __future__ import annotations

import contextlib
import mmap
from typing import Any

import numba as nb
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from finer.kit.hashing import mix
from finer.kit.pointers import pointer

Array = np.ndarray[Any, np.dtype[Any]]

_LINE, _HUGE = 64, 4 << 20
_AHEAD = 16
_ONE = np.uint64(1)
_SEED = np.uint64(0x9E3779B97F4A7C15)
_FOLD = np.uint64(0xBF58476D1CE4E5B9)


def aligned(words: int) -> Array:
    """Zeros, shape (words,), int64, from the beginning of a page. Memory that is never written is never occupied.

    Large arrays ask for huge pages: random access then rarely misses the address cache, and filling them costs a
    page fault per 2 MiB instead of per 4 KiB.
    """
    size = words * 8
    if size < _HUGE or not hasattr(mmap, "MADV_HUGEPAGE"):
        raw = np.zeros(words + _LINE // 8, np.int64)
        skip = (-raw.ctypes.data % _LINE) // 8
        return raw[skip : skip + words]
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    # A kernel without huge pages refuses the advice; the memory is as good, only slower.
    with contextlib.suppress(OSError):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, np.int64)


def _prefetch(_typing: Any, base: Any, _index: Any) -> Any:
    """Ask for the cache line of base[index], which is going to be read and written soon; `base` is a pointer."""

    def codegen(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        place = builder.bitcast(builder.gep(args[0], [args[1]]), byte)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        builder.call(function, [place, word(1), word(3), word(1)])
        return context.get_dummy_value()

    return types.void(base, types.intp), codegen


prefetch: Any = intrinsic(_prefetch)


@nb.njit(cache=True, nogil=True)
def begin_keys(hashes: Array, seed: np.uint64, out: Array) -> None:
    """Keys of the first column of an entity, shape (n,), uint64; tenants differ in `seed`; null is 0."""
    salt = mix(seed ^ _SEED)
    for i in range(len(hashes)):
        key = mix(hashes[i] ^ salt)
        out[i] = np.uint64(0) if hashes[i] == 0 else (key if key != 0 else _ONE)


@nb.njit(cache=True, nogil=True)
def extend_keys(hashes: Array, out: Array) -> None:
    """Mix a further column of the entity into its keys; a null makes the key null."""
    for i in range(len(hashes)):
        key = mix(out[i] * _FOLD ^ mix(hashes[i] ^ _SEED))
        out[i] = np.uint64(0) if hashes[i] == 0 or out[i] == 0 else (key if key != 0 else _ONE)


@nb.njit(nogil=True, inline="always")
def home_shift(words: int) -> np.uint64:
    """How far a key is shifted right to give its home in a table of `words` words (two to a pair)."""
    bits = 0
    while (words >> (bits + 2)) > 0:
        bits += 1
    return np.uint64(64 - bits)


@nb.njit(cache=True, nogil=True)
def find_places(index: Array, keys: Array, skip: Array, entities: int, rows: Array, blank: Array, out: Array) -> int:
    """The place of every key, -1 for null and skipped rows, shape (n,); unknown keys get the next place.

    A new place is a copy of `blank` in `rows`. Returns how many entities there are now. The caller has made room.
    """
    mask = np.uint64(len(index) // 2 - 1)
    shift = home_shift(len(index))
    n, width, masked = len(keys), len(blank), len(skip) > 0
    table = pointer(index)
    for i in range(n):
        if i + _AHEAD < n:
            prefetch(table, np.intp((keys[i + _AHEAD] >> shift) << _ONE))
        key = keys[i]
        if key == 0 or (masked and skip[i]):
            out[i] = -1
            continue
        at = key >> shift
        j = np.intp(at << _ONE)
        while table[j] != 0 and table[j] != key:
            at = (at + _ONE) & mask
            j = np.intp(at << _ONE)
        if table[j] == 0:
            table[j] = key
            table[j + 1] = np.uint64(entities)
            for k in range(width):
                rows[entities * width + k] = blank[k]
            entities += 1
        out[i] = table[j + 1]
    return entities


@nb.njit(cache=True, nogil=True)
def rehash(old: Array, new: Array) -> None:
    """Move every pair of a table into a larger empty one."""
    mask, shift = np.uint64(len(new) // 2 - 1), home_shift(len(new))
    for i in range(0, len(old), 2):
        key = old[i]
        if key != 0:
            at = key >> shift
            j = np.intp(at << _ONE)
            while new[j] != 0:
                at = (at + _ONE) & mask
                j = np.intp(at << _ONE)
            new[j] = key
            new[j + 1] = old[i + 1]


@nb.njit(nogil=True)
def _take_out(table: Any, shift: np.uint64, at: np.uint64) -> None:
    """Free the pair `at` and close the gap by moving later pairs of the same run back.

    So a table that lives long does not fill with tombstones.
    """
    mask = (~np.uint64(0)) >> shift
    free, seek = at, (at + _ONE) & mask
    while table[np.intp(seek << _ONE)] != 0:
        home = table[np.intp(seek << _ONE)] >> shift
        if ((seek - home) & mask) >= ((seek - free) & mask):
            table[np.intp(free << _ONE)] = table[np.intp(seek << _ONE)]
            table[np.intp(free << _ONE) + 1] = table[np.intp(seek << _ONE) + 1]
            free = seek
        seek = (seek + _ONE) & mask
    table[np.intp(free << _ONE)] = np.uint64(0)
    table[np.intp(free << _ONE) + 1] = np.uint64(0)


@nb.njit(nogil=True)
def count_reference(counters: Any, shift: np.uint64, key: np.uint64, sign: int) -> int:
    """Add one reference to a key (sign 1) or take one away (-1), in the table at the pointer `counters`.

    Returns 1 when the key appeared, -1 when it vanished, else 0.
    """
    at, mask = key >> shift, (~np.uint64(0)) >> shift
    j = np.intp(at << _ONE)
    while counters[j] != 0 and counters[j] != key:
        at = (at + _ONE) & mask
        j = np.intp(at << _ONE)
    if sign > 0:
        if counters[j] == 0:
            counters[j] = key
            counters[j + 1] = _ONE
            return 1
        counters[j + 1] += _ONE
        return 0
    if counters[j] == 0:
        return 0
    counters[j + 1] -= _ONE
    if counters[j + 1] != 0:
        return 0
    _take_out(counters, shift, at)
    return -1


@nb.njit(cache=True, nogil=True)
def remove_keys(index: Array, keys: Array) -> None:
    """Take keys out of the index, where they are in it; their places stay, and nobody finds them any more."""
    table, shift = pointer(index), home_shift(len(index))
    mask = np.uint64(len(index) // 2 - 1)
    for key in keys:
        at = key >> shift
        while table[np.intp(at << _ONE)] != 0 and table[np.intp(at << _ONE)] != key:
            at = (at + _ONE) & mask
        if table[np.intp(at << _ONE)] != 0:
            _take_out(table, shift, at)


def move_ring(old: Array, new: Array, depth: int, head: int, count: int) -> None:
    """Copy the `count` newest events before sequence number `head` into a larger ring."""
    capacity, larger = len(old) // depth, len(new) // depth
    done = 0
    while done < count:
        sequence = head - count + done
        source, target = sequence & (capacity - 1), sequence & (larger - 1)
        run = min(count - done, capacity - source, larger - target)
        new[target * depth : (target + run) * depth] = old[source * depth : (source + run) * depth]
        done += run
