"""Amounts that come as numbers, in minor units of their currency (numba)."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

_EXACT = float(2**53)


@nb.njit(cache=True, nogil=True)
def minor_units_of_floats(amounts: Any, exponents: Any, lows: Any, highs: Any, out: Any, wrong: Any) -> None:
    """Minor units, int64[n], of float64 amounts; the limits are per exponent.

    A float must be the one that the decimal amount reads as: `wrong` is set for any other, which has more decimals,
    and for one that is out of its limits.
    """
    powers = np.array([1.0, 10.0, 100.0, 1000.0, 10_000.0])
    for i in range(len(amounts)):
        exponent = exponents[i]
        power = powers[exponent]
        scaled = np.rint(amounts[i] * power)
        exact = scaled / power == amounts[i] and abs(scaled) < _EXACT
        value = np.int64(scaled) if exact else np.int64(0)
        out[i] = value
        wrong[i] = not exact or value < lows[exponent] or value > highs[exponent]
