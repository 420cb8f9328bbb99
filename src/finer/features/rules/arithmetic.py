"""Whole-number arithmetic with 128 bits, so that a deviation does not drift however often values come and go."""

from __future__ import annotations

import math
from typing import Any

import numba as nb
import numpy as np

_LOW = np.uint64(0xFFFFFFFF)
_32, _64TH = np.uint64(32), 18446744073709551616.0
_LIMIT = 1.7e38


@nb.njit(nogil=True, inline="always")
def _multiply(a: np.uint64, b: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The product of two uint64 as (high, low)."""
    a1, a0, b1, b0 = a >> _32, a & _LOW, b >> _32, b & _LOW
    middle = a1 * b0 + ((a0 * b0) >> _32)
    other = a0 * b1 + (middle & _LOW)
    return a1 * b1 + (middle >> _32) + (other >> _32), a * b


@nb.njit(nogil=True, inline="always")
def _magnitude(x: int) -> np.uint64:
    return np.uint64(x) if x >= 0 else np.uint64(0) - np.uint64(x)


@nb.njit(nogil=True)
def add_square(rows: Any, word: int, value: int, sign: int) -> None:
    """Add (sign 1) or take away (-1) the square of a value at rows[word] (high) and rows[word + 1] (low)."""
    size = _magnitude(value)
    high, low = _multiply(size, size)
    now_high, now_low = np.uint64(rows[word]), np.uint64(rows[word + 1])
    if sign > 0:
        new_low = now_low + low
        new_high = now_high + high + np.uint64(new_low < low)
    else:
        new_low = now_low - low
        new_high = now_high - high - np.uint64(now_low < low)
    rows[word], rows[word + 1] = np.int64(new_high), np.int64(new_low)


@nb.njit(nogil=True)
def sample_deviation(count: int, total: int, high: np.uint64, low: np.uint64) -> float:
    """Standard deviation of `count` whole numbers from their sum and the sum of their squares; NaN below two."""
    if count < 2:
        return math.nan
    squares = float(high) * _64TH + float(low)
    if squares * count > _LIMIT:
        variance = (squares - float(total) * float(total) / count) / (count - 1)
        return math.sqrt(max(variance, 0.0))
    carry, scaled_low = _multiply(low, np.uint64(count))
    scaled_high = high * np.uint64(count) + carry
    size = _magnitude(total)
    square_high, square_low = _multiply(size, size)
    difference = scaled_high - square_high - np.uint64(scaled_low < square_low)
    spread = float(difference) * _64TH + float(scaled_low - square_low)
    return math.sqrt(spread / (float(count) * float(count - 1)))
