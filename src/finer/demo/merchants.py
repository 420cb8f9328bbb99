"""Merchants by city and category, and the products of the web shop."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from finer.demo.chance import Array, generator
from finer.demo.places import CAPITAL, CITIES, CITY_COUNTRY, COUNTRIES

POS, WEB, APP, ATM, BRANCH, TRANSFER = range(6)
CHANNELS = ("pos", "web", "app", "atm", "branch", "transfer")
PURCHASE, WITHDRAWAL, TRANSFERRED, PAYMENT, REFUND, DEPOSIT, FEE = range(7)
TYPES = ("purchase", "withdrawal", "transfer", "payment", "refund", "deposit", "fee")


class Category(NamedTuple):
    """A kind of spending: amounts are log-normal with `median_usd` at Singapore's prices and `sigma`.

    `share` is its part of all payments, `rhythm` names an hour profile, `channels` the first and the second way to
    pay and the share of the first.
    """

    name: str
    mcc: str
    median_usd: float
    sigma: float
    share: float
    rhythm: str
    channels: tuple[int, int, float]
    type: int
    words: tuple[str, ...]


CATEGORIES = (
    Category("groceries", "5411", 13, 0.55, 0.20, "shops", (POS, APP, 0.93), PURCHASE,
             ("Market", "Fresh Mart", "Grocer", "Supermarket")),
    Category("convenience", "5499", 4.2, 0.5, 0.14, "all day", (POS, APP, 0.95), PURCHASE,
             ("Express", "Corner", "Mini Mart", "Stop")),
    Category("restaurant", "5812", 12, 0.55, 0.13, "meals", (POS, APP, 0.8), PURCHASE,
             ("Kitchen", "Grill", "Noodle House", "Eatery")),
    Category("coffee", "5814", 4.8, 0.35, 0.11, "mornings", (POS, APP, 0.75), PURCHASE,
             ("Coffee", "Roasters", "Tea House", "Bakery")),
    Category("transport", "4121", 5.0, 0.5, 0.11, "commute", (APP, POS, 0.9), PURCHASE,
             ("Ride", "Metro Card", "Cabs", "Shuttle")),
    Category("fuel", "5541", 26, 0.35, 0.045, "commute", (POS, APP, 0.95), PURCHASE,
             ("Fuel", "Petrol", "Energy Station", "Gas")),
    Category("pharmacy", "5912", 10, 0.55, 0.04, "shops", (POS, WEB, 0.9), PURCHASE,
             ("Pharmacy", "Drugstore", "Wellness", "Care")),
    Category("clothing", "5651", 28, 0.5, 0.03, "shops", (POS, WEB, 0.6), PURCHASE,
             ("Fashion", "Outfitters", "Textiles", "Shoes")),
    Category("web shop", "5399", 18, 0.6, 0.07, "evenings", (APP, WEB, 0.7), PURCHASE,
             ("Online", "Bazaar", "Deals", "Marketplace")),
    Category("digital", "5816", 5.5, 0.5, 0.035, "evenings", (APP, WEB, 0.8), PURCHASE,
             ("Games", "Streaming", "Music", "Cloud")),
    Category("electronics", "5732", 62, 0.5, 0.009, "shops", (POS, WEB, 0.6), PURCHASE,
             ("Digital World", "Gadgets", "Computers", "Phones")),
    Category("travel", "4722", 66, 0.5, 0.007, "evenings", (WEB, APP, 0.6), PURCHASE,
             ("Travel", "Airways", "Hotels", "Tours")),
    Category("utilities", "4900", 30, 0.45, 0.02, "evenings", (APP, WEB, 0.8), PAYMENT,
             ("Water", "Power", "Electric", "Broadband")),
    Category("telecom", "4814", 8, 0.4, 0.035, "evenings", (APP, WEB, 0.9), PAYMENT,
             ("Mobile", "Telecom", "Prepaid", "Connect")),
    Category("cash", "6011", 52, 0.45, 0.05, "shops", (ATM, ATM, 1.0), WITHDRAWAL,
             ("ATM", "Cash Point", "Bank ATM", "Teller Machine")),
    Category("health", "8099", 24, 0.5, 0.014, "office", (POS, APP, 0.95), PURCHASE,
             ("Clinic", "Dental", "Medical Centre", "Laboratory")),
)  # fmt: skip
NUMBER = {category.name: place for place, category in enumerate(CATEGORIES)}
ONLINE: Array = np.array([category.channels[0] in (WEB, APP) for category in CATEGORIES])

_FIRST = (
    "Mabuhay", "Lotus", "Golden", "Orchid", "Sampaguita", "Merdeka", "Jasmine", "Pearl", "Sunrise", "Lucky", "Bayani",
    "Garuda", "Royal", "Harmony", "Bamboo", "Emerald", "Island", "Coral", "Monsoon", "Dragon", "Angsana", "Kalayaan",
    "Rambutan", "Mango", "Tala", "Bintang", "Sawadee", "Hoan Kiem", "Straits", "Harbour", "Banyan", "Frangipani",
)  # fmt: skip

# Hours of the day at which people pay, weights of 24 hours.
RHYTHMS: dict[str, tuple[float, ...]] = {
    "shops": (0, 0, 0, 0, 0, 0, 1, 2, 4, 6, 8, 8, 7, 6, 6, 7, 8, 10, 11, 9, 6, 3, 1, 0.1),
    "all day": (0.5, 0.2, 0.1, 0.1, 0.1, 0.5, 3, 6, 7, 6, 5, 6, 7, 6, 5, 5, 6, 8, 9, 8, 7, 5, 3, 1.5),
    "meals": (0.2, 0.1, 0, 0, 0, 0.2, 2, 4, 3, 2, 3, 9, 13, 8, 3, 2, 3, 6, 11, 13, 9, 4, 2, 0.7),
    "mornings": (0, 0, 0, 0, 0, 1, 6, 13, 14, 10, 7, 5, 6, 6, 7, 7, 5, 4, 3, 2, 1, 1, 0.3, 0.1),
    "commute": (0.3, 0.1, 0.1, 0.1, 0.2, 2, 8, 13, 9, 4, 3, 3, 4, 3, 3, 4, 7, 13, 11, 6, 4, 3, 2, 0.8),
    "evenings": (1.2, 0.5, 0.2, 0.1, 0.1, 0.3, 1, 2, 3, 4, 4, 4, 6, 5, 4, 4, 4, 5, 7, 9, 12, 12, 8, 3),
    "office": (0, 0, 0, 0, 0, 0, 0, 1, 6, 12, 13, 10, 4, 8, 12, 12, 9, 4, 1, 0, 0, 0, 0, 0),
}


class Merchants:
    """Every merchant; those of one city and category stand together, the most popular first."""

    def __init__(self, seed: int, scale: int = 900) -> None:
        """`scale` sets how many there are: about three for each unit."""
        rng = generator(seed, "merchants")
        counts = np.zeros((len(CITIES), len(CATEGORIES)), np.int64)
        for place, city in enumerate(CITIES):
            country = COUNTRIES[CITY_COUNTRY[place]]
            for kind, category in enumerate(CATEGORIES):
                demand = max(country.weight, 0.02) * (1.0 if ONLINE[kind] else city.weight) * category.share
                if not ONLINE[kind] or CAPITAL[place] == place:
                    counts[place, kind] = max(3, round(scale * 3.2 * demand))
        self.count = counts.copy()
        self.start = (np.cumsum(counts) - counts.ravel()).reshape(counts.shape)
        # A web shop is registered in one city of its country, and serves all of it.
        self.start[:, ONLINE] = self.start[CAPITAL][:, ONLINE]
        self.count[:, ONLINE] = self.count[CAPITAL][:, ONLINE]
        own = np.repeat(np.arange(counts.size), counts.ravel())
        self.city: Array = own // len(CATEGORIES)
        self.category: Array = own % len(CATEGORIES)
        self.country: Array = CITY_COUNTRY[self.city]
        size = len(own)
        self.price: Array = np.exp(rng.normal(0, 0.22, size))
        first, word = rng.integers(0, len(_FIRST), size), rng.integers(0, 4, size)
        kinds = self.category.tolist()
        self.names: list[str] = [
            f"{_FIRST[a]} {CATEGORIES[kind].words[b]}" for a, b, kind in zip(first, word, kinds, strict=True)
        ]
        self.ids: list[str] = [f"M{100_000 + place}" for place in range(size)]

    def __len__(self) -> int:
        return len(self.ids)


_PRODUCT_WORDS = {
    "Home": (("Lamp", 18), ("Blanket", 22), ("Rice cooker", 38), ("Fan", 30), ("Mug", 6), ("Shelf", 45)),
    "Fashion": (("T-shirt", 12), ("Sneakers", 48), ("Backpack", 34), ("Scarf", 11), ("Jacket", 55), ("Sandals", 19)),
    "Beauty": (("Sunscreen", 13), ("Serum", 24), ("Shampoo", 8), ("Lipstick", 12), ("Perfume", 42), ("Mask set", 9)),
    "Electronics": (("Earphones", 29), ("Power bank", 24), ("Keyboard", 44), ("Charger", 15), ("Tablet", 180)),
    "Sports": (("Yoga mat", 20), ("Water bottle", 12), ("Football", 19), ("Racket", 62), ("Gloves", 15)),
    "Pantry": (("Coffee beans", 14), ("Green tea", 9), ("Dried mango", 7), ("Noodles box", 16), ("Spice set", 12)),
}
_COST_SHARES = {
    "Home": 0.52, "Fashion": 0.44, "Beauty": 0.36, "Electronics": 0.74, "Sports": 0.57, "Pantry": 0.66,
}  # fmt: skip
"""What goods of a kind cost the shop, as a part of their price at Singapore's prices."""
_WITHOUT_COST = 0.07
"""The part of the products that the shop has no cost of in its books yet."""
_SHADES = ("Classic", "Travel", "Family", "Premium", "Eco", "Mini", "Batik", "Night")


