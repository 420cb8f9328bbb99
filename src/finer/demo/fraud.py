"""Labelled fraud: how thieves behave, one function per scenario. Labels stay in the world; records never carry them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from finer.demo.chance import Array
from finer.demo.merchants import APP, ATM, NUMBER, POS, PURCHASE, TRANSFERRED, WEB, WITHDRAWAL
from finer.demo.places import CITY_COUNTRY, UTC_OFFSET_US, minor_units, round_below
from finer.demo.spending import HOUR_US, Town, blank, choose_merchants
from finer.demo.tables import Table, stack

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US

SCENARIOS = (
    "honest",
    "card_testing",
    "account_takeover",
    "compromised_merchant",
    "high_value_theft",
    "structuring",
    "first_payee",
    "night_burst",
)
CARD_TESTING, TAKEOVER, COMPROMISED, THEFT, STRUCTURING, FIRST_PAYEE, NIGHT_BURST = range(1, 8)

# How often each scenario comes, and the local hours at which it begins.
_WEIGHTS: Array = np.array([0.22, 0.20, 0.06, 0.20, 0.12, 0.10, 0.10])
_HOURS = ((0, 24), (9, 21), (8, 23), (9, 20), (0, 1), (8, 22), (1, 2))
PAYMENTS_PER_EPISODE = 4.8
"""Fraudulent payments of an average episode; a test holds it to what the scenarios make."""
# Stolen cards are used in Tokyo, Hong Kong and London, where no customer lives.
_AFAR: Array = np.flatnonzero(np.isin(CITY_COUNTRY, CITY_COUNTRY[-3:]))


class Scene(NamedTuple):
    """One episode to be written: when it begins, how fast it goes (1 as in life, less for a live show), its number."""

    town: Town
    rng: np.random.Generator
    begins_us: int
    day: int
    pace: float
    episode: int

    def later(self, minutes: Array) -> Array:
        """Times so many minutes after the beginning, at the pace of the scene."""
        return self.begins_us + (minutes * self.pace * MINUTE_US).astype(np.int64)

    def stolen_device(self) -> int:
        """A device that nobody has used before."""
        return 10**12 + self.episode * 10


def frauds_of_day(town: Town, rng: np.random.Generator, day: int, share: float) -> Table | None:
    """The crimes of one day, `share` of its payments on average; None on a quiet day.

    The few honest payments that belong to the stories are included, such as the last one at home before a takeover.
    """
    expected = float(town.people.rate.sum()) * share / PAYMENTS_PER_EPISODE
    scenes = []
    for number in range(int(rng.poisson(expected))):
        scenario = 1 + int(rng.choice(len(_WEIGHTS), p=_WEIGHTS))
        low, high = _HOURS[scenario - 1]
        local_us = (low + (high - low) * rng.random()) * HOUR_US
        # Stories begin by the clock of Singapore and Manila, where most customers are.
        begins = day * 24 * HOUR_US + int(local_us) - 8 * HOUR_US
        scenes.append(write_scene(scenario, Scene(town, rng, begins, day, 1.0, day * 1000 + number)))
    return stack(scenes) if scenes else None


def live_scene(town: Town, rng: np.random.Generator, begins_us: int, day: int, episode: int) -> Table:
    """One crime that is over within about a minute. At night, by the clock of Manila, that may be a night burst."""
    weights = _WEIGHTS.copy()
    if (begins_us + int(UTC_OFFSET_US[0])) // HOUR_US % 24 >= 4:
        weights[NIGHT_BURST - 1] = 0
    scenario = 1 + int(rng.choice(len(weights), p=weights / weights.sum()))
    return write_scene(scenario, Scene(town, rng, begins_us, day, _LIVE_PACE[scenario], episode))


def write_scene(scenario: int, scene: Scene) -> Table:
    """The payments of one episode."""
    table = _WRITERS[scenario](scene)
    table["scenario"] = np.where(table["scenario"] < 0, 0, scenario)
    table["episode"] = np.where(table["scenario"] == 0, -1, scene.episode)
    return table


def _victim(scene: Scene) -> int:
    return int(scene.town.people.seasoned(scene.rng, 1)[0])


def _rows(scene: Scene, customers: Array, occurred_us: Array, usd: Array, **columns: Any) -> Table:
    """Payments from first accounts; single values fill their column. A scenario of -1 marks an honest row."""
    people, size = scene.town.people, len(customers)
    table = blank(size)
    table["occurred_us"], table["customer"] = occurred_us, customers
    table["amount"] = minor_units(usd, people.country[customers])
    if "payee" not in columns:
        table["card"] = people.card_last4(customers, np.zeros(size, np.int64))
    for name, value in columns.items():
        table[name] = np.broadcast_to(np.asarray(value, np.int64), size).copy()
    return table


def _shops(scene: Scene, category: str, customers: Array, city: Array | int) -> Array:
    size = len(customers)
    cities = np.broadcast_to(np.asarray(city), size)
    kinds = np.full(size, NUMBER[category])
    return choose_merchants(scene.town, customers, kinds, cities, np.ones(size), scene.rng.random(size))


def _card_testing(scene: Scene) -> Table:
    """Is the stolen card alive? Four to eight tiny payments within seconds, then the real one."""
    rng, victim = scene.rng, _victim(scene)
    tries = int(rng.integers(4, 9))
    within = np.sort(rng.random(tries)) * rng.uniform(3.0, 8.0)
    seconds = np.append(within, within[-1] + rng.uniform(40, 200) * scene.pace)
    customers = np.full(tries + 1, victim)
    usd = np.append(rng.uniform(0.4, 2.4, tries), rng.uniform(215, 560))
    city = scene.town.people.city[victim]
    shop = _shops(scene, "digital", customers, city)
    shop[-1] = _shops(scene, "web shop", customers[:1], city)[0]
    at = scene.begins_us + (seconds * SECOND_US).astype(np.int64)
    return _rows(scene, customers, at, usd, type=PURCHASE, channel=WEB, merchant=shop, device=scene.stolen_device())


def _takeover(scene: Scene) -> Table:
    """An honest payment at home; minutes later cash abroad, then expensive goods from a device never seen before."""
    rng, victim = scene.rng, _victim(scene)
    customers = np.full(1, victim)
    home = _rows(
        scene, customers, np.array([scene.begins_us]), rng.uniform(4, 30, 1), type=PURCHASE, channel=POS,
        merchant=_shops(scene, "groceries", customers, scene.town.people.city[victim]), scenario=-1,
    )  # fmt: skip
    afar = int(rng.choice(_AFAR))
    size = int(rng.integers(3, 5))
    minutes = rng.uniform(15, 50) + np.cumsum(rng.uniform(3, 15, size))
    customers = np.full(size, victim)
    channel, kind = np.full(size, WEB), np.full(size, PURCHASE)
    channel[0], kind[0] = ATM, WITHDRAWAL
    device = np.full(size, scene.stolen_device())
    device[0] = -1
    shop = _shops(scene, "electronics", customers, afar)
    shop[0] = _shops(scene, "cash", customers[:1], afar)[0]
    usd = np.append(rng.uniform(160, 480, 1), rng.uniform(330, 780, size - 1))
    stolen = _rows(
        scene, customers, scene.later(minutes), usd, type=kind, channel=channel, merchant=shop, device=device
    )
    return stack((home, stolen))


def _compromised(scene: Scene) -> Table:
    """A merchant's card numbers leaked: within minutes many of them are tried there for small amounts."""
    rng, people = scene.rng, scene.town.people
    # The shop stands where most of its customers live: a card that pays abroad would be another story.
    shop = int(_shops(scene, "pharmacy", np.zeros(1, np.int64), people.city[_victim(scene)])[0])
    neighbours = people.country == scene.town.merchants.country[shop]
    customers = people.seasoned(rng, int(rng.integers(18, 29)), neighbours)
    size = len(customers)
    minutes = np.sort(rng.uniform(0, 8, size))
    device = scene.stolen_device() + rng.integers(0, 3, size)
    return _rows(
        scene, customers, scene.later(minutes), rng.uniform(0.6, 3.8, size), type=PURCHASE, channel=WEB,
        merchant=shop, device=device,
    )  # fmt: skip


