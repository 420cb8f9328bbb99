"""The customers: where they live, what they earn and spend on, their accounts, cards, devices and journeys."""

from __future__ import annotations

import numpy as np

from finer.demo.chance import Array, cumulative, generator, key, pick, scatter, uniforms
from finer.demo.merchants import CATEGORIES, NUMBER
from finer.demo.places import CITIES, CITY_COUNTRY, CITY_SHARE, COUNTRIES, INCOME_USD, PAYS_LARGE

ACCOUNTS_MAX = 3
PAYEES = 6
RENT_PAYEE = PAYEES - 1
_TRIP_BLOCK_DAYS = 30
_TRIP_SHARE = 0.09
_HURRIED_SHARE = 0.03
_TRAVEL_CITIES: Array = np.flatnonzero(np.isin([city.country for city in CITIES], ["SG", "MY", "TH", "JP", "HK", "VN"]))


class People:
    """Customers as columns. Customer i is the same person whatever the number of customers.

    `rate` is payments a day, `mix` (n, categories) the cumulative preferences, `accounts` and `cards` how many,
    `income_usd` a month. Accounts are numbered customer * ACCOUNTS_MAX + k.
    """

    def __init__(self, seed: int, count: int, payments_a_day: float = 0.53) -> None:
        self.seed = seed
        self.count = count

        def draw(name: str) -> np.random.Generator:
            return generator(seed, "people", name)

        self.city: Array = pick(CITY_SHARE, draw("city").random(count))
        self.country: Array = CITY_COUNTRY[self.city]
        spread = np.exp(0.55 * draw("income").standard_normal(count))
        self.income_usd: Array = INCOME_USD[self.country] * spread
        # What a person spends grows slower than what a person earns.
        self.spending: Array = np.clip(spread, 0.25, 5) ** 0.4
        activity = np.exp(0.6 * draw("rate").standard_normal(count) - 0.18)
        self.rate: Array = payments_a_day * np.clip(activity, 0.15, 4)
        taste = -np.log(1.0 - draw("mix").random((count, len(CATEGORIES))))  # exponential: every taste its own
        shares = np.array([category.share for category in CATEGORIES])
        self.mix: Array = cumulative(shares * (0.25 + taste)).astype(np.float32)
        self._often = float(np.quantile(self.rate, 0.4))
        numbers = np.arange(count)
        chance = uniforms(numbers, key(seed, "people", "household"), 5)
        self.accounts: Array = 1 + (chance[:, 0] > 0.62).astype(np.int64) + (chance[:, 0] > 0.93)
        self.cards: Array = 1 + (chance[:, 1] > 0.7).astype(np.int64)
        self.rents: Array = chance[:, 2] < 0.35
        self.rent_day: Array = 1 + (chance[:, 3] * 5).astype(np.int64)
        self.rent_usd: Array = np.clip(0.25 * self.income_usd, 40, 195)
        self.has_laptop: Array = chance[:, 4] < 0.45

    def identifiers(self, customers: Array) -> list[str | None]:
        """Customer numbers (CIF) as the bank writes them; None for nobody (-1)."""
        return [None if number < 0 else f"{1_000_000 + number}" for number in customers.tolist()]

    def account_identifiers(self, customers: Array, accounts: Array) -> list[str]:
        """Account numbers."""
        pairs = zip(customers.tolist(), accounts.tolist(), strict=True)
        return [f"{1_000_000 + customer}-{1 + account}" for customer, account in pairs]

    def choose_accounts(self, customers: Array, uniform: Array) -> Array:
        """The account that pays: four in five from the first."""
        others = self.accounts[customers] - 1
        second = 1 + np.minimum((uniform * 5 * others).astype(np.int64), np.maximum(others - 1, 0))
        return np.where((uniform >= 0.2) | (others == 0), 0, second)

    def card_last4(self, customers: Array, accounts: Array) -> Array:
        """The last four digits of the card of an account; a second card belongs to the other accounts."""
        card = np.where(accounts == 0, 0, self.cards[customers] - 1)
        return (scatter(customers * 2 + card, key(self.seed, "cards")) % np.uint64(10_000)).astype(np.int64)

    def devices(self, customers: Array, day: int, uniform: Array) -> Array:
        """Numbers of the devices in use on a day: mostly the phone, which is replaced every few years."""
        life = scatter(customers, key(self.seed, "phones"))
        period = 500 + (life % np.uint64(900)).astype(np.int64)
        version = (day + ((life >> np.uint64(20)) % np.uint64(1400)).astype(np.int64)) // period
        laptop = self.has_laptop[customers] & (uniform < 0.15)
        return customers * 1000 + np.where(laptop, 999, version % 900)

    def travelling(self, day: int) -> tuple[Array, Array, Array]:
        """For a day: the city in which each customer is (n,), who leaves on it and how hurried, as two masks.

        A journey lasts two to six days within a block of thirty. Whoever leaves pays at home in the morning and
        abroad from the next day on; the hurried pay abroad on the day itself.
        """
        block, within = divmod(day, _TRIP_BLOCK_DAYS)
        rng = generator(self.seed, "journeys", block)
        chance = rng.random((5, self.count)) if self.count else np.zeros((5, 0))
        travels = chance[0] < _TRIP_SHARE
        first = (chance[1] * 22).astype(np.int64)
        last = first + 2 + (chance[2] * 5).astype(np.int64)
        target = _TRAVEL_CITIES[(chance[3] * len(_TRAVEL_CITIES)).astype(np.int64)]
        travels &= CITY_COUNTRY[target] != self.country
        away = travels & (within > first) & (within <= last)
        leaves = travels & (within == first)
        return np.where(away | leaves, target, self.city), leaves, leaves & (chance[4] < _HURRIED_SHARE)

    def seasoned(self, rng: np.random.Generator, size: int, among: Array | None = None) -> Array:
        """Different customers who pay often, so that their habits are known: thieves' victims. (size,) int64.

        `among` is a mask of customers; without it, those in whose currency a large sum can be paid.
        """
        eligible = PAYS_LARGE[self.country] if among is None else among
        pool = np.flatnonzero(eligible & (self.rate > self._often))
        return rng.choice(pool, size=min(size, len(pool)), replace=False)


