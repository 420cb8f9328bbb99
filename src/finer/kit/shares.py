"""How sure a share is that was counted."""

from __future__ import annotations

import math

Z_95 = 1.959963984540054
"""The bounds hold in 19 of 20 cases."""


def wilson_bounds(hits: int, of: int) -> tuple[float, float]:
    """The bounds of the share `hits / of` by Wilson's score interval, which holds for few cases and near 0 and 1 too.

    0 <= hits <= of, of > 0. None of them is exactly 0 at the bottom, and all of them exactly 1 at the top, which the
    formula says as well but for the last digits of its arithmetic (E. B. Wilson, JASA 22, 1927).
    """
    share, spread = hits / of, Z_95 * Z_95 / of
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return 0.0 if hits == 0 else middle - half, 1.0 if hits == of else middle + half
