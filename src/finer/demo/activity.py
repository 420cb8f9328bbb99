"""Sessions on the web site and in the app: what people look at before they buy, and how they sign in."""

from __future__ import annotations

import numpy as np

from finer.demo.chance import Array, cumulative, key, pick, scatter, uniforms
from finer.demo.merchants import APP, RHYTHMS, WEB, Products
from finer.demo.people import People
from finer.demo.places import UTC_OFFSET_US
from finer.demo.spending import DAY_US, HOUR_US, sale, season
from finer.demo.tables import Table

KINDS = (
    "page_view", "search", "product_view", "add_to_cart", "checkout", "login", "logout", "transfer_started", "purchase",
)  # fmt: skip
PAGE_VIEW, SEARCH, PRODUCT_VIEW, ADD_TO_CART, CHECKOUT, LOGIN, LOGOUT, TRANSFER_STARTED, PURCHASE = range(9)
PAGES = ("/", "/accounts", "/shop", "/offers", "/cards", "/loans", "/help", "/payments")
SEARCHES = ("running shoes", "power bank", "dried mango", "gift", "rice cooker", "sunscreen", "tablet", "batik")
_EVENING = cumulative(np.array(RHYTHMS["evenings"]))
_MIDDLE = cumulative(np.array([0.42, 0.12, 0.28, 0.08, 0.03, 0.0, 0.0, 0.07]))
_SESSIONS_PER_PAYMENT = 0.1
_ANONYMOUS_SHARE = 0.12
_BOUGHT_SHARE = 0.55  # of what gets to the checkout
LIVE_STEPS = 6
"""Actions of a session of the live world."""


def activity_of_day(people: People, products: Products, rng: np.random.Generator, day: int) -> Table:
    """All actions of the sessions that begin on one day, not yet sorted."""
    mean = people.rate * _SESSIONS_PER_PAYMENT * season(day) * np.sqrt(sale(day))
    owners = np.repeat(np.arange(people.count), rng.poisson(mean))
    sessions = len(owners)
    steps = np.minimum(3 + rng.geometric(0.2, sessions), 30)
    hour = pick(_EVENING, rng.random(sessions))
    local = day * DAY_US + hour * HOUR_US + (rng.random(sessions) * HOUR_US).astype(np.int64)
    begins = local - UTC_OFFSET_US[people.country[owners]]
    of = np.repeat(np.arange(sessions), steps)
    step = np.arange(len(of)) - np.repeat(np.cumsum(steps) - steps, steps)
    duration_ms = np.minimum(np.exp(9.2 + 0.9 * rng.standard_normal(len(of))), 900_000).astype(np.int64)
    # Milliseconds since the session began: the sum of what came before in the same session.
    before = np.cumsum(duration_ms) - duration_ms
    elapsed = before - np.repeat(before[np.cumsum(steps) - steps], steps)
    numbers = day * 100_000 + of
    table = describe(people, products, owners[of], numbers, step, steps[of], rng.random((len(of), 3)), day)
    table["occurred_us"] = begins[of] + elapsed * 1000
    table["duration"] = duration_ms
    return table


def describe(
    people: People,
    products: Products,
    owners: Array,
    session: Array,
    step: Array,
    steps: Array,
    chance: Array,
    day: int,
) -> Table:
    """What is done at each step: in by signing in, out by signing out, looking around between. `chance` is (n, 3)."""
    of_session = uniforms(session, key(people.seed, "sessions"), 4)
    kind = pick(_MIDDLE, chance[:, 0])
    kind = np.where((kind == CHECKOUT) & (chance[:, 2] < _BOUGHT_SHARE), PURCHASE, kind)
    kind = np.where(step == 0, np.where(of_session[:, 0] < 0.7, LOGIN, PAGE_VIEW), kind)
    kind = np.where((step == steps - 1) & (of_session[:, 1] < 0.4), LOGOUT, kind)
    shopping = np.isin(kind, (PRODUCT_VIEW, ADD_TO_CART))
    anonymous = (of_session[:, 0] >= 0.7) & (of_session[:, 2] < _ANONYMOUS_SHARE / 0.3)
    phone = people.devices(owners, day, of_session[:, 3])
    return Table({
        "customer": np.where(anonymous, -1, owners),
        "city": people.city[owners],
        "session": session,
        "kind": kind,
        "page": np.where(kind == PAGE_VIEW, (chance[:, 1] ** 1.5 * len(PAGES)).astype(np.int64), -1),
        "search": np.where(kind == SEARCH, (chance[:, 1] * len(SEARCHES)).astype(np.int64), -1),
        "product": np.where(shopping, products.choose(chance[:, 1]), -1),
        "device": np.where(anonymous, 10**13 + session, phone),
        "channel": np.where(phone % 1000 == 999, WEB, APP),
    })  # fmt: skip


def live_events(
    people: People, products: Products, first: int, occurred_us: Array, per_second: float, salt: int, day: int
) -> Table:
    """Events `first` .. of an endless stream in which many sessions go on side by side, a step every few seconds."""
    numbers = first + np.arange(len(occurred_us))
    abreast = max(int(per_second * 5), 4)
    session = 10**9 + numbers // (abreast * LIVE_STEPS) * abreast + numbers % abreast
    step = numbers // abreast % LIVE_STEPS
    owners = (scatter(session, salt) % np.uint64(people.count)).astype(np.int64)
    steps = np.full(len(numbers), LIVE_STEPS)
    chance = uniforms(numbers, salt + 1, 4)
    table = describe(people, products, owners, session, step, steps, chance[:, :3], day)
    table["occurred_us"] = occurred_us
    table["duration"] = (1000 * np.exp(1.5 + 0.8 * chance[:, 3])).astype(np.int64)
    return table