_GIVEN = {
    "PH": ("Maria", "Jose", "Angelica", "Mark", "Kristine", "Paolo", "Liza", "Ramon"),
    "SG": ("Wei Ling", "Jun Jie", "Hui Min", "Kai", "Priya", "Daniel", "Mei", "Arjun"),
    "MY": ("Nurul", "Ahmad", "Siti", "Hafiz", "Mei Yee", "Kumar", "Aisyah", "Faiz"),
    "TH": ("Somchai", "Siriporn", "Anong", "Niran", "Malee", "Kittisak", "Ploy", "Chai"),
    "ID": ("Budi", "Dewi", "Agus", "Putri", "Rizky", "Sri", "Wahyu", "Indah"),
    "VN": ("Linh", "Minh", "Anh", "Huong", "Tuan", "Lan", "Duc", "Thao"),
    "US": ("Emily", "Michael", "Grace", "David", "Sarah", "Kevin", "Anna", "Brian"),
}
_FAMILY = {
    "PH": ("Santos", "Reyes", "Cruz", "Bautista", "Garcia", "Mendoza", "Ramos", "Flores"),
    "SG": ("Tan", "Lim", "Lee", "Ng", "Raj", "Wong", "Goh", "Chua"),
    "MY": ("Abdullah", "Rahman", "Ismail", "Tan", "Krishnan", "Yusof", "Lee", "Hassan"),
    "TH": ("Saetang", "Chaiyasit", "Wongsa", "Srisuk", "Boonmee", "Rattana", "Suwan", "Thongchai"),
    "ID": ("Santoso", "Wijaya", "Pratama", "Lestari", "Nugroho", "Hidayat", "Siregar", "Kusuma"),
    "VN": ("Nguyen", "Tran", "Le", "Pham", "Hoang", "Phan", "Vu", "Dang"),
    "US": ("Johnson", "Nguyen", "Garcia", "Smith", "Lee", "Brown", "Davis", "Kim"),
}


def full_name(country: int, chance: int) -> str:
    """A name that is usual in the country; `chance` is any whole number."""
    code = COUNTRIES[country].code
    given, family = _GIVEN[code], _FAMILY[code]
    return f"{given[chance % len(given)]} {family[chance // 16 % len(family)]}"


ABROAD: Array = np.array([NUMBER[name] for name in ("restaurant", "convenience", "coffee", "clothing", "cash")])
"""Categories on which travellers spend."""
