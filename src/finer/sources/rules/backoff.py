"""When to try again: later after each failure, and not all at once."""

from __future__ import annotations

FIRST_S, LAST_S = 1.0, 300.0


def wait_s(failures: int, chance: float) -> float:
    """Seconds until the next attempt after so many failures in a row; `chance` in [0, 1) spreads them by half."""
    whole = min(LAST_S, FIRST_S * 2.0 ** min(max(failures, 1) - 1, 16))
    return whole * (0.5 + 0.5 * chance)
