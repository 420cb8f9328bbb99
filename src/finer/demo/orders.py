"""Orders of the web shop: placed, paid, shipped, delivered; some cancelled, some sent back."""

from __future__ import annotations

import numpy as np

from finer.demo.chance import Array, cumulative, pick, uniforms
from finer.demo.merchants import RHYTHMS, Products
from finer.demo.people import People
from finer.demo.places import CITY_COUNTRY, LEVEL, UTC_OFFSET_US, minor_units
from finer.demo.spending import DAY_US, HOUR_US, sale, season
from finer.demo.tables import Table, stack

PLACED, PAID, SHIPPED, DELIVERED, CANCELLED, RETURNED = range(6)
TYPES = ("placed", "paid", "shipped", "delivered", "cancelled", "returned")
CHANCES = 8
_EVENING = cumulative(np.array(RHYTHMS["evenings"]))
_CANCELLED_SHARE, _RETURNED_SHARE = 0.05, 0.05
_ORDERS_PER_PAYMENT = 0.11


def orders_of_day(people: People, products: Products, rng: np.random.Generator, day: int) -> Table:
    """The whole life of the orders that are placed on one day, with events up to two weeks later, not yet sorted."""
    mean = people.rate * _ORDERS_PER_PAYMENT * season(day) * sale(day)
    customers = np.repeat(np.arange(people.count), rng.poisson(mean))
    size = len(customers)
    hour = pick(_EVENING, rng.random(size))
    local = day * DAY_US + hour * HOUR_US + (rng.random(size) * HOUR_US).astype(np.int64)
    order = describe(people, products, customers, rng.random((size, CHANCES)))
    order["occurred_us"] = local - UTC_OFFSET_US[people.country[customers]]
    order["order"] = day * 100_000 + np.arange(size)
    return _life(order, rng)


def describe(people: People, products: Products, customers: Array, chance: Array) -> Table:
    """What is ordered: one line each. `chance` holds uniform numbers, shape (n, CHANCES)."""
    country = people.country[customers]
    product = products.choose(chance[:, 0])
    quantity = 1 + (chance[:, 1] ** 3 * 4).astype(np.int64)
    # The shop sells at one price per country, so that a product's revenue is its units times a price.
    price = minor_units(products.price_usd[product] * (0.4 + 0.6 * LEVEL[country]), country)
    # Goods cost nearly the same everywhere, so that less is left of them where they are cheap.
    cost = minor_units(np.maximum(products.cost_usd[product], 0) * (0.65 + 0.35 * LEVEL[country]), country)
    return Table({
        "customer": customers,
        "city": people.city[customers],
        "product": product,
        "quantity": quantity,
        "price": price,
        "cost": np.where(products.cost_usd[product] < 0, -1, cost),
        "channel": (chance[:, 2] < 0.62).astype(np.int64),
        "type": np.zeros(len(customers), np.int64),
        "fate": chance[:, 3],
    })  # fmt: skip


def _life(order: Table, rng: np.random.Generator) -> Table:
    size = len(order)
    placed = order["occurred_us"]
    paid = placed + (rng.gamma(1.5, 4, size) * 60e6).astype(np.int64) + 20_000_000
    shipped = paid + ((4 + rng.gamma(2.0, 9, size)) * 3600e6).astype(np.int64)
    delivered = shipped + ((14 + rng.gamma(2.5, 16, size)) * 3600e6).astype(np.int64)
    returned = delivered + ((20 + rng.gamma(2.0, 50, size)) * 3600e6).astype(np.int64)
    fate = order["fate"]
    cancelled, back = fate < _CANCELLED_SHARE, fate > 1 - _RETURNED_SHARE
    everyone = np.ones(size, np.bool_)
    return stack((
        event(order, PLACED, placed, everyone),
        event(order, PAID, paid, ~cancelled),
        event(order, CANCELLED, paid, cancelled),
        event(order, SHIPPED, shipped, ~cancelled),
        event(order, DELIVERED, delivered, ~cancelled),
        event(order, RETURNED, returned, back),
    ))  # fmt: skip


def event(order: Table, kind: int, occurred_us: Array, rows: Array) -> Table:
    """One event of the chosen orders; goods that come back count negative."""
    found = order.take(rows)
    found["occurred_us"] = occurred_us[rows]
    found["type"] = np.full(len(found), kind)
    if kind in (CANCELLED, RETURNED):
        found["quantity"] = -found["quantity"]
    return found


def live_events(
    people: People, products: Products, first: int, occurred_us: Array, per_second: float, salt: int
) -> Table:
    """Events `first` .. of an endless stream of orders that are placed, paid, shipped and delivered in time lapse.

    Event e is stage e mod 4 of an order: seconds after placing it is paid, within a minute or two delivered. An order
    is the same whenever it is looked at, because its chance comes from its number.
    """
    numbers = first + np.arange(len(occurred_us))
    stage = numbers % 4
    lag = np.array([0, 6, 40, 90])[stage] * max(per_second / 4, 0.01)
    order_number = np.maximum(numbers // 4 - np.ceil(lag).astype(np.int64), 0)
    chance = uniforms(order_number, salt, CHANCES)
    customers = (chance[:, 4] * people.count).astype(np.int64)
    order = describe(people, products, customers, chance)
    order["occurred_us"], order["order"] = occurred_us, order_number
    cancelled = order["fate"] < _CANCELLED_SHARE
    order["type"] = np.where(cancelled & (stage == PAID), CANCELLED, stage)
    order["quantity"] = np.where(order["type"] == CANCELLED, -order["quantity"], order["quantity"])
    return order.take(~cancelled | (stage <= PAID))


def country_of(order: Table) -> Array:
    """The country of each order, shape (n,)."""
    return CITY_COUNTRY[order["city"]]