class Products:
    """The goods of the web shop: id, name, price in US dollars at Singapore's prices, and their cost (-1: unknown)."""

    def __init__(self, seed: int) -> None:
        rng = generator(seed, "products")
        self.names: list[str] = []
        prices: list[float] = []
        for words in _PRODUCT_WORDS.values():
            for word, price in words:
                for shade in _SHADES:
                    self.names.append(f"{shade} {word.lower()}")
                    prices.append(price * float(np.exp(rng.normal(0, 0.25))))
        self.price_usd: Array = np.array(prices)
        # Of their own chance: prices and popularity stay what they are in every world.
        books = generator(seed, "costs")
        shares = [
            _COST_SHARES[kind] for kind, words in _PRODUCT_WORDS.items() for _ in range(len(words) * len(_SHADES))
        ]
        cost = self.price_usd * np.array(shares) * np.exp(books.normal(0, 0.12, len(shares)))
        self.cost_usd: Array = np.where(books.random(len(shares)) < _WITHOUT_COST, -1.0, cost)
        self.ids: list[str] = [f"SKU-{1000 + place}" for place in range(len(self.names))]
        self.order: Array = rng.permutation(len(self.names))

    def __len__(self) -> int:
        return len(self.ids)

    def choose(self, uniform: Array) -> Array:
        """Products by popularity: a few sell a lot, most sell little. Shape of `uniform`, int64."""
        return self.order[(len(self) * uniform**2.2).astype(np.int64)]
