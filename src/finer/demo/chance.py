"""Seeded chance. The same seed and the same names give the same numbers on every machine and in every run."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)


def key(seed: int, *names: int | str) -> int:
    """A 64-bit number for a seed and what it is used for."""
    text = repr((seed, *names)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def generator(seed: int, *names: int | str) -> np.random.Generator:
    """A generator of its own for each use, so that one part of the world never shifts the chance of another."""
    return np.random.Generator(np.random.PCG64(key(seed, *names)))


def scatter(numbers: Array, salt: int) -> Array:
    """Numbers spread over 64 bits, shape (n,), uint64 (SplitMix64: Steele, Lea, Flood, OOPSLA 2014)."""
    with np.errstate(over="ignore"):
        x = numbers.astype(np.uint64) * _GOLDEN + np.uint64(salt & 0xFFFFFFFFFFFFFFFF)
        x = (x ^ (x >> np.uint64(30))) * _M1
        x = (x ^ (x >> np.uint64(27))) * _M2
        return x ^ (x >> np.uint64(31))


def uniforms(numbers: Array, salt: int, count: int) -> Array:
    """`count` uniform numbers in [0, 1) for each given number, shape (n, count): chance that needs no memory."""
    columns = [scatter(numbers, salt + 0x632BE59BD9B4E019 * (place + 1)) for place in range(count)]
    return np.stack(columns, axis=1).astype(np.float64) / 2.0**64


def cumulative(weights: Array) -> Array:
    """Weights as a cumulative distribution along the last axis, ending in exactly 1."""
    total = np.cumsum(weights, axis=-1, dtype=np.float64)
    total = total / total[..., -1:]
    total[..., -1] = 1.0
    return total


def pick(distribution: Array, uniform: Array) -> Array:
    """Indices drawn from one cumulative distribution, shape of `uniform`, int64."""
    return np.minimum(np.searchsorted(distribution, uniform, side="right"), len(distribution) - 1)


def pick_rows(distributions: Array, uniform: Array) -> Array:
    """Indices drawn from a distribution per row, `distributions` (n, k) and `uniform` (n,)."""
    found: Array = (distributions <= uniform[:, None]).sum(axis=1)
    last: Array = np.minimum(found, distributions.shape[1] - 1)
    return last
