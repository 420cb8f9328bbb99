"""Card payments with labelled fraud, made by the published description of the Fraud Detection Handbook's simulator.

Customers and terminals stand on a square of 100 by 100; a customer pays at the terminals within 5 of their home.
A customer's payments of a day are Poisson distributed (a mean of 0 to 4), their times are normal around noon, their
amounts normal around the customer's own mean (5 to 100) with half of it as deviation. Three kinds of fraud follow:

1. every amount above 220;
2. two terminals a day are compromised: all their payments of the next 28 days;
3. three customers a day lose their card's data: a third of their payments of the next 14 days, times 5.

    python -m bench.handbook_world transactions.parquet --seed 0

Random numbers come from NumPy and differ from those of the original, so figures on this world are near those on the
published data and not equal to them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Array = np.ndarray[Any, np.dtype[Any]]
CUSTOMERS, TERMINALS, DAYS, RADIUS = 5000, 10_000, 183, 5.0
START = np.datetime64("2018-04-01", "s")
DAY_S = 86_400
HIGH_AMOUNT = 220.0
TERMINALS_A_DAY, TERMINAL_DAYS = 2, 28
CUSTOMERS_A_DAY, CUSTOMER_DAYS, CUSTOMER_SHARE, CUSTOMER_FACTOR = 3, 14, 3, 5.0


def make_world(
    seed: int, customers: int = CUSTOMERS, terminals: int = TERMINALS, days: int = DAYS, radius: float = RADIUS
) -> pa.Table:
    """The transactions in the order of their time, with the columns of the published data."""
    random = np.random.default_rng(seed)
    customer, second, terminal, amount = _payments(random, customers, terminals, days, radius)
    order = np.argsort(second, kind="stable")
    customer, second, terminal, amount = customer[order], second[order], terminal[order], amount[order]
    amount, scenario = _frauds(random, customer, second // DAY_S, terminal, amount, (customers, terminals, days))
    return pa.table(
        {
            "TRANSACTION_ID": np.arange(len(amount)),
            "TX_DATETIME": START + second.astype("timedelta64[s]"),
            "CUSTOMER_ID": customer,
            "TERMINAL_ID": terminal,
            "TX_AMOUNT": amount,
            "TX_FRAUD": (scenario > 0).astype(np.int8),
            "TX_FRAUD_SCENARIO": scenario,
        }
    )


def _payments(
    random: np.random.Generator, customers: int, terminals: int, days: int, radius: float
) -> tuple[Array, Array, Array, Array]:
    """Genuine payments: customer, second since the start, terminal, amount; each shape (payments,)."""
    homes, places = random.uniform(0, 100, (customers, 2)), random.uniform(0, 100, (terminals, 2))
    mean = random.uniform(5, 100, customers)
    a_day = random.uniform(0, 4, customers)
    starts, near = _within(homes, places, radius)
    reachable = np.diff(starts)
    counts = random.poisson(a_day[:, None], (customers, days))
    # A customer without a terminal within reach pays nowhere.
    counts[reachable == 0] = 0
    flat = counts.ravel()
    customer = np.repeat(np.repeat(np.arange(customers), days), flat)
    day = np.repeat(np.tile(np.arange(days), customers), flat)
    of_day = random.normal(DAY_S / 2, 20_000, len(customer)).astype(np.int64)
    kept = (of_day > 0) & (of_day < DAY_S)
    customer, second = customer[kept], day[kept] * DAY_S + of_day[kept]
    amount = random.normal(mean[customer], mean[customer] / 2)
    low = amount < 0
    amount[low] = random.uniform(0, 2 * mean[customer[low]])
    chosen = (random.random(len(customer)) * reachable[customer]).astype(np.int64)
    return customer, second, near[starts[customer] + chosen], np.round(amount, 2)


def _within(homes: Array, places: Array, radius: float) -> tuple[Array, Array]:
    """Which places lie within the radius of each home, as starts, shape (homes + 1,), into one flat list."""
    lists = []
    for begin in range(0, len(homes), 500):
        part = homes[begin : begin + 500]
        distance = ((part[:, None, :] - places[None, :, :]) ** 2).sum(axis=2)
        lists += [np.flatnonzero(row) for row in distance < radius**2]
    return np.concatenate([[0], np.cumsum([len(one) for one in lists])]), np.concatenate(lists)


def _frauds(
    random: np.random.Generator, customer: Array, day: Array, terminal: Array, amount: Array, sizes: tuple[int, ...]
) -> tuple[Array, Array]:
    """Amounts and scenario (0: genuine) after the three kinds of fraud."""
    customers, terminals, days = sizes
    scenario = np.zeros(len(amount), np.int8)
    scenario[amount > HIGH_AMOUNT] = 1
    by_terminal, by_customer = _Groups(terminal, terminals), _Groups(customer, customers)
    for first in range(days):
        for one in random.choice(terminals, min(TERMINALS_A_DAY, terminals), replace=False):
            rows = by_terminal.of(one)
            scenario[rows[(day[rows] >= first) & (day[rows] < first + TERMINAL_DAYS)]] = 2
    amount = amount.copy()
    for first in range(days):
        for one in random.choice(customers, min(CUSTOMERS_A_DAY, customers), replace=False):
            rows = by_customer.of(one)
            rows = rows[(day[rows] >= first) & (day[rows] < first + CUSTOMER_DAYS)]
            picked = random.choice(rows, len(rows) // CUSTOMER_SHARE, replace=False) if len(rows) else rows
            amount[picked] = np.round(amount[picked] * CUSTOMER_FACTOR, 2)
            scenario[picked] = 3
    return amount, scenario


class _Groups:
    """The rows of each key, in order."""

    def __init__(self, keys: Array, count: int) -> None:
        self._order = np.argsort(keys, kind="stable")
        self._starts = np.searchsorted(keys[self._order], np.arange(count + 1))

    def of(self, key: int) -> Array:
        return np.asarray(self._order[self._starts[key] : self._starts[key + 1]])


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed is another world.")
def main(file: Path, seed: int) -> None:
    """Write a world to FILE (Parquet)."""
    table = make_world(seed)
    pq.write_table(table, file)
    frauds = np.bincount(table.column("TX_FRAUD_SCENARIO").to_numpy(), minlength=4)
    click.echo(f"{table.num_rows} transactions, frauds by scenario {frauds[1:].tolist()}, in {file}")


if __name__ == "__main__":
    main()