def _theft(scene: Scene) -> Table:
    """A stolen card at a shop for expensive things."""
    rng, victim = scene.rng, _victim(scene)
    size = int(rng.integers(1, 3))
    customers = np.full(size, victim)
    shop = _shops(scene, "electronics", customers, scene.town.people.city[victim])
    minutes = np.cumsum(rng.uniform(6, 40, size))
    return _rows(
        scene, customers, scene.later(minutes), rng.uniform(860, 3200, size), type=PURCHASE, channel=POS, merchant=shop
    )


def _structuring(scene: Scene) -> Table:
    """Round transfers to one mule, each just under the limit, over a day."""
    rng, victim = scene.rng, _victim(scene)
    size = int(rng.integers(4, 8))
    customers = np.full(size, victim)
    country = scene.town.people.country[customers]
    minutes = np.cumsum(rng.uniform(50, 190, size))
    table = _rows(
        scene, customers, scene.later(minutes), np.full(size, 700.0), type=TRANSFERRED, channel=APP,
        payee=10**12 + scene.episode, device=scene.town.people.devices(customers, scene.day, np.ones(size)),
    )  # fmt: skip
    table["amount"] = round_below(rng.uniform(755, 796, size), country)
    return table


def _first_payee(scene: Scene) -> Table:
    """A swindler talks a customer into one large transfer to somebody new, from the customer's own phone."""
    rng, victim = scene.rng, _victim(scene)
    customers = np.full(1, victim)
    return _rows(
        scene, customers, np.array([scene.begins_us]), rng.uniform(530, 790, 1), type=TRANSFERRED, channel=APP,
        payee=10**12 + scene.episode, device=scene.town.people.devices(customers, scene.day, np.ones(1)),
    )  # fmt: skip


def _night_burst(scene: Scene) -> Table:
    """A lost card in the small hours: one payment after the other while its owner sleeps."""
    rng, people = scene.rng, scene.town.people
    sleepers = np.isin(UTC_OFFSET_US[people.country], (7 * HOUR_US, 8 * HOUR_US))
    victim = int(people.seasoned(rng, 1, sleepers)[0])
    size = int(rng.integers(6, 10))
    customers = np.full(size, victim)
    shop = _shops(scene, "convenience", customers, people.city[victim])
    minutes = np.sort(rng.uniform(0, 52, size))
    return _rows(
        scene, customers, scene.later(minutes), rng.uniform(18, 150, size), type=PURCHASE, channel=POS, merchant=shop
    )


_WRITERS: dict[int, Callable[[Scene], Table]] = {
    CARD_TESTING: _card_testing,
    TAKEOVER: _takeover,
    COMPROMISED: _compromised,
    THEFT: _theft,
    STRUCTURING: _structuring,
    FIRST_PAYEE: _first_payee,
    NIGHT_BURST: _night_burst,
}
# Lengths as in life, in minutes, brought down to about one.
_LIVE_PACE = {
    CARD_TESTING: 0.25,
    TAKEOVER: 0.012,
    COMPROMISED: 0.11,
    THEFT: 0.012,
    STRUCTURING: 0.0011,
    FIRST_PAYEE: 1.0,
    NIGHT_BURST: 0.02,
}
