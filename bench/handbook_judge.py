"""What somebody reaches who knows how the Handbook's frauds are made: the limit of rows F1 and F2.

The judge knows the rules of the simulator (bench/handbook_world.py), how often they strike, and what each customer
really spends in the mean, from payments of later weeks as well; labels it sees as late as every model. Nothing is
learnt, so it does not lack for data either. What it misses cannot be known on the day: mostly terminals that were
compromised less than a week ago, whose payments look like all others.

Where two kinds of fraud may explain the same label it weighs only the first label of a terminal, so a model can be
better by a hair, not by more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.handbook_world import (
    CUSTOMER_DAYS,
    CUSTOMER_FACTOR,
    CUSTOMER_SHARE,
    CUSTOMERS,
    CUSTOMERS_A_DAY,
    HIGH_AMOUNT,
    TERMINAL_DAYS,
    TERMINALS,
    TERMINALS_A_DAY,
)

Array = np.ndarray[Any, np.dtype[Any]]
_TERMINAL_RATE = TERMINALS_A_DAY / TERMINALS
_CUSTOMER_RATE = CUSTOMERS_A_DAY / CUSTOMERS
_OF_TERMINALS = _TERMINAL_RATE * TERMINAL_DAYS
_OF_THIEVES = _CUSTOMER_RATE * CUSTOMER_DAYS / CUSTOMER_SHARE
_SURE = 1e12  # a likelihood ratio beyond which nothing is more certain


def judged(
    times: Array, delay_us: int, days: Array, cards: Array, terminals: Array, amounts: Array, labels: Array
) -> Array:
    """The probability that a payment is a fraud, float64 (payments,).

    All arguments are arrays of shape (payments,) in the order of time: microseconds, days, numbers of cards and
    terminals from 0, amounts in major units, labels as booleans. A label is seen `delay_us` after its payment.
    """
    thief = _thief_to_customer(cards, amounts, labels)
    compromised = np.zeros(len(times))
    for rows in _groups(terminals):
        seen = np.searchsorted(times[rows], times[rows] - delay_us, side="right")
        plain = amounts[rows] <= HIGH_AMOUNT
        compromised[rows] = _compromised(days[rows], labels[rows], plain, thief[rows], seen)
    stolen = np.zeros(len(times))
    for rows in _groups(cards):
        stolen[rows] = _stolen(days[rows], thief[rows])
    found: Array = 1 - (1 - compromised) * (1 - stolen)
    found[amounts > HIGH_AMOUNT] = 1
    return found


def _groups(keys: Array) -> Iterator[Array]:
    """The places of each key, in order."""
    order = np.argsort(keys, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)


def _thief_to_customer(cards: Array, amounts: Array, labels: Array) -> Array:
    """How much likelier an amount is of a thief, who spends five times as much, than of the customer."""
    genuine = ~labels
    spent = np.bincount(cards, amounts * genuine) / np.maximum(np.bincount(cards, genuine), 1)
    mean = np.maximum(spent, 1.0)[cards]
    ratio = _density(amounts, mean * CUSTOMER_FACTOR) / np.maximum(_density(amounts, mean), 1e-300)
    return np.minimum(ratio, _SURE)


def _density(amounts: Array, mean: Array) -> Array:
    deviation = mean / 2
    return np.asarray(np.exp(-0.5 * ((amounts - mean) / deviation) ** 2) / deviation)


def _compromised(days: Array, labels: Array, plain: Array, thief: Array, seen: Array) -> Array:
    """The probability that the terminal is compromised at each of its payments, when the labels of `seen` are known.

    A compromised terminal has frauds only. So it began after the last genuine payment and not after the first fraud
    that follows; each day between is as likely, and 28 days after it the terminal is as any other.
    """
    known: list[tuple[int, int | None, float]] = [(-1, None, 0.0)]
    genuine, first, belief = known[0]
    for at in range(len(days)):
        if not labels[at]:
            genuine, first, belief = int(days[at]), None, 0.0
        elif plain[at] and first is None and days[at] > genuine:  # terminals are compromised for whole days
            first = int(days[at])
            belief = _OF_TERMINALS / (_OF_TERMINALS + _OF_THIEVES * thief[at])
        elif plain[at] and first is not None:
            belief = 1 - (1 - belief) / 50  # another fraud and still nothing genuine: no thief of a card does that
        known.append((genuine, first, belief))
    found = np.empty(len(days))
    for at, (day, labelled) in enumerate(zip(days.tolist(), seen.tolist(), strict=True)):
        genuine, first, belief = known[labelled]
        unseen = _TERMINAL_RATE * min(TERMINAL_DAYS, day - genuine)
        active = 0.0
        if first is not None:
            earliest = max(genuine + 1, first - TERMINAL_DAYS + 1)
            still = first - max(earliest, day - TERMINAL_DAYS + 1) + 1
            active = max(still, 0) / (first - earliest + 1)
        found[at] = belief * active + (1 - belief) * unseen
    return found


def _stolen(days: Array, thief: Array) -> Array:
    """The probability that each payment of a card is a thief's, by its amount and those before it.

    `since[j]` is the probability that the card's data were lost j days ago, the last one that they are not lost.
    """
    since = np.zeros(CUSTOMER_DAYS + 1)
    since[-1] = 1.0
    found = np.empty(len(days))
    today = int(days[0])
    for at, (day, ratio) in enumerate(zip(days.tolist(), thief.tolist(), strict=True)):
        for _ in range(day - today):
            free = since[-1] + since[-2]
            since[1:-1] = since[:-2].copy()
            since[0], since[-1] = free * _CUSTOMER_RATE, free * (1 - _CUSTOMER_RATE)
        today = day
        lost = 1 - since[-1]
        his = ratio / CUSTOMER_SHARE
        either = his + 1 - 1 / CUSTOMER_SHARE
        found[at] = lost * his / (lost * either + since[-1])
        since[:-1] *= either
        since /= since.sum()
    return found
