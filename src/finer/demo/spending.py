"""Honest payments: what a day of ordinary life leaves in the bank's books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from finer.demo.chance import Array, cumulative, key, pick, pick_rows, scatter
from finer.demo.merchants import (
    APP,
    ATM,
    BRANCH,
    CATEGORIES,
    DEPOSIT,
    NUMBER,
    ONLINE,
    POS,
    REFUND,
    RHYTHMS,
    TRANSFERRED,
    WEB,
    Merchants,
)
from finer.demo.people import ABROAD, PAYEES, RENT_PAYEE, People
from finer.demo.places import CITY_COUNTRY, LEVEL, MINOR_PER_USD, PAYS_LARGE, UTC_OFFSET_US, minor_units
from finer.demo.tables import Table, stack

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
# Ordinary life stays under 600 USD a payment; the few larger honest ones are drawn apart: their number is known.
_ORDINARY_MAX_USD = 600.0
_LARGE_SHARE = 0.0003
_EPOCH = date(1970, 1, 1)

_MEDIAN = np.log([category.median_usd for category in CATEGORIES])
_SIGMA = np.array([category.sigma for category in CATEGORIES])
_TYPE = np.array([category.type for category in CATEGORIES])
_CHANNEL = np.array([category.channels[:2] for category in CATEGORIES])
_FIRST_CHANNEL = np.array([category.channels[2] for category in CATEGORIES])
_HOURS = np.stack([cumulative(np.array(RHYTHMS[category.rhythm])) for category in CATEGORIES])
_WEEKDAY = (0.93, 0.92, 0.95, 0.99, 1.13, 1.16, 0.98)
_SALE_DAYS = {(9, 9): 1.5, (10, 10): 1.5, (11, 11): 2.6, (12, 12): 2.2}


@dataclass(frozen=True)
class Town:
    """What payments are made of: the people and the merchants."""

    seed: int
    people: People
    merchants: Merchants


def calendar(day: int) -> date:
    """The date of a day counted from 1970."""
    return _EPOCH + timedelta(days=day)


def season(day: int) -> float:
    """How busy a day is against the average: weekends, paydays and the days after, sales."""
    at = calendar(day)
    factor = _WEEKDAY[at.weekday()]
    if at.day in (15, 16, 30, 31, 1):
        factor *= 1.16
    if (at.month, at.day) in _SALE_DAYS:
        factor *= 1.15
    return factor * (1.12 if at.month == 12 else 1.0)


def sale(day: int) -> float:
    """How much more is bought on the web on a day: the double-day sales of the region."""
    at = calendar(day)
    return _SALE_DAYS.get((at.month, at.day), 1.0)


def ordinary_day(town: Town, rng: np.random.Generator, day: int) -> Table:
    """Payments, transfers, rents and deposits of all customers on one day of their own calendars, not yet sorted."""
    return stack((_purchases(town, rng, day), _transfers(town, rng, day), _deposits(town, rng, day)))


def _purchases(town: Town, rng: np.random.Generator, day: int) -> Table:
    people = town.people
    city, leaves, hurried = people.travelling(day)
    customers = np.repeat(np.arange(people.count), rng.poisson(people.rate * season(day)))
    categories = pick_rows(people.mix[customers], rng.random(len(customers)))
    if (busier := sale(day)) > 1:
        more = rng.random(len(customers)) < 1 - 1 / busier
        categories = np.where(more & (categories < NUMBER["restaurant"]), NUMBER["web shop"], categories)
    hours = pick_rows(_HOURS[categories], rng.random(len(customers)))
    local_us = hours * HOUR_US + (rng.random(len(customers)) * HOUR_US).astype(np.int64)
    leaving, early = leaves[customers], hours < 10
    kept = ~leaving | early | hurried[customers]
    place = np.where(leaving & early, people.city[customers], city[customers])
    customers, categories, local_us, place = customers[kept], categories[kept], local_us[kept], place[kept]
    away = place != people.city[customers]
    elsewhere = ABROAD[(rng.random(len(customers)) * len(ABROAD)).astype(np.int64)]
    categories = np.where(away & ONLINE[categories], elsewhere, categories)
    # A traveller's watch shows the time of the place.
    occurred = day * DAY_US + local_us - UTC_OFFSET_US[CITY_COUNTRY[place]]
    return purchases(town, rng, customers, categories, occurred, place, day)


def purchases(
    town: Town, rng: np.random.Generator, customers: Array, categories: Array, occurred_us: Array, city: Array, day: int
) -> Table:
    """Purchases of given customers, categories, times and cities, completed with merchant, amount, card and device."""
    people, size = town.people, len(customers)
    chance = rng.random((6, size))
    away = city != people.city[customers]
    merchant = choose_merchants(town, customers, categories, city, chance[0], chance[1])
    usd = np.exp(_MEDIAN[categories] + _SIGMA[categories] * rng.standard_normal(size))
    usd *= LEVEL[CITY_COUNTRY[city]] * people.spending[customers] * town.merchants.price[merchant]
    usd = np.where(usd > _ORDINARY_MAX_USD, _ORDINARY_MAX_USD * (0.5 + 0.5 * chance[2]), usd)
    large = (chance[3] < _LARGE_SHARE) & ~away & PAYS_LARGE[people.country[customers]]
    usd = np.where(large, 820 + 1900 * chance[2] ** 2, usd)
    first = chance[4] < _FIRST_CHANNEL[categories]
    channel = np.where(first, _CHANNEL[categories, 0], _CHANNEL[categories, 1])
    channel = np.where(away & (channel != ATM), POS, channel)
    account = people.choose_accounts(customers, chance[5])
    country = people.country[customers]
    amount = minor_units(usd, country)
    # Cash machines give notes: nothing smaller than about five US dollars.
    note = 10.0 ** np.floor(np.log10(MINOR_PER_USD[country] * 6))
    cash = (np.maximum(np.rint(amount / note), 1) * note).astype(np.int64)
    table = blank(size)
    table["occurred_us"], table["customer"], table["account"] = occurred_us, customers, account
    table["card"] = people.card_last4(customers, account)
    table["amount"] = np.where(channel == ATM, cash, amount)
    online = (channel == WEB) | (channel == APP)
    returned = (channel == WEB) & (chance[2] < 0.02) & ~large
    table["type"] = np.where(returned, REFUND, _TYPE[categories])
    table["channel"], table["merchant"] = channel, merchant
    table["device"] = np.where(online, people.devices(customers, day, rng.random(size)), -1)
    return table


def blank(size: int) -> Table:
    """Rows in which nothing has happened yet. -1 stands for none; `scenario` 0 is honest; `episode` -1 is no crime."""
    columns: dict[str, Array] = {
        name: np.zeros(size, np.int64)
        for name in ("occurred_us", "customer", "account", "type", "amount", "channel", "scenario", "outlet")
    }
    columns |= {name: np.full(size, -1, np.int64) for name in ("card", "merchant", "device", "payee", "episode")}
    return Table(columns)


def choose_merchants(
    town: Town, customers: Array, categories: Array, city: Array, habit: Array, popularity: Array
) -> Array:
    """Merchants of a category in a city: two in three from the customer's three favourites, else by popularity."""
    start, count = town.merchants.start[city, categories], town.merchants.count[city, categories]
    favourite = (customers * len(CATEGORIES) + categories) * 3 + (popularity * 3).astype(np.int64)
    chosen = scatter(favourite, key(town.seed, "favourites")) % count.astype(np.uint64)
    popular = (count * popularity**1.7).astype(np.int64)
    return start + np.where(habit < 0.66, chosen.astype(np.int64), popular)


