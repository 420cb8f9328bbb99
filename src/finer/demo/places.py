"""Countries and cities of the simulated world: most people live in Southeast Asia."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from finer.demo.chance import Array, cumulative
from finer.kit.money import exponent


class Country(NamedTuple):
    """A country and its money.

    `usd` is one unit of the currency in US dollars, `level` the price level against Singapore's, `weight` the share
    of customers, `step` the smallest amount that prices end on, in minor units, `income_usd` the usual monthly income.
    """

    code: str
    currency: str
    usd: float
    utc_hours: int
    level: float
    weight: float
    step: int
    income_usd: float


# Exchange rates are those that Finer gives a new tenant; amounts of the world keep well away from the limits of
# rules, so that a firm with other rates sees the same fraud.
COUNTRIES = (
    Country("PH", "PHP", 0.0175, 8, 0.60, 0.36, 25, 520),
    Country("SG", "SGD", 0.75, 8, 1.00, 0.12, 5, 2900),
    Country("MY", "MYR", 0.22, 8, 0.62, 0.14, 5, 900),
    Country("TH", "THB", 0.029, 7, 0.58, 0.13, 100, 620),
    Country("ID", "IDR", 0.000062, 7, 0.50, 0.13, 50_000, 450),
    Country("VN", "VND", 0.00004, 7, 0.48, 0.09, 1_000, 430),
    Country("US", "USD", 1.0, -8, 1.20, 0.03, 1, 3800),
    Country("JP", "JPY", 0.0067, 9, 0.95, 0.0, 10, 2500),
    Country("HK", "HKD", 0.128, 8, 1.05, 0.0, 10, 2400),
    Country("GB", "GBP", 1.3, 0, 1.10, 0.0, 5, 2900),
)


class City(NamedTuple):
    """A city with its state or region and its share of the country's customers.

    Shops without a street, such as web shops, are registered in the first city of a country.
    """

    name: str
    state: str
    country: str
    weight: float


CITIES = (
    City("Makati", "Metro Manila", "PH", 0.24), City("Quezon City", "Metro Manila", "PH", 0.28),
    City("Manila", "Metro Manila", "PH", 0.20), City("Cebu City", "Cebu", "PH", 0.16),
    City("Davao City", "Davao del Sur", "PH", 0.12),
    City("Singapore", "Central Region", "SG", 1.0),
    City("Kuala Lumpur", "Kuala Lumpur", "MY", 0.55), City("George Town", "Penang", "MY", 0.20),
    City("Johor Bahru", "Johor", "MY", 0.25),
    City("Bangkok", "Bangkok", "TH", 0.72), City("Chiang Mai", "Chiang Mai", "TH", 0.16),
    City("Phuket", "Phuket", "TH", 0.12),
    City("Jakarta", "DKI Jakarta", "ID", 0.56), City("Surabaya", "East Java", "ID", 0.24),
    City("Bandung", "West Java", "ID", 0.20),
    City("Ho Chi Minh City", "Ho Chi Minh", "VN", 0.55), City("Hanoi", "Ha Noi", "VN", 0.33),
    City("Da Nang", "Da Nang", "VN", 0.12),
    City("Los Angeles", "California", "US", 0.6), City("San Francisco", "California", "US", 0.4),
    City("Tokyo", "Tokyo", "JP", 1.0),
    City("Hong Kong", "Hong Kong Island", "HK", 1.0),
    City("London", "England", "GB", 1.0),
)  # fmt: skip

_INDEX = {country.code: place for place, country in enumerate(COUNTRIES)}
CITY_COUNTRY: Array = np.array([_INDEX[city.country] for city in CITIES], np.int64)
CITY_SHARE: Array = cumulative(
    np.array([city.weight * COUNTRIES[_INDEX[city.country]].weight for city in CITIES], np.float64)
)
CAPITAL: Array = np.array([int(np.argmax(country == CITY_COUNTRY)) for country in CITY_COUNTRY], np.int64)
UTC_OFFSET_US: Array = np.array([country.utc_hours * 3_600_000_000 for country in COUNTRIES], np.int64)
LEVEL: Array = np.array([country.level for country in COUNTRIES])
INCOME_USD: Array = np.array([country.income_usd for country in COUNTRIES])
MINOR_PER_USD: Array = np.array([10 ** exponent(country.currency) / country.usd for country in COUNTRIES])
STEP: Array = np.array([country.step for country in COUNTRIES], np.int64)
DECIMALS: Array = np.array([exponent(country.currency) for country in COUNTRIES], np.int64)

# The contract of transactions takes less than ten million units, which is 400 US dollars in dong and 620 in rupiah.
# Nobody there pays more than this, and thieves of larger sums go elsewhere.
_MAJOR_MAX = 9_900_000
AMOUNT_MAX: Array = _MAJOR_MAX * 10**DECIMALS
PAYS_LARGE: Array = AMOUNT_MAX / MINOR_PER_USD > 5_000


def minor_units(usd: Array, country: Array) -> Array:
    """US dollars as minor units of each country's currency, ending on its price step, shape (n,), int64.

    At least one step, and never more than the contract takes.
    """
    step = STEP[country]
    steps = np.rint(usd * MINOR_PER_USD[country] / step).astype(np.int64)
    found: Array = np.minimum(np.maximum(steps, 1) * step, AMOUNT_MAX[country])
    return found


def round_below(usd: Array, country: Array) -> Array:
    """The largest round amount not above `usd`: hundreds, or hundreds of thousands where money has many zeros."""
    unit = np.where(np.isin(country, (_INDEX["ID"], _INDEX["VN"])), 100_000, 100) * 10 ** DECIMALS[country]
    found: Array = np.maximum(np.floor(usd * MINOR_PER_USD[country] / unit).astype(np.int64), 1) * unit
    return found


def in_usd(minor: Array, country: Array) -> Array:
    """Minor units of each country's currency in US dollars, shape (n,), float64."""
    return minor / MINOR_PER_USD[country]
