"""From when on an order waits for too long."""

from __future__ import annotations

from finer.operations.types.orders import Stage

LEARNED_FROM_ORDERS = 50
_LEAST_S = 60.0
_FIRST_S = {Stage.PLACED: 86_400.0, Stage.PAID: 3 * 86_400.0, Stage.SHIPPED: 14 * 86_400.0}


def usual_after(orders: int, slow_s: float) -> float | None:
    """Seconds that leaving a stage takes all but the slowest twentieth of orders; None of fewer than 50."""
    return slow_s if orders >= LEARNED_FROM_ORDERS else None


def stuck_after(stage: Stage, usual_s: float | None) -> float:
    """Seconds in a stage after which an order is stuck: twice what is usual.

    While that is not known: a day to be paid, three to be shipped, fourteen to be delivered.
    """
    if usual_s is None:
        return _FIRST_S[stage]
    return max(2 * usual_s, _LEAST_S)