def _transfers(town: Town, rng: np.random.Generator, day: int) -> Table:
    """Transfers to people one knows, now and then a small one to somebody new, and the rent."""
    people = town.people
    customers = np.flatnonzero(rng.random(people.count) < 0.045 * season(day))
    chance = rng.random((3, len(customers)))
    usd = np.exp(np.log(24) + 0.7 * rng.standard_normal(len(customers))) * people.spending[customers]
    usd = np.minimum(usd * LEVEL[people.country[customers]], 190)
    known = (chance[0] ** 1.5 * RENT_PAYEE).astype(np.int64)
    fresh = chance[1] < 0.04
    # A payee nobody has paid before: numbered by customer and day, beyond the known ones.
    new_payee = 10**9 + customers * 100_000 + day
    payee = np.where(fresh, new_payee, customers * PAYEES + known)
    hour = pick(_HOURS[NUMBER["utilities"]], chance[2])
    paid = transfers(town, rng, customers, np.where(fresh, np.minimum(usd, 90), usd), payee, hour, day)
    tenants = np.flatnonzero(people.rents & (people.rent_day == calendar(day).day))
    rent = transfers(
        town, rng, tenants, people.rent_usd[tenants], tenants * PAYEES + RENT_PAYEE, np.full(len(tenants), 9), day
    )
    return stack((paid, rent))


def transfers(
    town: Town, rng: np.random.Generator, customers: Array, usd: Array, payee: Array, hour: Array, day: int
) -> Table:
    """Transfers from the first account in the bank's app, somewhere within the given hour of the customer's day."""
    people, size = town.people, len(customers)
    table = blank(size)
    local = day * DAY_US + hour * HOUR_US + (rng.random(size) * HOUR_US).astype(np.int64)
    table["occurred_us"] = local - UTC_OFFSET_US[people.country[customers]]
    table["customer"], table["payee"] = customers, payee
    table["amount"] = minor_units(usd, people.country[customers])
    table["type"] = np.full(size, TRANSFERRED)
    table["channel"] = np.full(size, APP)
    table["device"] = people.devices(customers, day, np.ones(size))
    return table


def _deposits(town: Town, rng: np.random.Generator, day: int) -> Table:
    """Cash brought to a branch. Salaries are booked by the ledger and come as busier paydays, not as payments."""
    people = town.people
    customers = np.flatnonzero(rng.random(people.count) < 0.005 * season(day))
    usd = 15 + 170 * rng.random(len(customers)) ** 2
    table = transfers(town, rng, customers, usd, np.full(len(customers), -1), np.full(len(customers), 10), day)
    table["type"] = np.full(len(customers), DEPOSIT)
    table["channel"] = np.full(len(customers), BRANCH)
    table["device"] = np.full(len(customers), -1)
    return table
